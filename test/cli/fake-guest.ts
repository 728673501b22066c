/** A guest that does what a script says, for tests of whoever runs guests. */
import type { Exit, ExitCounts, Guest, PageSpace, RunBudget } from '../../engine/models/guest';

/** Called for each `run`; what it returns is the exit. */
export type Script = (guest: FakeGuest, budget: RunBudget) => Exit;

export class FakeGuest implements Guest {
  readonly spaces: readonly PageSpace[] = [];
  readonly exits: ExitCounts = {};
  instructions = 0;
  runs = 0;
  typed = '';
  skipped = 0n;
  private output = '';

  constructor(private readonly script: Script) {}

  print(text: string): void {
    this.output += text;
  }

  run(budget: RunBudget): Exit {
    this.runs += 1;
    return this.script(this, budget);
  }

  takeOutput(): Uint8Array {
    const bytes = Buffer.from(this.output, 'latin1');
    this.output = '';
    return bytes;
  }

  type(bytes: Uint8Array): void {
    this.typed += Buffer.from(bytes).toString('latin1');
  }

  deliver(): void {
    throw new Error('this guest takes no events');
  }
  takeResults(): Uint8Array[] {
    return [];
  }

  skipIdle(nanoseconds: bigint): void {
    this.skipped += nanoseconds;
  }

  save(): Uint8Array {
    return new Uint8Array();
  }

  restore(): void {
    throw new Error('a fake guest has no state');
  }
}

export const powerOff: Exit = { reason: 'halted', how: 'power-off', code: 0 };
