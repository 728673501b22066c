/** Guests that run on pages which come when they are wanted, slice after slice, in workers that know little or much. */
import * as fc from 'fast-check';
import { emptyCheckpoint, type Checkpoint } from '../../../lambdas/store/checkpoint';
import { flush } from '../../../lambdas/store/flush';
import { MemoryTable } from '../../../lambdas/store/memory';
import { openCheckpoint } from '../../../lambdas/store/opened-checkpoint';
import { PackReader } from '../../../lambdas/store/pack-reader';
import { PageSource } from '../../../lambdas/store/page-source';
import { TableStore } from '../../../lambdas/store/table-store';
import { LazySpace } from '../fake-space';

const PAGES = 5000;
const contents = (seed: number): Uint8Array =>
  Uint8Array.from({ length: 4096 }, (_, i) =>
    seed === 0 ? 0 : (Math.imul(seed + i, 2654435761) >>> 24) & 0xff,
  );
const image: ReadonlyMap<number, Uint8Array> = new Map(
  Array.from({ length: 300 }, (_, i) => [i + 100, contents(7000 + i)]),
);

const slice = fc.record({
  reads: fc.array(fc.oneof(fc.nat({ max: 500 }), fc.nat({ max: PAGES - 1 })), { maxLength: 40 }),
  writes: fc.array(
    fc.tuple(fc.oneof(fc.nat({ max: 500 }), fc.nat({ max: PAGES - 1 })), fc.nat({ max: 30 })),
    {
      maxLength: 40,
    },
  ),
  worker: fc.constantFrom('same' as const, 'new' as const, 'behind' as const),
});

test('what a guest reads is what was written, whatever was there when it began', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(slice, { minLength: 2, maxLength: 12 }), async (slices) => {
      const store = new TableStore(new MemoryTable());
      const truth = new Map<number, Uint8Array>(image);
      const at = (page: number) =>
        Buffer.from(truth.get(page) ?? new Uint8Array(4096)).toString('hex', 0, 32);
      let space = new LazySpace('ram', PAGES, image);
      let checkpoint: Checkpoint = emptyCheckpoint('g');
      let older: { space: LazySpace; checkpoint: Checkpoint } | undefined;
      for (const [i, { reads, writes, worker }] of slices.entries()) {
        const attempt = { generation: i + 1, fencing: i + 1 };
        let reader = new PackReader(store.packs, checkpoint);
        const open = async () => {
          const opened = await openCheckpoint(store, 'g', checkpoint.at);
          ({ checkpoint, reader } = opened);
          return opened;
        };
        const sourceFor = (): PageSource =>
          new PageSource({ checkpoint, reader, spaces: [space], provideFiles: async () => space.provide() });
        let source: PageSource;
        if (i > 0 && worker === 'behind' && older !== undefined) {
          await open();
          space = older.space;
          source = sourceFor();
          expect(await source.catchUp(older.checkpoint)).toBe(true);
          older = undefined;
        } else if (i > 0 && worker === 'new') {
          await open();
          older = undefined;
          space = new LazySpace('ram', PAGES, image).withoutImage();
          source = sourceFor();
          source.omitAll();
          await source.prefetch();
        } else source = sourceFor();

        // What the last two slices used is there without a wait, and without the image.
        if (i > 1 && worker === 'new' && checkpoint.workingSet.complete) {
          const before = new Set(slices[i - 2]!.reads);
          for (const page of slices[i - 1]!.reads) {
            if (before.has(page)) expect(space.lazy.isAbsent(page)).toBe(false);
          }
        }
        for (const page of reads) {
          if (space.lazy.isAbsent(page)) await source.bring([{ space, page }]);
          expect(Buffer.from(space.use(page)).toString('hex', 0, 32)).toBe(at(page));
        }
        for (const [page, seed] of writes) {
          if (space.lazy.isAbsent(page)) await source.bring([{ space, page }]);
          space.write(page, contents(seed));
          truth.set(page, contents(seed));
        }
        const flushed = await flush(
          store,
          checkpoint,
          attempt,
          { spaces: [space], state: contents(1) },
          { reader },
        );
        ({ checkpoint } = flushed);
        space.clean();
        if (i === 1) older = { space, checkpoint };
      }
      await openCheckpoint(store, 'g', checkpoint.at);
      const last = new LazySpace('ram', PAGES, image);
      const { reader, checkpoint: final } = await openCheckpoint(store, 'g', checkpoint.at);
      await new PageSource({
        checkpoint: final,
        reader,
        spaces: [last],
        provideFiles: async () => undefined,
      }).all(true);
      for (let page = 0; page < PAGES; page += 1) {
        expect(Buffer.from(last.read(page)).toString('hex', 0, 32)).toBe(at(page));
      }
    }),
    { numRuns: process.env.TEST_FULL === undefined ? 10 : 100 },
  );
}, 60_000);

