/**
 * Guest time that follows the caller's clock.
 *
 * A guest that comes back after an hour must not find that an hour has passed between two of its instructions: Linux
 * would report that its CPU was stuck ("watchdog: BUG: soft lockup", after 20 s). So time that was missed is made up
 * for in strides, with guest code between them, as on a machine that ran on. An idle guest sleeps through it from timer
 * to timer.
 */
import type { CommonDefinition } from './guest';

/** What guest time gains on the caller's clock at once: how often Linux's lockup watchdog looks, a fifth of what it bears. */
const STRIDE = 4_000_000_000n;
const NOTICEABLE = 1_000_000n;

export class HostClock {
  /** By how much the guest's wall clock is behind on purpose. */
  private withheld = 0n;

  /**
   * @param kind `suspended`: time that passes between runs is not made up for
   * @param now nanoseconds since the Unix epoch
   */
  constructor(
    private readonly kind: Exclude<CommonDefinition['clock'], 'deterministic'>,
    private readonly now: () => bigint,
  ) {}

  /** A run begins. `wall`: the guest's wall clock, nanoseconds since the Unix epoch. */
  begin(wall: bigint): void {
    if (this.kind === 'suspended') this.withheld = this.now() - wall;
  }

  /** Nanoseconds that the guest's time has to make up for; negative when it leads. */
  behind(wall: bigint): bigint {
    return this.now() - this.withheld - wall;
  }

  /** The same when there is more than reading the clocks takes: what an idle guest sleeps through at once. */
  missed(wall: bigint): bigint {
    const behind = this.behind(wall);
    return behind < NOTICEABLE ? 0n : behind;
  }

  /** The guest's wall clock after a stride; never less than `wall`, since time does not run backwards. */
  stride(wall: bigint): bigint {
    const behind = this.behind(wall);
    if (behind <= 0n) return wall;
    return wall + (behind < STRIDE ? behind : STRIDE);
  }
}
