/** DESIGN 5.1 under faults: whatever happens to workers and messages, console and state are those of a quiet run. */
import * as fc from 'fast-check';
import { send, type Message } from '../../../lambdas/ingress/send';
import { DynamoTable } from '../../../lambdas/store/dynamodb';
import { MemoryTable } from '../../../lambdas/store/memory';
import type { Head } from '../../../lambdas/store/store';
import type { Table } from '../../../lambdas/store/table';
import { localTable } from '../dynalite';
import { GUEST, World, type Fault, type WorldOptions } from '../world';

const PROGRAM = { length: 150, sleeps: { 20: 5e9, 51: 3e8 }, reads: [66], answers: [90, 95], resetsAt: 113 };
/** What the guest waits for, twice over since it resets itself: a line, then two events. */
const INPUT: readonly Pick<Message, 'type' | 'data'>[] = [
  { type: 'text', data: 'uname -a\n' },
  { type: 'event', data: '{"text":"one"}' },
  { type: 'event', data: '{"text":"two"}' },
  { type: 'text', data: 'poweroff\n' },
  { type: 'event', data: '3' },
  { type: 'event', data: '4' },
];

interface Result {
  readonly console: string;
  readonly results: readonly string[];
  readonly value: unknown;
  readonly head: Partial<Head>;
  readonly world: World;
}

/** Runs a guest to its end, and sends it what it waits for whenever it waits. */
async function life(options: WorldOptions): Promise<Result> {
  const world = new World(options);
  world.send({ guest: GUEST, generation: 0 });
  let head = await world.settle();
  for (const [i, input] of INPUT.entries()) {
    if (head?.status !== 'idle') break;
    const ingress = {
      store: world.store,
      queue: { send: async (token: Parameters<World['send']>[0]) => world.send(token) },
      now: () => world.time,
    };
    await send(ingress, { guest: GUEST, ...input, id: `input ${i}` });
    head = await world.settle();
  }
  if (head === undefined) throw new Error('no head');
  const { status, inboxCursor, consoleOffset, results, instructions } = head;
  return {
    console: await world.console(),
    results: await world.results(),
    value: await world.guestValue(),
    head: { status, inboxCursor, consoleOffset, results, instructions },
    world,
  };
}

const seen = ({ console, results, value, head }: Result) => ({ console, results, value, head });

describe('the slice protocol', () => {
  let quiet: Result;
  beforeAll(async () => {
    quiet = await life({ table: new MemoryTable(), program: PROGRAM, workers: 1 });
  });

  test('a quiet run gets to its end', () => {
    expect(quiet.head).toMatchObject({
      status: 'halted',
      inboxCursor: 6,
      results: 4,
      instructions: 150 + 114,
    });
    expect(quiet.results).toEqual([
      'answered at 90: {"text":"one"}',
      'answered at 95: {"text":"two"}',
      'answered at 90: 3',
      'answered at 95: 4',
    ]);
    expect(quiet.console).toContain('read at 66: uname -a\n');
    expect(quiet.console).toContain('read at 66: poweroff\n');
    expect(quiet.console.length).toBe(quiet.head.consoleOffset);
  });

  test('wherever slices are cut, and however many workers take turns, the result is the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 5, max: 200 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 2 }),
        async (sliceInstructions, workers, duplicates) => {
          const options = {
            table: new MemoryTable(),
            program: PROGRAM,
            sliceInstructions,
            workers,
            duplicates,
          };
          expect(seen(await life(options))).toEqual(seen(quiet));
        },
      ),
      { numRuns: 25 },
    );
  });

  async function crashEverywhere(
    open: () => Table,
    step: number,
    options: Partial<WorldOptions>,
  ): Promise<number> {
    const base = { program: PROGRAM, sliceInstructions: 60, ...options };
    const calls = (await life({ ...base, table: open() })).world.calls;
    for (let call = 1; call <= calls; call += step) {
      for (const when of ['before', 'after'] as const) {
        const fault: Fault = { call, when };
        const result = await life({ ...base, table: open(), fault });
        expect({ fault, crashes: result.world.crashes, ...seen(result) }).toEqual({
          fault,
          crashes: 1,
          ...seen(quiet),
        });
      }
    }
    return calls;
  }

  test('a worker that dies at any call of store or queue loses nothing and shows nothing twice', async () => {
    expect(await crashEverywhere(() => new MemoryTable(), 1, {})).toBeGreaterThan(100);
  }, 600_000);

  test('the same with every message delivered twice', async () => {
    await crashEverywhere(() => new MemoryTable(), 4, { duplicates: 1 });
  }, 600_000);

  test('the same on DynamoDB', async () => {
    const { client, tableName, close } = await localTable();
    try {
      const open = () => prefixed(new DynamoTable({ client, tableName, deadline: Date.now() + 600_000 }));
      await crashEverywhere(open, 29, {});
    } finally {
      await close();
    }
  }, 120_000);

  let prefix = 0;
  /** A part of a table that is empty at first. */
  function prefixed(table: Table): Table {
    const mine = `${(prefix += 1)}.`;
    return {
      usage: table.usage,
      get: ({ pk, sk }) => table.get({ pk: mine + pk, sk }),
      put: (item, condition) => table.put({ ...item, pk: mine + item.pk }, condition),
      delete: ({ pk, sk }) => table.delete({ pk: mine + pk, sk }),
      query: (pk, range) => table.query(mine + pk, range),
    };
  }
});
