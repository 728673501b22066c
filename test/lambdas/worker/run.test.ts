import { ImageError, type Exit, type Guest, type RunBudget } from '../../../engine/models/guest';
import type { InboxEntry } from '../../../lambdas/store/store';
import {
  idleTime,
  run,
  type RunLimits,
  type RunResult,
  type RunSurroundings,
} from '../../../lambdas/worker/run';
import { FakeSpace } from '../fake-space';

/** A guest whose `run` answers from a script; time passes as the script says. */
class ScriptedGuest implements Guest {
  readonly space = new FakeSpace('ram', 100_000);
  readonly spaces = [this.space];
  readonly exits = {};
  instructions = 0;
  readonly typed: string[] = [];
  readonly delivered: string[] = [];
  readonly answers: string[] = [];
  readonly refusals: Error[] = [];
  readonly skipped: bigint[] = [];
  output = '';
  runs = 0;

  constructor(private readonly script: (guest: ScriptedGuest, budget: RunBudget) => Exit) {}
  deliver(event: Uint8Array): void {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    this.delivered.push(new TextDecoder().decode(event));
  }
  takeResults(): Uint8Array[] {
    return this.answers.splice(0).map((text) => new TextEncoder().encode(text));
  }

  run(budget: RunBudget): Exit {
    this.runs += 1;
    return this.script(this, budget);
  }
  takeOutput(): Uint8Array {
    const bytes = new TextEncoder().encode(this.output);
    this.output = '';
    return bytes;
  }
  type(bytes: Uint8Array): void {
    this.typed.push(new TextDecoder().decode(bytes));
  }
  skipIdle(nanoseconds: bigint): void {
    this.skipped.push(nanoseconds);
  }
  save(): Uint8Array {
    return new Uint8Array(0);
  }
  restore(): void {
    return;
  }
}

type Clock = RunSurroundings['clock'];

class Scene {
  time = 1_000_000;
  readonly inbox: InboxEntry[] = [];
  private readonly start = this.time;

  run(guest: Guest, limits: Partial<RunLimits> = {}, clock: Clock = 'real'): Promise<RunResult> {
    const all = {
      sliceMs: 10_000,
      instructions: 1e9,
      deadline: this.time + 60_000,
      flushRate: 1000,
      ...limits,
    };
    return run(guest, 0, all, {
      now: () => this.time,
      sleep: async (milliseconds) => void (this.time += milliseconds),
      inbox: async (cursor) => this.inbox.filter(({ sequence }) => sequence > cursor),
      bring: () => Promise.reject(new Error('this guest has all of its pages')),
      clock,
    });
  }

  get elapsed(): number {
    return this.time - this.start;
  }

  post(sequence: number, text: string, type = 'text'): void {
    this.inbox.push({
      sequence,
      id: String(sequence),
      type,
      data: new TextEncoder().encode(text),
      sentAt: 0,
    });
  }

  /** A guest that computes until it is told to stop; a burst costs what it is given. */
  busy(also: (guest: ScriptedGuest) => void = () => undefined): ScriptedGuest {
    return new ScriptedGuest((guest, budget) => {
      for (let steps = 0; budget.expired?.() !== true; steps += 1) {
        if (steps > 1_000_000) throw new Error('never told to stop');
        this.time += 10;
        guest.instructions += 100;
      }
      also(guest);
      return { reason: 'budget' };
    });
  }
}

const idleFor = (milliseconds: number): Exit => ({
  reason: 'idle',
  wakeAfter: BigInt(milliseconds) * 1_000_000n,
});

