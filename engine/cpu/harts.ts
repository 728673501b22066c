/**
 * The harts of a machine, taking turns on one linear memory.
 *
 * Generated code and helpers find a hart's state at fixed places, so one hart
 * is loaded there and the others are parked: their cells lie here, and what
 * was derived from them, TLBs included, is made anew when their turn comes.
 *
 * A turn is counted in the steps of its hart, and what is left of it is part
 * of the saved state: who runs when is a function of executed instructions,
 * wherever a run was cut. A turn ends early when its hart waits (`wfi`), when
 * it says that it only spins (`pause`), and soon after it has interrupted
 * another hart, since it will want an answer.
 */
import { bytes, bytesOf, list, record, u32, u8 } from '../snapshot/codec';
import { StateError } from '../snapshot/errors';
import { HART_CELLS, Hart, type HartExit, type HartOptions, Line } from './hart';
import * as at from './layout';

export const MAX_HARTS = 8;

/** Steps of a turn. Changing harts and filling TLBs anew costs about as much as 8,000 of them. */
const TURN = 200_000;
/** Steps that are left to a hart once it has interrupted another: enough to interrupt all others as well. */
const AFTER_INTERRUPT = 2_000;

const MTIP = 1n << 7n;
const STIP = 1n << 5n;
const STCE = 1n << 63n;

const layout = record('harts', 1, {
  loaded: u8,
  /** Steps that the loaded hart may still run before it is another's turn. */
  turn: u32,
  hart: bytes,
  /** The others, in the order of their numbers. */
  parked: list(bytesOf(HART_CELLS)),
});

export class Harts {
  readonly count: number;
  /** The loaded one, and the clock and RAM of all. */
  readonly hart: Hart;
  /** How often another hart was loaded. Not part of the state. */
  switches = 0;
  private loaded = 0;
  private turn = TURN;
  /** The loaded hart's entry is out of date. */
  private readonly parked: Uint8Array<ArrayBuffer>[];
  /** A hart as it is at power-on. */
  private readonly fresh: Uint8Array<ArrayBuffer>;
  /** The loaded hart has interrupted another during this run. */
  private hasInterrupted = false;

  /** @param count 1 to 8 */
  constructor(count: number, options: HartOptions) {
    this.count = count;
    this.hart = new Hart({ ...options, takesTurns: count > 1 });
    this.fresh = this.hart.park();
    this.parked = Array.from({ length: count }, () => this.fresh);
    for (let hart = 1; hart < count; hart++) this.reset(hart);
  }

  /** Number of the hart that runs, or ran last. */
  get current(): number {
    return this.loaded;
  }

  /** A parked hart as at power-on. */
  reset(hart: number): void {
    this.parked[hart] = this.fresh.slice();
    this.setCell(hart, at.HART_ID, BigInt(hart));
  }

  /** As `Hart.run`: exactly `steps` instructions, of all harts together. Idle means that all wait. */
  run(steps: number): HartExit {
    if (this.count === 1) return this.hart.run(steps);
    let left = steps;
    // A hart that seemed ready and is not must not keep the host busy for ever.
    for (let idle = 0; idle <= this.count && (this.turn > 0 || this.next()); idle++) {
      const before = this.hart.steps;
      const exit = this.hart.run(Math.min(left, this.turn));
      const executed = Number(this.hart.steps - before);
      if (executed > 0) idle = 0;
      left -= executed;
      this.account(executed, exit);
      if (exit === 'requested' || exit === 'trap') return exit;
      // Nobody is loaded for a run that is over: it is for the next one to say who is ready.
      if (left === 0) return exit === 'idle' && this.ready() === undefined ? 'idle' : 'budget';
    }
    return 'idle';
  }

  setLine(hart: number, bit: number, asserted: boolean): void {
    if (hart === this.loaded) return this.hart.setLine(bit, asserted);
    const mask = 1n << BigInt(bit);
    const lines = this.cell(hart, at.LINES);
    const next = asserted ? lines | mask : lines & ~mask;
    if (next === lines) return;
    this.setCell(hart, at.LINES, next);
    if (asserted && bit === Line.machineSoftware) {
      // What is left of the turn can be counted only when the run has ended.
      this.hasInterrupted = true;
      this.hart.requestYield();
    }
  }

  /** Raises bits of `mip` that software holds, between two runs. */
  setPending(hart: number, mask: bigint): void {
    this.setCell(hart, at.MIP, this.cell(hart, at.MIP) | mask);
    if (hart !== this.loaded) this.turn = Math.min(this.turn, AFTER_INTERRUPT);
  }

  timeCompare(hart: number): bigint {
    return this.cell(hart, at.MTIMECMP);
  }
  setTimeCompare(hart: number, ticks: bigint): void {
    if (hart === this.loaded) this.hart.timeCompare = ticks;
    else this.setCell(hart, at.MTIMECMP, ticks);
  }

