import type { Exit } from '../../../engine/models/guest';
import { runSession, type SessionTerminal } from '../../../cli/terminal/session';
import type { Ending } from '../../../cli/terminal/terminal';
import { FakeGuest, powerOff, type Script } from '../fake-guest';

/** Time that passes only while somebody waits or the guest looks at it. */
class FakeTime {
  milliseconds = 0;
  wallNanoseconds = () => BigInt(Math.round(this.milliseconds * 1e6));
  monotonicMilliseconds = () => this.milliseconds;
}

class FakeTerminal implements SessionTerminal {
  ending: Ending | undefined;
  inputEnded = false;
  written = '';
  waits: (number | undefined)[] = [];
  typed: string[] = [];
  constructor(private readonly time: FakeTime) {}
  takeTyped = () => Buffer.from(this.typed.shift() ?? '');
  write = (bytes: Uint8Array) => {
    this.written += Buffer.from(bytes).toString();
    return Promise.resolve();
  };
  wait = (milliseconds: number | undefined) => {
    this.waits.push(milliseconds);
    this.time.milliseconds += milliseconds ?? 1000;
    return Promise.resolve();
  };
}

function session(
  script: Script,
  options: { deterministic?: boolean; endAtReset?: boolean; hasTerminalDriver?: boolean } = {},
) {
  const time = new FakeTime();
  const terminal = new FakeTerminal(time);
  const guests: FakeGuest[] = [];
  const create = () => {
    const guest = new FakeGuest(script);
    guests.push(guest);
    return guest;
  };
  const run = () =>
    runSession({ create, terminal, clock: time, deterministic: false, endAtReset: false, ...options });
  return { time, terminal, guests, run };
}

describe('session', () => {
  test.each<[string[], string]>([
    [[], '\x04'],
    [['a line\n'], 'a line\n\x04'],
    [['half a ', 'line'], 'half a line\x04\x04'],
  ])('the end of input %j is typed once, where the guest has a terminal driver', async (typed, expected) => {
    const script: Script = (guest) => (guest.runs < 5 ? { reason: 'budget' } : powerOff);
    for (const hasTerminalDriver of [true, false]) {
      const { terminal, guests, run } = session(script, { hasTerminalDriver });
      terminal.typed = [...typed];
      // As Terminal does: there is no end while something is still to be taken.
      Object.defineProperty(terminal, 'inputEnded', { get: () => terminal.typed.length === 0 });
      await run();
      expect(guests[0]?.typed).toBe(hasTerminalDriver ? expected : typed.join(''));
    }
  });

  test('shows what the guest writes and ends with 0 when it powers off', async () => {
    const { terminal, run } = session((guest) => {
      guest.print(`line ${guest.runs}\n`);
      return guest.runs < 3 ? { reason: 'budget' } : powerOff;
    });
    await expect(run()).resolves.toEqual({ cause: 'halted', code: 0 });
    expect(terminal.written).toBe('line 1\nline 2\nline 3\n');
  });

  test.each([
    [1, 1],
    [77, 77],
    [0, 1],
    [0x300, 1],
    [0x3ff, 255],
  ])('failure with code %i exits with %i', async (code, status) => {
    const { run } = session(() => ({ reason: 'halted', how: 'failure', code }));
    await expect(run()).resolves.toEqual({ cause: 'halted', code: status });
  });

  test('an idle guest sleeps until its timer, in real mode by the clock alone', async () => {
    const { terminal, guests, run } = session((guest) =>
      guest.runs === 1 ? { reason: 'idle', wakeAfter: 2_500_000n } : powerOff,
    );
    await run();
    expect(terminal.waits).toEqual([3]);
    expect(guests[0]?.skipped).toBe(0n);
  });

  test('in deterministic mode guest time never passes its timer', async () => {
    const { guests, run } = session(
      (guest) => (guest.runs === 1 ? { reason: 'idle', wakeAfter: 2_500_000n } : powerOff),
      { deterministic: true },
    );
    await run();
    expect(guests[0]?.skipped).toBe(2_500_000n);
  });

  test('an idle guest without a timer waits for a key', async () => {
    const idle: Exit = { reason: 'idle', wakeAfter: undefined };
    const { terminal, run } = session((guest) => (guest.typed === '' ? idle : powerOff));
    terminal.typed = ['', 'x'];
    await expect(run()).resolves.toEqual({ cause: 'halted', code: 0 });
    expect(terminal.waits).toEqual([undefined]);
  });

  test('an idle guest that nothing can wake ends the session', async () => {
    const { terminal, run } = session(() => ({ reason: 'idle', wakeAfter: undefined }));
    terminal.inputEnded = true;
    await expect(run()).resolves.toEqual({ cause: 'stuck' });
  });

  test('the end of input does not end a guest that has a timer', async () => {
    const { terminal, run } = session((guest) =>
      guest.runs < 5 ? { reason: 'idle', wakeAfter: 1n } : powerOff,
    );
    terminal.inputEnded = true;
    await expect(run()).resolves.toEqual({ cause: 'halted', code: 0 });
  });

  test('a reset starts the guest again, or ends the session when told so', async () => {
    let starts = 0;
    const reset: Exit = { reason: 'halted', how: 'reset', code: 0 };
    const script: Script = () => (++starts < 3 ? reset : powerOff);
    const again = session(script);
    await expect(again.run()).resolves.toEqual({ cause: 'halted', code: 0 });
    expect(again.guests).toHaveLength(3);
    starts = 0;
    const once = session(script, { endAtReset: true });
    await once.run();
    expect(once.guests).toHaveLength(1);
  });

  test('bursts are short enough for keys to get through, and quitting stops a busy guest', async () => {
    const { time, terminal, guests, run } = session((guest, budget) => {
      while (budget.expired?.() === false) time.milliseconds += 1;
      if (guest.runs === 4) terminal.ending = { cause: 'quit' };
      return { reason: 'budget' };
    });
    await expect(run()).resolves.toEqual({ cause: 'quit' });
    expect(guests[0]?.runs).toBe(4);
    expect(time.milliseconds / 4).toBeLessThanOrEqual(10);
  });

  test('a fault is handed on with its message', async () => {
    const { run } = session(() => ({ reason: 'fault', message: 'no such page; give more memory' }));
    await expect(run()).resolves.toEqual({ cause: 'fault', message: 'no such page; give more memory' });
  });
});
