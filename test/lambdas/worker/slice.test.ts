/** One slice at a time: leases, zombies, and what stops a guest. */
import { ImageError } from '../../../engine/models/guest';
import { MemoryTable } from '../../../lambdas/store/memory';
import { openCheckpoint } from '../../../lambdas/store/opened-checkpoint';
import type { Head } from '../../../lambdas/store/store';
import type { Item } from '../../../lambdas/store/table';
import { FRUITLESS_ATTEMPTS } from '../../../lambdas/worker/breaker';
import { firstHead, processToken, type Outcome, type Worker } from '../../../lambdas/worker/slice';
import type { FakeProgram } from '../fake-guest';
import { GUEST, World, type WorldOptions } from '../world';

const PROGRAM: FakeProgram = { length: 200 };

/** A table that can be looked into. */
class OpenTable extends MemoryTable {
  readonly items = new Map<string, Item>();
  override put(...args: Parameters<MemoryTable['put']>): Promise<boolean> {
    this.items.set(`${args[0].pk} ${args[0].sk}`, args[0]);
    return super.put(...args);
  }
}

function setup(options: Partial<WorldOptions> = {}): { table: OpenTable; world: World } {
  const table = new OpenTable();
  return { table, world: new World({ table, program: PROGRAM, sliceInstructions: 50, ...options }) };
}

async function headOf(world: World): Promise<Head> {
  const head = await world.store.head(GUEST);
  if (head === undefined) throw new Error('no head');
  return head;
}

let messages = 0;
const ask = (world: World, worker: Worker, generation: number): Promise<Outcome> =>
  processToken(
    worker,
    { token: { guest: GUEST, generation }, messageId: `test-${(messages += 1)}` },
    world.time + 60_000,
  );

describe('leases', () => {
  test('a zombie that runs past its lease commits nothing and shows nothing', async () => {
    const { world } = setup();
    const zombie = world.newWorker('zombie');
    const other = world.newWorker('other');
    // The zombie freezes when its slice is about to be committed; meanwhile its lease expires and another commits.
    const openStore = zombie.openStore;
    const frozen: Worker = {
      ...zombie,
      openStore: (deadline) => {
        const store = openStore(deadline);
        const writeMetrics = store.writeMetrics.bind(store);
        store.writeMetrics = async (metrics) => {
          world.time += 1_000_000;
          const outcome = await ask(world, { ...other, sliceInstructions: 20 }, 0);
          expect(outcome).toMatchObject({ kind: 'committed', head: { generation: 1, instructions: 20 } });
          await writeMetrics(metrics);
        };
        return store;
      },
    };
    expect(await ask(world, frozen, 0)).toMatchObject({ kind: 'returned' });
    const head = await headOf(world);
    expect(head).toMatchObject({ generation: 1, fencing: 2, committedFencing: 2, instructions: 20 });
    expect((await world.console()).trim().split('\n')).toHaveLength(3);
    expect((await world.store.readMetrics(GUEST)).map((metrics) => metrics.worker)).toEqual(['other']);

    // What the zombie still has in memory is not taken for the committed generation.
    await ask(world, { ...frozen, openStore }, 1);
    const [, second] = await world.store.readMetrics(GUEST);
    expect(second).toMatchObject({ worker: 'zombie', restoredFrom: 'cold', instructions: 50 });
    await world.settle();
    const quiet = setup();
    quiet.world.send({ guest: GUEST, generation: 0 });
    await quiet.world.settle();
    expect(await world.console()).toBe(await quiet.world.console());
    expect(await world.guestValue()).toEqual(await quiet.world.guestValue());
  });

  test('a held lease keeps others out until it expires', async () => {
    const { world } = setup();
    const held: Head = {
      ...firstHead(GUEST, 'definition.json', world.time),
      fencing: 1,
      attempts: 1,
      lease: { owner: 'dead', expires: world.time + 5000 },
    };
    await world.store.createHead(held);
    const worker = world.newWorker('w');
    expect(await ask(world, worker, 0)).toMatchObject({ kind: 'returned' });
    const wake = { token: { guest: GUEST, wake: true } as const, messageId: 'wake' };
    expect(await processToken(worker, wake, world.time + 60_000)).toMatchObject({ kind: 'dropped' });
    expect(world.messages.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { guest: GUEST, wake: true },
    ]);
    world.time += 6000;
    expect(await ask(world, worker, 0)).toMatchObject({
      kind: 'committed',
      head: { generation: 1, fencing: 2 },
    });
  });

  test('a slice that fails for another reason gives its lease back at once', async () => {
    const assets = { get: () => Promise.reject(new Error('the assets are out of reach')) };
    const { world } = setup({ assets });
    await expect(ask(world, world.newWorker('w'), 0)).rejects.toThrow('out of reach');
    const head = await headOf(world);
    expect(head).toMatchObject({ status: 'runnable', generation: 0, fencing: 1, attempts: 1 });
    expect(head.lease).toBeUndefined();
  });

  test('a worker that holds the guest restores nothing', async () => {
    const { world } = setup({ workers: 1 });
    world.send({ guest: GUEST, generation: 0 });
    await world.settle();
    const metrics = await world.store.readMetrics(GUEST);
    expect(metrics.map(({ restoredFrom }) => restoredFrom)).toEqual([
      'image',
      'warm',
      'warm',
      'warm',
      'warm',
    ]);
    expect(metrics.map(({ generation }) => generation)).toEqual([1, 2, 3, 4, 5]);
    expect(metrics.every(({ bytesWritten, writeUnits }) => bytesWritten > 0 && writeUnits > 0)).toBe(true);
    expect(metrics[1]).toMatchObject({ instructions: 50, exits: { steps: 50 }, status: 'runnable' });
    expect(metrics[4]).toMatchObject({ status: 'halted', reason: 'the guest powered off', instructions: 0 });
    expect(world.logs.filter(({ message }) => message === 'slice')).toHaveLength(5);
  });
});

