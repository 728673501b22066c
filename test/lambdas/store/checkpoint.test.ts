import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { PAGE_SIZE } from '../../../engine/models/guest';
import { StateError } from '../../../engine/snapshot/errors';
import { emptyCheckpoint, neededPacks, type Checkpoint } from '../../../lambdas/store/checkpoint';
import { flush } from '../../../lambdas/store/flush';
import { openCheckpoint, readIndex } from '../../../lambdas/store/opened-checkpoint';
import { collect } from '../../../lambdas/store/collect';
import { CorruptPackError } from '../../../lambdas/store/errors';
import { packName } from '../../../lambdas/store/keys';
import { MemoryTable } from '../../../lambdas/store/memory';
import { encodeRoot, placeOf, segmentPagesFor, type RootSpace } from '../../../lambdas/store/page-index';
import type { Attempt } from '../../../lambdas/store/store';
import { ITEM_LIMIT, itemBytes, type Item } from '../../../lambdas/store/table';
import { TableStore } from '../../../lambdas/store/table-store';
import { FakeSpace } from '../fake-space';
import { restoreSpaces, sourceFor } from '../restore-spaces';

const GUEST = 'g';

/** Page contents by seed: 0 is a zero page, small ones are text-like, large ones do not compress. */
function contents(seed: number): Uint8Array {
  const known = made.get(seed);
  if (known !== undefined) return known;
  const page = new Uint8Array(PAGE_SIZE);
  if (seed === 0) return page;
  let x = seed;
  for (let i = 0; i < PAGE_SIZE; i += 1) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    page[i] = seed < 10 ? seed + (i % 7) : x >>> 24;
  }
  made.set(seed, page);
  return page;
}
const made = new Map<number, Uint8Array>();

/** A table that remembers the largest item that was put. */
class WatchedTable extends MemoryTable {
  largest = 0;
  readonly items = new Map<string, Item>();
  override put(...args: Parameters<MemoryTable['put']>): Promise<boolean> {
    this.largest = Math.max(this.largest, itemBytes(args[0]));
    this.items.set(`${args[0].pk} ${args[0].sk}`, args[0]);
    return super.put(...args);
  }
}

function setup(): { table: WatchedTable; store: TableStore } {
  const table = new WatchedTable();
  return { table, store: new TableStore(table) };
}

/** An image: its pages are changed, made zero, and put back as they were. */
const image: ReadonlyMap<number, Uint8Array> = new Map(
  [3, 4, 5, 17, 40].map((page) => [page, contents(page)]),
);

/** The same space as its guest's image has it. */
const startOf = ({ name, pages }: FakeSpace): FakeSpace =>
  name === 'ram' && pages === 10_000 ? new FakeSpace(name, pages, image) : new FakeSpace(name, pages);

async function restored(store: TableStore, at: Attempt, shape: readonly FakeSpace[]) {
  const spaces = shape.map(startOf);
  const { state } = await restoreSpaces(store, GUEST, at, spaces);
  return { spaces, state };
}

const values = (spaces: readonly FakeSpace[]) => spaces.map((space) => [space.name, space.value()]);

const write = fc.record({
  space: fc.nat({ max: 1 }),
  page: fc.oneof(fc.nat({ max: 9999 }), fc.nat({ max: 40 })),
  seed: fc.oneof(fc.nat({ max: 12 }), fc.integer({ min: 100, max: 1 << 30 })),
});
const slice = fc.record({
  writes: fc.array(write, { maxLength: 60 }),
  state: fc.uint8Array({ maxLength: 300 }),
  /** Forget what is in memory before this slice, or carry on. */
  cold: fc.boolean(),
  /** The attempt fails after its flush. */
  lost: fc.boolean(),
});