test('the working set lies together: its packs stay few, and pages that are only read are moved once', async () => {
  const store = new TableStore(new MemoryTable());
  const space = new LazySpace('ram', PAGES, image);
  let checkpoint: Checkpoint = emptyCheckpoint('g');
  const moved: number[] = [];
  for (let generation = 1; generation <= 40; generation += 1) {
    // Each slice writes a few pages of its own; all read the same ones, the image's and those of early slices.
    for (let i = 0; i < 20; i += 1)
      space.write(1000 + 20 * (generation % 25) + i, contents(1000 * generation + i));
    for (let page = 150; page < 250; page += 1) space.use(page);
    if (generation > 30) for (let page = 1000; page < 1500; page += 10) space.use(page);
    const attempt = { generation, fencing: generation };
    const flushed = await flush(store, checkpoint, attempt, { spaces: [space], state: undefined });
    ({ checkpoint } = flushed);
    space.clean();
    moved.push(flushed.stats.moved);
  }
  expect(moved[0]).toBe(100); // the image's pages, so that no restore needs the image
  expect(moved.slice(1, 8)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(Math.max(...moved.slice(1))).toBeLessThanOrEqual(160);
  const fresh = new LazySpace('ram', PAGES, image).withoutImage();
  const opened = await openCheckpoint(store, 'g', checkpoint.at);
  const source = new PageSource({
    ...opened,
    spaces: [fresh],
    provideFiles: () => Promise.reject(new Error('the image is wanted')),
  });
  source.omitAll();
  await source.prefetch();
  expect(opened.reader.packs).toBeLessThanOrEqual(14); // twelve, and those of record and lists
  for (let page = 150; page < 250; page += 1) expect(fresh.use(page)).toEqual(image.get(page));
});

test('what is written to and stays as it was costs nothing, in the same worker and in a new one', async () => {
  const store = new TableStore(new MemoryTable());
  let space = new LazySpace('ram', PAGES, image);
  let checkpoint: Checkpoint = emptyCheckpoint('g');
  let generation = 0;
  const slice = async (pages: readonly number[], seed: number, reader?: PackReader) => {
    for (const page of pages) space.write(page, contents(seed));
    generation += 1;
    const flushed = await flush(
      store,
      checkpoint,
      { generation, fencing: generation },
      { spaces: [space], state: undefined },
      reader && { reader },
    );
    ({ checkpoint } = flushed);
    space.clean();
    return flushed.stats;
  };
  const pages = Array.from({ length: 200 }, (_, i) => 10 * i);
  expect(await slice(pages, 5)).toMatchObject({ dirty: 200, unchanged: 0 });
  expect(await slice(pages, 5)).toMatchObject({ dirty: 200, unchanged: 200 });
  expect(await slice(pages, 0)).toMatchObject({ dirty: 200, unchanged: 0, zero: 200 });
  expect(await slice(pages, 0)).toMatchObject({ dirty: 200, unchanged: 200, zero: 200 });
  expect(await slice(pages, 5)).toMatchObject({ dirty: 200, unchanged: 0 });

  const opened = await openCheckpoint(store, 'g', checkpoint.at);
  ({ checkpoint } = opened);
  space = new LazySpace('ram', PAGES, image).withoutImage();
  const source = new PageSource({ ...opened, spaces: [space], provideFiles: async () => space.provide() });
  source.omitAll();
  await source.all();
  expect(await slice(pages, 5, opened.reader)).toMatchObject({ dirty: 200, unchanged: 200 });
  checkpoint.known.settle();
  expect(await slice([...pages.slice(1), 7], 5)).toMatchObject({ dirty: 200, unchanged: 199 });
  for (const page of pages) expect(Buffer.compare(space.read(page), contents(5))).toBe(0);
});