describe('what was hot', () => {
  /** Each slice by a worker that has nothing of the guest. */
  const slices = async (world: World, from: number, to: number): Promise<void> => {
    for (let generation = from; generation < to; generation += 1)
      await ask(world, world.newWorker(`w${generation}`), generation);
  };
  const profileOf = async (world: World): Promise<Uint8Array | undefined> => {
    const { generation, committedFencing: fencing } = await headOf(world);
    return (await openCheckpoint(world.store, GUEST, { generation, fencing })).profile;
  };

  test('is stored when there is news, goes on from generation to generation, and every worker is told', async () => {
    const { world } = setup();
    await slices(world, 0, 1);
    expect(await profileOf(world)).toEqual(Uint8Array.of(50));
    // A guest that was not told would say 100, 150 and 200.
    await slices(world, 1, 4);
    expect(await profileOf(world)).toEqual(Uint8Array.of(50));
    expect(await headOf(world)).toMatchObject({ generation: 4, instructions: 200 });
  });

  test('by a version that is not understood is passed over', async () => {
    const { world } = setup();
    const worker = world.newWorker('newer');
    const newer: Worker = {
      ...worker,
      createGuest: (definition, files) =>
        Object.assign(worker.createGuest(definition, files), { takeProfile: () => Uint8Array.of(1, 2, 3) }),
    };
    await ask(world, newer, 0);
    expect(await profileOf(world)).toHaveLength(3);
    await slices(world, 1, 2);
    expect(await headOf(world)).toMatchObject({ status: 'runnable', generation: 2, instructions: 100 });
    expect(await profileOf(world)).toEqual(Uint8Array.of(100));
  });
});

