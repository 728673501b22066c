/**
 * Two instances of one guest, side by side: one interpreted, one translated. All that reaches the guest reaches both,
 * between the same two instructions; after each piece of a run everything that a checkpoint would hold is compared.
 * At the first difference the guest has a fault, whose message says where it is.
 *
 * The guest has to be deterministic. Seen from outside it is one guest, and its state is that of either.
 */
import type { Symbols } from '../../cpu/inspection';
import type { EngineOptions, Exit, ExitCounts, Guest, PageSpace, RunBudget } from '../guest';
import { type Outcome, type Side, differences, isEqual } from './differences';
import { PairedSpace } from './paired-space';
import { coarseReport, report } from './report';
import { type Pair, search } from './search';

export interface LockStepOptions {
  /** Makes the guest; more than twice when there is a difference to be found. */
  readonly create: (engine: EngineOptions) => Guest;
  /** The translator's options. */
  readonly translator?: Omit<EngineOptions, 'kind'>;
  /** Instructions between two comparisons. */
  readonly piece?: number;
  readonly symbols?: Symbols;
}

/** Comparing costs about as much as 200,000 instructions. */
const PIECE = 2 ** 21;

export class LockStep implements Guest {
  readonly spaces: readonly PageSpace[];
  /** Comparisons so far. */
  comparisons = 0;
  private readonly left: Guest;
  private readonly right: Guest;
  private readonly pairs: readonly PairedSpace[];
  /** State when both were last equal, and how many instructions had been executed. */
  private state: Uint8Array;
  private reached: number;
  private fault: string | undefined;
  private readonly output: Uint8Array[] = [];
  private readonly results: Uint8Array[] = [];

  constructor(private readonly options: LockStepOptions) {
    this.left = options.create({ kind: 'interpreter' });
    this.right = options.create({ kind: 'translator', ...options.translator });
    this.pairs = this.left.spaces.map((space, i) => new PairedSpace(space, this.right.spaces[i]!));
    this.spaces = this.pairs;
    this.state = this.left.save();
    this.reached = this.left.instructions;
    for (const pair of this.pairs) pair.keep();
  }

  get instructions(): number {
    return this.left.instructions;
  }
  get exits(): ExitCounts {
    return this.left.exits;
  }
  get inspection(): Guest['inspection'] {
    return this.left.inspection;
  }

  run({ instructions, expired }: RunBudget): Exit {
    for (let left = instructions; ;) {
      if (this.fault !== undefined) return { reason: 'fault', message: this.fault };
      const piece = Math.min(left, this.options.piece ?? PIECE);
      const sides = [this.runOne(this.left, piece), this.runOne(this.right, piece)] as const;
      this.comparisons++;
      if (!isEqual(...sides, this.pairs)) {
        this.fault = this.explain(piece, sides);
        continue;
      }
      const { exit, output, results } = sides[0].outcome;
      if (output.length > 0) this.output.push(output);
      this.results.push(...results);
      left -= this.left.instructions - this.reached;
      this.keep();
      const goesOn = exit.reason === 'budget' && left > 0 && output.length === 0;
      if (!goesOn || expired?.()) return exit;
    }
  }

  takeOutput(): Uint8Array {
    const pieces = this.output.splice(0);
    const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
    let place = 0;
    for (const piece of pieces) {
      whole.set(piece, place);
      place += piece.length;
    }
    return whole;
  }
  takeResults(): Uint8Array[] {
    return this.results.splice(0);
  }

  type(bytes: Uint8Array): void {
    this.onBoth((guest) => guest.type(bytes));
  }
  deliver(event: Uint8Array): void {
    this.onBoth((guest) => guest.deliver(event));
  }
  skipIdle(nanoseconds: bigint): void {
    this.onBoth((guest) => guest.skipIdle(nanoseconds));
  }
  save(): Uint8Array {
    return this.left.save();
  }
  restore(state: Uint8Array): void {
    this.onBoth((guest) => guest.restore(state));
  }

  /** What comes from outside is the same for both: they are equal after it, and a search begins behind it. */
  private onBoth(act: (guest: Guest) => void): void {
    if (this.fault !== undefined) return;
    act(this.left);
    act(this.right);
    this.keep();
  }

  private keep(): void {
    this.state = this.left.save();
    this.reached = this.left.instructions;
    for (const pair of this.pairs) pair.keep();
  }

  private runOne(guest: Guest, instructions: number): Side {
    const exit = guest.run({ instructions });
    const outcome: Outcome = { exit, output: guest.takeOutput(), results: guest.takeResults() };
    return { guest, outcome };
  }

  private explain(piece: number, sides: readonly [left: Side, right: Side]): string {
    const { reached, pairs, state, options } = this;
    const to = Math.max(...sides.map(({ guest }) => guest.instructions));
    const found = differences(...sides, pairs);
    const restore = (guest: Guest): void => {
      guest.restore(state);
      guest.takeOutput();
      guest.takeResults();
      for (const space of guest.spaces) space.clean();
    };
    const pair: Pair = {
      interpreter: this.left,
      spaces: pairs,
      create: (engine) => {
        const guest = options.create({ kind: 'translator', ...options.translator, ...engine });
        pairs.forEach((space, i) => space.fill(guest.spaces[i]!));
        restore(guest);
        return guest;
      },
      rollBack: (...guests) => {
        for (const guest of guests) {
          pairs.forEach((space, i) => space.rollBack(guest.spaces[i]!));
          restore(guest);
        }
      },
      run: (guest, instructions) => this.runOne(guest, instructions),
    };
    const finding = search(pair, piece, this.right);
    return finding ? report(pair, finding, options.symbols) : coarseReport(reached, to, found);
  }
}