describe('checkpoints', () => {
  test('any run of slices, attempts and restores is the same as a plain map', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(slice, { minLength: 1, maxLength: 7 }),
        fc.constantFrom('zstd' as const, 'deflate' as const, 'raw' as const),
        async (slices, codec) => {
          const { table, store } = setup();
          let spaces = [new FakeSpace('ram', 10_000, image), new FakeSpace('disk0', 10_000)];
          let checkpoint: Checkpoint = emptyCheckpoint(GUEST);
          const history: { at: Attempt; values: unknown; state: string }[] = [];
          let fencing = 0;
          for (const { writes, state, cold, lost } of slices) {
            if (cold && checkpoint.at.generation > 0) {
              const { at } = checkpoint;
              spaces = (await restored(store, at, spaces)).spaces;
              checkpoint = (await openCheckpoint(store, GUEST, at)).checkpoint;
            }
            for (const { space, page, seed } of writes) spaces[space]?.write(page, contents(seed));
            fencing += 1;
            const attempt = { generation: checkpoint.at.generation + 1, fencing };
            const before = checkpoint.at;
            const flushed = await flush(store, checkpoint, attempt, { spaces, state }, { codec });
            if (lost) {
              // A worker that lost its lease throws its guest away; another restores what is committed.
              spaces = spaces.map(startOf);
              checkpoint = emptyCheckpoint(GUEST);
              if (before.generation > 0) {
                spaces = (await restored(store, before, spaces)).spaces;
                checkpoint = (await openCheckpoint(store, GUEST, before)).checkpoint;
              }
              continue;
            }
            checkpoint = flushed.checkpoint;
            for (const space of spaces) space.clean();
            history.push({ at: attempt, values: values(spaces), state: Buffer.from(state).toString('hex') });
            const head = { guest: GUEST, generation: attempt.generation, committedFencing: attempt.fencing };
            await collect(store, head);
          }
          expect(table.largest).toBeLessThanOrEqual(ITEM_LIMIT);
          // The last two generations are kept, and whole.
          for (const { at, values: expected, state } of history.slice(-2)) {
            const found = await restored(store, at, spaces);
            expect(values(found.spaces)).toEqual(expected);
            expect(Buffer.from(found.state ?? []).toString('hex')).toBe(state);
          }
          // A worker that holds the one before the last catches up by what has changed.
          const [previous, last] = history.slice(-2);
          if (previous && last) {
            const { spaces: following } = await restored(store, previous.at, spaces);
            const before = await openCheckpoint(store, GUEST, previous.at);
            await readIndex(before);
            const source = sourceFor(await openCheckpoint(store, GUEST, last.at), following);
            expect(await source.catchUp(before.checkpoint)).toBe(true);
            expect(values(following)).toEqual(last.values);
          }
          for (const { at } of history.slice(0, -2))
            expect(await store.generation(GUEST, at)).toBeUndefined();
        },
      ),
      { numRuns: 40 },
    );
  });

  test('what changes little in the image’s pages takes little, and needs that image', async () => {
    const { store } = setup();
    const pages = new Map(Array.from({ length: 200 }, (_, i) => [i, contents(1000 + i)]));
    const space = new FakeSpace('ram', 4096, pages);
    for (const [page, bytes] of pages) {
      const patched = bytes.slice();
      patched[page] ^= 1;
      space.write(page, patched);
    }
    const at = { generation: 1, fencing: 1 };
    await flush(store, emptyCheckpoint(GUEST), at, { spaces: [space], state: contents(5) });
    expect(store.usage.bytesWritten).toBeLessThan(20_000); // of 800 KB that do not compress
    const again = new FakeSpace('ram', 4096, pages);
    await restoreSpaces(store, GUEST, at, [again]);
    expect(again.value()).toEqual(space.value());
    await expect(restoreSpaces(store, GUEST, at, [new FakeSpace('ram', 4096)])).rejects.toThrow(StateError);
  });

  test('a page that is the image’s again is no step forward', async () => {
    const { store } = setup();
    const space = new FakeSpace('ram', 4096);
    space.write(7, contents(5));
    const first = await flush(
      store,
      emptyCheckpoint(GUEST),
      { generation: 1, fencing: 1 },
      { spaces: [space], state: contents(5) },
    );
    // After a reset the guest starts from its image: nothing of its RAM is kept.
    await flush(
      store,
      emptyCheckpoint(GUEST),
      { generation: 2, fencing: 2 },
      { spaces: [new FakeSpace('ram', 4096)], state: contents(5) },
    );
    const opened = await openCheckpoint(store, GUEST, { generation: 2, fencing: 2 });
    expect(await sourceFor(opened, [space]).catchUp(first.checkpoint)).toBe(false);
  });

  test('after collection only packs that a kept generation needs are left', async () => {
    const { store } = setup();
    const space = new FakeSpace('ram', 4096);
    let checkpoint = emptyCheckpoint(GUEST);
    const live = new Set<string>();
    let fencing = 0;
    for (let generation = 1; generation <= 8; generation += 1) {
      for (let i = 0; i < 200; i += 1)
        space.write((generation * 37 + i) % 300, contents(1000 * generation + i));
      if (generation === 3 || generation === 1) {
        // An attempt that came to nothing leaves its packs.
        fencing += 1;
        await flush(
          store,
          await fresh(store, checkpoint),
          { generation, fencing },
          { spaces: [space], state: undefined },
        );
      }
      fencing += 1;
      const flushed = await flush(
        store,
        checkpoint,
        { generation, fencing },
        { spaces: [space], state: new Uint8Array(9) },
      );
      checkpoint = flushed.checkpoint;
      space.clean();
      if (generation >= 7) for (const name of neededPacks(checkpoint).keys()) live.add(name);
      await collect(store, { guest: GUEST, generation, committedFencing: fencing });
    }
    const left = new Set<string>();
    for (let generation = 1; generation <= 8; generation += 1) {
      for (const id of await store.packs.list(GUEST, generation)) {
        left.add(packName(id));
      }
    }
    expect([...left].sort()).toEqual([...live].sort());
  });

  test('an interrupted collection is finished by the next one', async () => {
    const { store } = setup();
    const space = new FakeSpace('ram', 4096);
    let checkpoint = emptyCheckpoint(GUEST);
    for (let generation = 1; generation <= 6; generation += 1) {
      for (let i = 0; i < 100; i += 1) space.write(i, contents(1000 * generation + i));
      checkpoint = (
        await flush(
          store,
          checkpoint,
          { generation, fencing: generation },
          { spaces: [space], state: undefined },
        )
      ).checkpoint;
      space.clean();
      await collect(
        store,
        { guest: GUEST, generation, committedFencing: generation },
        { expired: () => generation < 6 },
      );
    }
    for (let generation = 1; generation <= 4; generation += 1) {
      expect(await store.packs.list(GUEST, generation)).toEqual([]);
      expect(await store.generation(GUEST, { generation, fencing: generation })).toBeUndefined();
    }
    expect(await store.packs.list(GUEST, 5)).not.toEqual([]);
  });

  test('zero pages cost no bytes, and equal pages are stored once', async () => {
    const { store } = setup();
    const space = new FakeSpace('ram', 65_536);
    for (let page = 0; page < 2000; page += 1) space.write(page, contents(0));
    for (let page = 2000; page < 4000; page += 1) space.write(page, contents(123_456));
    const { stats } = await flush(
      store,
      emptyCheckpoint(GUEST),
      { generation: 1, fencing: 1 },
      { spaces: [space], state: undefined },
    );
    expect(stats).toEqual({ dirty: 4000, unchanged: 0, zero: 2000, equal: 1999, moved: 0, packs: 1 });
    expect(store.usage.bytesWritten).toBeLessThan(12_000);
  });

  test('random pages fill packs below the limit of an item, spread over partitions', async () => {
    const { table, store } = setup();
    const space = new FakeSpace('ram', 65_536);
    for (let page = 0; page < 2048; page += 1) space.write(page, contents(100 + page));
    const { stats } = await flush(
      store,
      emptyCheckpoint('x'.repeat(128)),
      { generation: 4_000_000_000, fencing: 4_000_000_000 },
      { spaces: [space], state: new Uint8Array(500_000) },
    );
    expect(table.largest).toBeLessThanOrEqual(ITEM_LIMIT);
    expect(table.largest).toBeGreaterThan(250_000);
    const partitions = [...table.items.values()]
      .filter(({ pk }) => pk.includes('#pack#'))
      .map(({ pk }) => pk);
    expect(partitions).toHaveLength(stats.packs);
    expect(new Set(partitions).size).toBe(16);
  });

  test.each([
    ['4 GiB of RAM', [2 ** 20]],
    [
      '4 GiB of RAM and four disks of 64 GiB, every segment written',
      [2 ** 20, 2 ** 24, 2 ** 24, 2 ** 24, 2 ** 24],
    ],
  ])('the root of %s fits into an item', (_, sizes) => {
    const spaces = sizes.map((pages, i): [string, RootSpace] => {
      const segmentPages = segmentPagesFor(pages);
      const segments = new Map(
        Array.from({ length: pages / segmentPages }, (__, n) => [
          n,
          {
            pack: { generation: 4e9 - n, fencing: 4e9 - 3 * n, number: n % 65_536 },
            frame: n % 1024,
          } as never,
        ]),
      );
      return [`space${i}`, { pages, segmentPages, image: [[0, pages]], segments }];
    });
    const frames = Array.from({ length: 100 }, (__, frame) => ({
      pack: { generation: 1, fencing: 1, number: 1 },
      frame,
    }));
    const lineage = Array.from({ length: 20 }, (__, generation) => ({ guest: 'g'.repeat(128), generation }));
    const root = {
      lineage,
      spaces: new Map(spaces),
      state: frames,
      workingSet: frames,
      packs: frames,
      profile: frames.slice(0, 1),
    };
    // Beside it, what a replay needs: 1,000 entries at 40 bytes.
    expect(encodeRoot(root).length).toBeLessThan(ITEM_LIMIT - 50_000);
  });

  test('a page is found by its segment alone', async () => {
    const { store } = setup();
    const space = new FakeSpace('ram', 2 ** 20);
    space.write(777_777, contents(55));
    const { checkpoint } = await flush(
      store,
      emptyCheckpoint(GUEST),
      { generation: 1, fencing: 1 },
      { spaces: [space], state: undefined },
    );
    const index = checkpoint.spaces.get('ram');
    expect(index && placeOf(index, 777_777)).toMatchObject({ kind: 'stored', slot: 0 });
    expect(index && placeOf(index, 777_778)).toEqual({ kind: 'image' });
    expect(index?.segments.size).toBe(1);
  });

  test('a guest with another shape than the checkpoint is refused', async () => {
    const { store } = setup();
    const space = new FakeSpace('ram', 100);
    space.write(1, contents(5));
    await flush(
      store,
      emptyCheckpoint(GUEST),
      { generation: 1, fencing: 1 },
      { spaces: [space], state: undefined },
    );
    await expect(restored(store, { generation: 1, fencing: 1 }, [new FakeSpace('ram', 101)])).rejects.toThrow(
      StateError,
    );
  });

  async function fresh(store: TableStore, checkpoint: Checkpoint): Promise<Checkpoint> {
    if (checkpoint.at.generation === 0) return emptyCheckpoint(GUEST);
    return (await openCheckpoint(store, GUEST, checkpoint.at)).checkpoint;
  }
});