describe('what stops a guest', () => {
  test.each<[string, Partial<WorldOptions>, Partial<Head>]>([
    [
      'a guest that faults',
      { program: { length: 99, faultsAt: 30 } },
      { status: 'failed', reason: 'wild jump; use another guest', generation: 1 },
    ],
    [
      'a definition that is not there',
      { assets: { get: async () => undefined } },
      { status: 'failed', generation: 0 },
    ],
    [
      'a definition that is no JSON',
      { assets: { get: async () => new Uint8Array([123]) } },
      { status: 'failed', generation: 0 },
    ],
    [
      'a definition with odd memory',
      { definition: { memory: 4097 } },
      {
        status: 'failed',
        reason: expect.stringContaining('memory must be a multiple of 1 MiB, and is 4097') as string,
      },
    ],
    [
      'a missing image file',
      { definition: { kernel: { key: 'k', name: 'vmlinuz', sha256: 'a'.repeat(64), size: 5 } } },
      { status: 'failed', reason: expect.stringContaining('vmlinuz') as string },
    ],
    [
      'a spent budget of slices',
      { definition: { breaker: { maxSlices: 2 } } },
      { status: 'suspended', generation: 2, reason: expect.stringContaining('2 of 2 slices') as string },
    ],
    [
      'a spent budget of instructions',
      { definition: { breaker: { maxInstructions: 75 } } },
      { status: 'suspended', generation: 2, instructions: 75 },
    ],
    [
      'a spent budget of slices in a day',
      { definition: { breaker: { maxSlicesPerDay: 3 } } },
      {
        status: 'suspended',
        generation: 3,
        reason: expect.stringContaining('3 of 3 slices of this day') as string,
      },
    ],
    [
      'a spent budget of time in a day',
      { definition: { breaker: { maxSecondsPerDay: 0 } } },
      { status: 'suspended', generation: 0 },
    ],
    [
      'a spent budget of money in a day',
      { definition: { breaker: { maxDollarsPerDay: 0.000001 } } },
      { status: 'suspended', generation: 1 },
    ],
  ])('%s', async (_, options, expected) => {
    // prettier-ignore
    const { world } = setup(options);
    world.send({ guest: GUEST, generation: 0 });
    expect(await world.settle()).toMatchObject(expected);
    // And it stays so.
    world.send({ guest: GUEST, wake: true });
    world.send({ guest: GUEST, generation: (await headOf(world)).generation });
    expect(await world.settle()).toMatchObject(expected);
  });

  test('an image that the engine refuses', async () => {
    const { world } = setup();
    const worker: Worker = {
      ...world.newWorker('w'),
      createGuest: () => {
        throw new ImageError('vmlinuz is no kernel: give a RISC-V Image');
      },
    };
    expect(await ask(world, worker, 0)).toMatchObject({ kind: 'stopped' });
    expect(await headOf(world)).toMatchObject({
      status: 'failed',
      reason: 'vmlinuz is no kernel: give a RISC-V Image',
    });
  });

  test('a corrupt pack: named, and the guest does not run on it', async () => {
    const { table, world } = setup();
    await ask(world, world.newWorker('a'), 0);
    const [pack] = [...table.items.values()].filter(({ pk }) => pk.includes('#pack#'));
    if (pack === undefined || !(pack.body instanceof Uint8Array)) throw new Error('no pack');
    await table.put({ ...pack, body: pack.body.map((byte, i) => (i === 40 ? byte ^ 4 : byte)) });
    const before = await world.console();
    expect(await ask(world, world.newWorker('b'), 1)).toMatchObject({ kind: 'stopped' });
    const head = await headOf(world);
    expect(head).toMatchObject({ status: 'failed', generation: 1, instructions: 50 });
    expect(head.reason).toContain(
      `guest "${GUEST}", generation 1: pack ${pack.sk} is corrupt: its SHA-256 is`,
    );
    expect(head.lease).toBeUndefined();
    expect(await world.console()).toBe(before);
  });

  test('a guest state of another kind', async () => {
    const { world } = setup();
    await ask(world, world.newWorker('a'), 0);
    const worker = world.newWorker('b');
    const other: Worker = {
      ...worker,
      createGuest: (definition, files) => {
        const guest = worker.createGuest(definition, files);
        return Object.assign(guest, { spaces: guest.spaces.slice(1) });
      },
    };
    await ask(world, other, 1);
    expect((await headOf(world)).reason).toContain(
      'the checkpoint has 200 pages of ram, and the guest has 0',
    );
  });

  test('a guest whose slices never commit', async () => {
    const { world } = setup();
    const worker = world.newWorker('w');
    const broken: Worker = {
      ...worker,
      createGuest: () => {
        throw new RangeError('a mistake of the engine');
      },
    };
    for (let i = 0; i < FRUITLESS_ATTEMPTS; i += 1)
      await expect(ask(world, broken, 0)).rejects.toThrow(RangeError);
    expect(await ask(world, broken, 0)).toMatchObject({ kind: 'stopped' });
    expect(await headOf(world)).toMatchObject({
      status: 'suspended',
      generation: 0,
      attempts: FRUITLESS_ATTEMPTS + 1,
    });
  });

  test('a guest that this host does not have', async () => {
    const { world } = setup();
    const token = { guest: 'stranger', generation: 0 };
    const outcome = await processToken(world.newWorker('w'), { token, messageId: 'm' }, world.time + 60_000);
    expect(outcome).toEqual({ kind: 'dropped', why: 'this host has no guest "stranger"' });
    expect(await world.store.head('stranger')).toBeUndefined();
  });
});
