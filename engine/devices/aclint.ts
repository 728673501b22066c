/**
 * Core-local interruptor in SiFive's CLINT layout ("sifive,clint0"): software
 * interrupts and timers of up to eight harts.
 *
 * References: RISC-V ACLINT specification 1.0, MTIMER and MSWI; SiFive
 * FU540-C000 manual, chapter 9. `mtime` is the machine's clock and read-only
 * here: a guest that moved it would move the `time` CSR of every hart.
 */
import { bool, list, optional, record, u32, type StateOf } from '../snapshot/codec';
import type { AccessSize, GuestClock, InterruptLine } from './device';
import { DeclaredDevice, RegisterMap } from './registers';

export const ACLINT_MAX_HARTS = 8;

/** The compare registers live with the harts, which have to act on them. Values are unsigned 64-bit ticks. */
export interface TimerComparators {
  compare(hart: number): bigint;
  /** Must act on the value as a level: raise MTIP when it is due, lower it when it is not. */
  setCompare(hart: number, ticks: bigint): void;
}

export interface AclintOptions {
  readonly harts: number;
  /** MSIP of a hart. */
  readonly software: (hart: number) => InterruptLine;
  readonly timer: TimerComparators;
  readonly clock: GuestClock;
}

const layout = record('aclint', 1, {
  softwarePending: list(bool),
  /** High half of `mtime` as it was when the low half was read; taken by the next read of the high half. */
  timeHigh: optional(u32),
});
type State = StateOf<typeof layout>;

const low = (value: bigint): number => Number(value & 0xffffffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffffffffn);

export class Aclint extends DeclaredDevice<State> {
  private static readonly registers = new RegisterMap<Aclint>(4, [
    {
      offset: 0x0000,
      name: 'msip',
      count: ACLINT_MAX_HARTS,
      read: (d, hart) => (d.state.softwarePending[hart] ? 1 : 0),
      write: (d, value, hart) => d.setSoftware(hart, (value & 1) === 1),
    },
    {
      offset: 0x4000,
      name: 'mtimecmp',
      count: ACLINT_MAX_HARTS * 2,
      read: (d, half) => d.readCompare(half >> 1, half & 1),
      write: (d, value, half) => d.writeCompare(half >> 1, half & 1, value),
    },
    { offset: 0xbff8, name: 'mtime', read: (d) => d.readTimeLow() },
    { offset: 0xbffc, name: 'mtime (high)', read: (d) => d.readTimeHigh() },
  ]);

  constructor(private readonly options: AclintOptions) {
    const { harts } = options;
    if (harts > ACLINT_MAX_HARTS)
      throw new RangeError(`an ACLINT has at most ${ACLINT_MAX_HARTS} harts, not ${harts}`);
    super(layout, () => ({ softwarePending: new Array<boolean>(harts).fill(false), timeHigh: undefined }));
  }

  read(offset: number, size: AccessSize): number {
    return Aclint.registers.read(this, offset, size);
  }
  write(offset: number, size: AccessSize, value: number): void {
    Aclint.registers.write(this, offset, size, value);
  }

  private setSoftware(hart: number, pending: boolean): void {
    if (hart >= this.options.harts) return;
    this.state.softwarePending[hart] = pending;
    this.options.software(hart).set(pending);
  }

  private readCompare(hart: number, half: number): number {
    if (hart >= this.options.harts) return 0;
    const compare = this.options.timer.compare(hart);
    return half === 0 ? low(compare) : high(compare);
  }

  /** Each half takes effect at once; between the two the timer may be due for the length of one instruction. */
  private writeCompare(hart: number, half: number, value: number): void {
    if (hart >= this.options.harts) return;
    const compare = this.options.timer.compare(hart);
    const written =
      half === 0
        ? (compare & 0xffffffff_00000000n) | BigInt(value)
        : (BigInt(value) << 32n) | (compare & 0xffffffffn);
    this.options.timer.setCompare(hart, written);
  }

  /** The clock may carry into the high half between the two reads of one 64-bit load. */
  private readTimeLow(): number {
    const ticks = this.options.clock.ticks();
    this.state.timeHigh = high(ticks);
    return low(ticks);
  }
  private readTimeHigh(): number {
    const value = this.state.timeHigh ?? high(this.options.clock.ticks());
    this.state.timeHigh = undefined;
    return value;
  }

  protected override update(): void {
    this.state.softwarePending.forEach((pending, hart) => this.options.software(hart).set(pending));
  }

  protected override problem(state: State): string | undefined {
    const saved = state.softwarePending.length;
    return saved !== this.options.harts ? `saved with ${saved} harts, not ${this.options.harts}` : undefined;
  }
}
