/**
 * How many instructions make a tick of guest time, for guests whose clock is
 * the caller's. Within a burst time follows from instructions, so it has to go
 * at about the speed at which the worker runs; at each burst's start it is set
 * right. Too few instructions a tick and the guest's time would run ahead,
 * then stand still until the world has caught up.
 */

/** Before anything was measured: rather slow time than time that runs ahead. */
const FIRST_ESTIMATE = 60;
const LEAST = 1;
/** Weight of the newest burst. */
const WEIGHT = 0.25;

export class Pace {
  private estimate = FIRST_ESTIMATE;
  private startedAt = 0n;

  /**
   * @param tick nanoseconds of one tick
   * @param burst instructions between two looks at the clock
   */
  constructor(
    private readonly tick: bigint,
    private readonly burst: number,
  ) {}

  /**
   * A burst begins; returns the instructions that make a tick in it.
   * @param ahead ticks by which guest time leads the world's: made up for within the burst, but for a quarter of it
   */
  begin(now: bigint, ahead: bigint): bigint {
    this.startedAt = now;
    const ticks = this.burst / this.estimate;
    const wanted = Math.max(ticks - Number(ahead), ticks / 4);
    return BigInt(Math.max(LEAST, Math.ceil(this.burst / wanted)));
  }

  /** A burst that was not cut short by idling has ended. */
  observe(instructions: number, now: bigint): void {
    const ticks = Number(now - this.startedAt) / Number(this.tick);
    // A clock too coarse for the burst says nothing.
    if (ticks <= 0) return;
    this.estimate += WEIGHT * (instructions / ticks - this.estimate);
  }
}