describe('damaged packs', () => {
  const at = { generation: 2, fencing: 5 };

  async function stored(): Promise<{ table: WatchedTable; store: TableStore; space: FakeSpace }> {
    const { table, store } = setup();
    const space = new FakeSpace('ram', 1000);
    for (let page = 0; page < 300; page += 1) space.write(page, contents(100 + page));
    const first = await flush(
      store,
      emptyCheckpoint(GUEST),
      { generation: 1, fencing: 3 },
      { spaces: [space], state: new Uint8Array(5) },
    );
    space.clean();
    for (let page = 0; page < 3; page += 1) space.write(page, contents(900 + page));
    await flush(store, first.checkpoint, at, { spaces: [space], state: new Uint8Array(50_000).fill(3) });
    return { table, store, space };
  }

  const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
    bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

  test('any flipped bit in any pack or record is found and named', async () => {
    const { table, store, space } = await stored();
    const items = [...table.items.values()].filter(
      ({ pk }) => pk.includes('#pack#') || pk.endsWith('#generation'),
    );
    expect(items.length).toBeGreaterThan(4);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: items.length - 1 }),
        fc.nat(),
        fc.boolean(),
        async (which, where, inHash) => {
          const item = items[which];
          if (item === undefined) return;
          const name = item.body !== undefined ? (inHash ? 'sha256' : 'body') : inHash ? 'sha256' : 'root';
          const bytes = item[name];
          if (!(bytes instanceof Uint8Array)) throw new Error(`no ${name}`);
          const needed = item.pk.includes('#pack#') || item.sk.startsWith('0000000002');
          await table.put({ ...item, [name]: flip(bytes, where % (bytes.length * 8)) });
          const attempt = restored(store, at, [space]);
          if (needed) {
            const error: unknown = await attempt.catch((caught: unknown) => caught);
            if (!(error instanceof CorruptPackError))
              throw new Error(`restored, or another error: ${String(error)}`);
            expect(error.guest).toBe(GUEST);
            expect(error.generation).toBe(2);
            expect(error.pack).toBe(item.pk.includes('#pack#') ? item.sk : 'root');
            expect(error.message).toContain('SHA-256');
          } else {
            await attempt;
          }
          await table.put(item);
        },
      ),
      { numRuns: 80 },
    );
    expect((await restored(store, at, [space])).spaces[0]?.value()).toEqual(space.value());
  });

  test.each<[string, (item: Item, other: Item) => Item, RegExp]>([
    [
      'another pack in its place',
      (item, other) => ({ ...other, pk: item.pk, sk: item.sk }),
      /lies in its place/,
    ],
    ['another guest', (item) => ownedBy(item, 'h'), /of guest "h" lies in its place/],
    ['an unknown codec', (item) => ({ ...item, codec: 'lzma' }), /codec is "lzma"/],
    ['the wrong codec', (item) => ({ ...item, codec: 'raw' }), /a frame has/],
    ['nothing inside', (item) => resealed(item, new Uint8Array(0)), /does not begin as a pack/],
    ['a body cut off', (item) => resealed(item, bodyOf(item).subarray(0, 1000)), /its frames end at byte/],
    ['a directory cut off', (item) => resealed(item, bodyOf(item).subarray(0, 30)), /cut off/],
    ['a frame that does not decompress', (item) => scrambled(item), /a frame (does not decompress|has)/],
  ])('%s is found and named', async (_, damage, message) => {
    const { table, store, space } = await stored();
    const packs = [...table.items.values()].filter(({ pk }) => pk.includes('#pack#'));
    const [item, other] = packs;
    if (item === undefined || other === undefined) throw new Error('too few packs');
    await table.put(damage(item, other));
    const error: unknown = await restored(store, at, [space]).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CorruptPackError);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain(item.sk);
  });

  test('a missing pack and a missing record are found and named', async () => {
    const { table, store, space } = await stored();
    await expect(restored(store, { generation: 2, fencing: 4 }, [space])).rejects.toThrow(
      /root is corrupt: there is no record/,
    );
    const [item] = [...table.items.values()].filter(({ pk }) => pk.includes('#pack#'));
    if (item === undefined) throw new Error('no pack');
    await table.delete(item);
    await expect(restored(store, at, [space])).rejects.toThrow(/the item is missing/);
  });

  const bodyOf = (item: Item): Uint8Array => {
    if (!(item.body instanceof Uint8Array)) throw new Error('no body');
    return item.body;
  };
  const resealed = (item: Item, body: Uint8Array): Item => ({ ...item, body, sha256: digest(body) });
  const ownedBy = (item: Item, guest: string): Item => {
    const body = bodyOf(item).slice();
    body[6] = guest.charCodeAt(0);
    return resealed(item, body);
  };
  const scrambled = (item: Item): Item => {
    const body = bodyOf(item).slice();
    // Header of a guest with a name of one byte: the number of frames, then 8 bytes for each.
    const frames = new DataView(body.buffer).getUint16(17, true);
    body.fill(0xa5, 19 + 8 * frames, 19 + 8 * frames + 8);
    return resealed(item, body);
  };
});

function digest(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
