/** Runs a guest on a terminal until it halts or the user has enough. */
import type { Guest } from '../../engine/models/guest';
import type { Ending } from './terminal';

/** The part of `Terminal` that a session needs. */
export interface SessionTerminal {
  readonly ending: Ending | undefined;
  readonly inputEnded: boolean;
  takeTyped(): Uint8Array;
  write(bytes: Uint8Array): Promise<void>;
  wait(milliseconds: number | undefined): Promise<void>;
}

/** Host time, passed in so that tests own it. */
export interface SessionClock {
  /** Nanoseconds since the Unix epoch; never runs backwards. */
  wallNanoseconds(): bigint;
  /** Milliseconds since any fixed point. */
  monotonicMilliseconds(): number;
}

export interface SessionOptions {
  readonly create: () => Guest;
  readonly terminal: SessionTerminal;
  readonly clock: SessionClock;
  readonly deterministic: boolean;
  /** A guest that asks for a reset ends the session instead of starting again. */
  readonly endAtReset: boolean;
  /** The guest itself is what reads the terminal's control characters: it can be told of the input's end. */
  readonly hasTerminalDriver?: boolean;
}

export type SessionEnd =
  | { readonly cause: 'halted'; readonly code: number }
  | { readonly cause: 'fault'; readonly message: string }
  /** The guest waits for what cannot come: no timer is set and there is no input any more. */
  | { readonly cause: 'stuck' }
  | Ending;

/** Keys wait at most this long for the guest; shorter bursts cost more than they give. */
const BURST_MILLISECONDS = 8;
const BURST_INSTRUCTIONS = 100_000_000;

export async function runSession(options: SessionOptions): Promise<SessionEnd> {
  const { terminal, clock } = options;
  let guest = options.create();
  const end = new EndOfInput();
  for (;;) {
    if (terminal.ending !== undefined) return terminal.ending;
    const typed = terminal.takeTyped();
    if (typed.length > 0) guest.type(typed);
    if (options.hasTerminalDriver === true) end.tell(guest, typed, terminal.inputEnded);

    const deadline = clock.monotonicMilliseconds() + BURST_MILLISECONDS;
    const exit = guest.run({
      instructions: BURST_INSTRUCTIONS,
      expired: () => clock.monotonicMilliseconds() >= deadline,
    });
    const output = guest.takeOutput();
    if (output.length > 0) await terminal.write(output);

    if (exit.reason === 'fault') return { cause: 'fault', message: exit.message };
    if (exit.reason === 'halted') {
      if (exit.how !== 'reset' || options.endAtReset) return { cause: 'halted', code: exitStatus(exit) };
      guest = options.create();
    } else if (exit.reason === 'idle') {
      if (exit.wakeAfter === undefined && terminal.inputEnded) return { cause: 'stuck' };
      await sleep(guest, exit.wakeAfter, options);
    } else {
      await new Promise((resolve) => setImmediate(resolve)); // lets keys and signals in
    }
  }
}

/** The character EOF of a terminal (termios(3), VEOF). */
const CTRL_D = 0x04;
const NEWLINE = 0x0a;

/** Types the end of the input once, as a user does: EOF ends a line that is begun, and only the next one the input. */
class EndOfInput {
  private last = NEWLINE;
  private told = false;

  tell(guest: Guest, typed: Uint8Array, ended: boolean): void {
    this.last = typed.at(-1) ?? this.last;
    if (!ended || this.told) return;
    this.told = true;
    guest.type(this.last === NEWLINE ? Uint8Array.of(CTRL_D) : Uint8Array.of(CTRL_D, CTRL_D));
  }
}

/** Waits as long as the guest would, without using the CPU. */
async function sleep(guest: Guest, wakeAfter: bigint | undefined, options: SessionOptions): Promise<void> {
  const { terminal, clock, deterministic } = options;
  const before = clock.monotonicMilliseconds();
  await terminal.wait(wakeAfter === undefined ? undefined : Math.ceil(Number(wakeAfter) / 1e6));
  if (!deterministic) return;
  // Guest time is the guest's own in deterministic mode: it moves by what was slept, never past the timer.
  const slept = BigInt(Math.round((clock.monotonicMilliseconds() - before) * 1e6));
  guest.skipIdle(wakeAfter !== undefined && wakeAfter < slept ? wakeAfter : slept);
}

function exitStatus(exit: {
  readonly how: 'power-off' | 'reset' | 'failure';
  readonly code: number;
}): number {
  if (exit.how !== 'failure') return 0;
  // A shell sees eight bits only; a failure must not look like success.
  return exit.code & 0xff || 1;
}