describe('the run of a slice', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  test('a busy guest runs as long as the slice', async () => {
    const guest = scene.busy();
    expect(await scene.run(guest)).toMatchObject({ exit: { reason: 'budget' } });
    expect(scene.elapsed).toBe(10_000);
  });

  test('and less when the deadline is near', async () => {
    await scene.run(scene.busy(), { deadline: scene.time + 5000 });
    expect(scene.elapsed).toBe(3500);
  });

  test('and less when much has to be flushed', async () => {
    let page = 0;
    // One burst dirties 2500 pages: 10 MB at 1 MB/s.
    const guest = scene.busy(({ space }) => {
      for (let i = 0; i < 2500; i += 1) space.write(page++, new Uint8Array(1));
    });
    await scene.run(guest, { deadline: scene.time + 30_000 });
    expect(scene.elapsed).toBeLessThanOrEqual(3000);
    expect(30_000 - scene.elapsed).toBeGreaterThan(guest.space.dirty().length * 4.096);
  });

  test('it moves on even when there is no time left', async () => {
    const guest = scene.busy();
    await scene.run(guest, { deadline: scene.time });
    expect(guest.instructions).toBeGreaterThan(0);
    expect(scene.elapsed).toBeLessThan(100);
  });

  test('it ends at an exact count of instructions', async () => {
    const guest = new ScriptedGuest((self, { instructions }) => {
      self.instructions += Math.min(instructions, 400);
      return { reason: 'budget' };
    });
    await scene.run(guest, { instructions: 1234 });
    expect(guest.instructions).toBe(1234);
  });

  test('a short wait passes within the slice, a long one does not', async () => {
    const waits = [300, 1500, 2500];
    const guest = new ScriptedGuest((self) => idleFor(waits[self.runs - 1] ?? 0));
    const result = await scene.run(guest);
    expect(result).toMatchObject({ exit: idleFor(2500), idleMs: 1800 });
    expect(scene.elapsed).toBe(1800);
    expect(guest.skipped).toEqual([]);
  });

  test('in deterministic mode a short wait is skipped, and takes no time', async () => {
    const waits = [300, 1500, 2500];
    const guest = new ScriptedGuest((self) => idleFor(waits[self.runs - 1] ?? 0));
    expect(await scene.run(guest, {}, 'deterministic')).toMatchObject({ exit: idleFor(2500), idleMs: 1800 });
    expect(scene.elapsed).toBe(0);
    expect(guest.skipped).toEqual([300_000_000n, 1_500_000_000n]);
  });

  test('in suspended mode a short wait takes its time, and the guest is told how much', async () => {
    const waits = [300, 1500, 2500];
    const guest = new ScriptedGuest((self) => idleFor(waits[self.runs - 1] ?? 0));
    expect(await scene.run(guest, {}, 'suspended')).toMatchObject({ exit: idleFor(2500), idleMs: 1800 });
    expect(scene.elapsed).toBe(1800);
    expect(guest.skipped).toEqual([300_000_000n, 1_500_000_000n]);
  });

  test('idle time counts up to the timer', () => {
    expect(idleTime(10, 20_000_000n)).toBe(10_000_000n);
    expect(idleTime(30, 20_000_000n)).toBe(20_000_000n);
    expect(idleTime(30, undefined)).toBe(30_000_000n);
    // Another worker's clock was ahead.
    expect(idleTime(-5, 20_000_000n)).toBe(0n);
  });

  test('skipped waits are bounded by the slice too', async () => {
    const guest = new ScriptedGuest(() => idleFor(1000));
    expect(await scene.run(guest, {}, 'deterministic')).toMatchObject({
      exit: { reason: 'idle' },
      idleMs: 10_000,
    });
  });

  test('an idle guest without a timer stops at once', async () => {
    const guest = new ScriptedGuest(() => ({ reason: 'idle', wakeAfter: undefined }));
    await scene.run(guest);
    expect(scene.elapsed).toBe(0);
    expect(guest.runs).toBe(1);
  });

  test("an idle guest's output is not held back by short waits", async () => {
    const guest = new ScriptedGuest((self) => {
      if (self.runs === 1) self.output = '# ';
      return idleFor(400);
    });
    const result = await scene.run(guest);
    expect(new TextDecoder().decode(result.output)).toBe('# ');
    expect(scene.elapsed).toBeLessThanOrEqual(1000);
  });

  test('much output ends the slice', async () => {
    const guest = new ScriptedGuest((self) => {
      self.output = 'x'.repeat(1 << 20);
      return { reason: 'budget' };
    });
    expect((await scene.run(guest)).output.length).toBe(4 << 20);
  });

  test('what waits in the inbox is typed in order, before the guest runs', async () => {
    scene.post(1, 'a');
    scene.post(2, 'b');
    scene.post(3, '?', 'unknown');
    const guest = new ScriptedGuest(() => ({ reason: 'idle', wakeAfter: undefined }));
    expect(await scene.run(guest)).toMatchObject({ inboxCursor: 3, inboxEntries: 3 });
    expect(guest.typed).toEqual(['a', 'b']);
  });

  test('what arrives in mid-slice reaches a busy guest and ends a wait', async () => {
    const busy = scene.busy((guest) => {
      if (guest.runs === 2) scene.post(1, 'hello');
    });
    expect(await scene.run(busy)).toMatchObject({ inboxCursor: 1 });
    expect(busy.typed).toEqual(['hello']);

    scene = new Scene();
    const waiting = new ScriptedGuest((guest) => {
      if (guest.runs === 1) scene.post(1, 'wake up');
      return guest.runs === 1 ? idleFor(1900) : { reason: 'idle', wakeAfter: undefined };
    });
    expect(await scene.run(waiting)).toMatchObject({ inboxCursor: 1 });
    expect(scene.elapsed).toBe(500);
  });

  test('events and text reach the guest in the order of the inbox; what it answers is a result', async () => {
    scene.post(1, '{"n":1}', 'event');
    scene.post(2, 'typed');
    scene.post(3, '{"n":2}', 'event');
    const guest = new ScriptedGuest((self) => {
      if (self.runs === 1) self.answers.push('one', '');
      return { reason: 'idle', wakeAfter: undefined };
    });
    const { results, ...result } = await scene.run(guest);
    expect(result).toMatchObject({ inboxCursor: 3, inboxEntries: 3 });
    expect(guest.delivered).toEqual(['{"n":1}', '{"n":2}']);
    expect(guest.typed).toEqual(['typed']);
    expect(results.map(({ bytes, error }) => [new TextDecoder().decode(bytes), error])).toEqual([
      ['one', undefined],
      ['', undefined],
    ]);
  });

  test('an event that the guest does not take is answered with the reason, and the slice goes on', async () => {
    scene.post(1, '1', 'event');
    scene.post(2, '2', 'event');
    const guest = new ScriptedGuest(() => ({ reason: 'idle', wakeAfter: undefined }));
    guest.refusals.push(new ImageError('this guest takes no events; give it a reader'));
    const { results, inboxCursor } = await scene.run(guest);
    expect(results).toEqual([
      {
        bytes: new Uint8Array(0),
        error: 'event 1 (1) was not delivered: this guest takes no events; give it a reader',
      },
    ]);
    expect({ inboxCursor, delivered: guest.delivered }).toEqual({ inboxCursor: 2, delivered: ['2'] });
  });

  test('a mistake of the engine in taking an event is no answer', async () => {
    scene.post(1, '1', 'event');
    const guest = new ScriptedGuest(() => ({ reason: 'budget' }));
    guest.refusals.push(new RangeError('a mistake'));
    await expect(scene.run(guest)).rejects.toThrow('a mistake');
  });

  test("an idle guest's results are not held back by short waits, and many of them end the slice", async () => {
    const guest = new ScriptedGuest((self) => {
      if (self.runs === 1) self.answers.push('done');
      return idleFor(400);
    });
    await scene.run(guest);
    expect(scene.elapsed).toBeLessThanOrEqual(1000);

    const flood = new ScriptedGuest((self) => {
      self.answers.push(...new Array<string>(10_000).fill(''));
      return { reason: 'budget' };
    });
    const { results } = await scene.run(flood);
    expect(results.length).toBeGreaterThan(10_000);
    expect(results.length).toBeLessThan(100_000);
  });

  test("a busy guest's results are not held back to the slice's end, except in deterministic mode", async () => {
    const answering = () =>
      scene.busy((guest) => {
        if (guest.runs === 2) guest.answers.push('done');
      });
    await scene.run(answering());
    expect(scene.elapsed).toBe(3000);
    scene = new Scene();
    await scene.run(answering(), {}, 'deterministic');
    expect(scene.elapsed).toBe(10_000);
  });

  test('a flood of input is taken in portions', async () => {
    for (let i = 1; i <= 5; i += 1) scene.post(i, 'y'.repeat(30_000));
    const guest = new ScriptedGuest(() => ({ reason: 'halted', how: 'power-off', code: 0 }));
    expect(await scene.run(guest)).toMatchObject({ inboxCursor: 2, exit: { reason: 'halted' } });
  });
});