  /** Ticks until a timer wakes one of the harts, which all wait; undefined when none will. */
  get ticksUntilTimer(): bigint | undefined {
    if (this.count === 1) return this.hart.ticksUntilTimer;
    let next: bigint | undefined;
    for (let hart = 0; hart < this.count; hart++) {
      const wake = this.isStopped(hart) ? undefined : this.wakeTime(hart);
      if (wake !== undefined && (next === undefined || wake < next)) next = wake;
    }
    return next === undefined ? undefined : next - this.hart.time;
  }

  /** The hart runs no more until `start`. */
  stop(hart: number): void {
    this.setCell(hart, at.WAITING, BigInt(at.WAITING_STOPPED));
    if (hart === this.loaded) this.turn = 0;
  }
  isStopped(hart: number): boolean {
    return this.cell(hart, at.WAITING) === BigInt(at.WAITING_STOPPED);
  }

  /** A cell of a hart's state, by its place in layout.ts. Unsigned. */
  cell(hart: number, address: number): bigint {
    return hart === this.loaded
      ? this.hart.cell(address)
      : this.view(hart).getBigUint64(address - at.X, true);
  }
  setCell(hart: number, address: number, value: bigint): void {
    if (hart === this.loaded) this.hart.setCell(address, value);
    else this.view(hart).setBigUint64(address - at.X, BigInt.asUintN(64, value), true);
  }

  saveState(): Uint8Array {
    return layout.encode({
      loaded: this.loaded,
      turn: this.turn,
      hart: this.hart.saveState(),
      parked: this.parked.filter((_, hart) => hart !== this.loaded),
    });
  }

  /** @throws StateError when the payload is not of so many harts. */
  restoreState(payload: Uint8Array): void {
    const { loaded, turn, hart, parked } = layout.decode(payload);
    if (parked.length + 1 !== this.count) {
      throw new StateError(`harts: saved with ${parked.length + 1} of them, not ${this.count}`);
    }
    if (loaded >= this.count)
      throw new StateError(`harts: number ${loaded} is said to run, of ${this.count}`);
    this.hart.restoreState(hart);
    this.loaded = loaded;
    this.turn = Math.min(turn, TURN);
    this.hasInterrupted = false;
    let next = 0;
    for (let other = 0; other < this.count; other++) {
      if (other !== loaded) this.parked[other] = parked[next++]!.slice();
    }
  }

  /** Takes a run of the loaded hart off its turn. */
  private account(executed: number, exit: HartExit): void {
    const gaveUp = exit === 'idle' || (exit === 'yield' && !this.hasInterrupted);
    const longest = gaveUp ? 0 : this.hasInterrupted ? AFTER_INTERRUPT : TURN;
    this.turn = Math.min(this.turn - executed, longest);
    this.hasInterrupted = false;
  }

  /** Loads the hart whose turn it is and begins its turn; false when all wait. */
  private next(): boolean {
    const hart = this.ready();
    if (hart === undefined) return false;
    this.turn = TURN;
    if (hart !== this.loaded) {
      this.parked[this.loaded] = this.hart.park();
      this.hart.unpark(this.parked[hart]!);
      this.loaded = hart;
      this.switches++;
    }
    return true;
  }

  /** The first hart after the loaded one that has something to do. */
  private ready(): number | undefined {
    for (let step = 1; step <= this.count; step++) {
      const hart = (this.loaded + step) % this.count;
      if (this.isReady(hart)) return hart;
    }
    return undefined;
  }

  /** Whether the hart does not wait, or what it waits for is there: as `poll` in assembly/run.ts will see it. */
  private isReady(hart: number): boolean {
    const waiting = this.cell(hart, at.WAITING);
    if (waiting !== BigInt(at.WAITING_INTERRUPT)) return waiting === 0n;
    // Timer lines are brought up to date only while a hart is loaded.
    const lines = this.cell(hart, at.LINES) & ~(MTIP | STIP);
    if (((this.cell(hart, at.MIP) | lines) & this.cell(hart, at.MIE)) !== 0n) return true;
    const wake = this.wakeTime(hart);
    return wake !== undefined && wake <= this.hart.time;
  }

  /** When a timer ends the hart's wait: the earlier of those that are enabled. */
  private wakeTime(hart: number): bigint | undefined {
    const enabled = this.cell(hart, at.MIE);
    const machine = (enabled & MTIP) !== 0n ? this.cell(hart, at.MTIMECMP) : NEVER;
    const comparesToTime = (this.cell(hart, at.MENVCFG) & STCE) !== 0n;
    const supervisor = (enabled & STIP) !== 0n && comparesToTime ? this.cell(hart, at.STIMECMP) : NEVER;
    const earlier = machine < supervisor ? machine : supervisor;
    return earlier === NEVER ? undefined : earlier;
  }

  private view(hart: number): DataView {
    return new DataView(this.parked[hart]!.buffer);
  }
}

const NEVER = (1n << 64n) - 1n;
