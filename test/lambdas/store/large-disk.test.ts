/** A disk of 64 GiB over an image that is read in parts: only what was touched is fetched, kept and stored. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CopyOnWriteDisk } from '../../../engine/backends/disk';
import { guestFactory } from '../../../engine/models/create';
import { PAGE_SIZE, PageWanted } from '../../../engine/memory/page-space';
import type { DiskFile, GuestDefinition, ImageFile } from '../../../engine/models/guest';
import { exportGuest, importGuest } from '../../../lambdas/store/archive';
import { emptyCheckpoint, type Checkpoint } from '../../../lambdas/store/checkpoint';
import { flush } from '../../../lambdas/store/flush';
import { fork } from '../../../lambdas/store/fork';
import { MemoryTable } from '../../../lambdas/store/memory';
import { openCheckpoint } from '../../../lambdas/store/opened-checkpoint';
import { PackReader } from '../../../lambdas/store/pack-reader';
import { PageSource } from '../../../lambdas/store/page-source';
import { TableStore } from '../../../lambdas/store/table-store';
import { Images } from '../../../lambdas/worker/image';
import { BLOCK_BYTES } from '../../../lambdas/worker/ranged-image';
import { restore, WarmPlace } from '../../../lambdas/worker/restore';
import { firstHead } from '../../../lambdas/worker/slice';
import { assemble, branch, reg } from '../../guests/assembly';
import { describeFile, noHost } from '../../guests/raw-guest';

const CAPACITY = 2 ** 36;
const IMAGE_BLOCKS = 40;
/** Every fourth block is zeros, and the last one is short. */
const image = new Uint8Array(IMAGE_BLOCKS * BLOCK_BYTES - 5000).map((_, i) =>
  Math.floor(i / BLOCK_BYTES) % 4 === 3 ? 0 : (Math.imul(i, 2654435761) >>> 23) & 0xff,
);
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const table = Buffer.concat(
  Array.from({ length: IMAGE_BLOCKS }, (_, i) =>
    sha256(image.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)),
  ),
);
const file = (name: string, bytes: Uint8Array): ImageFile => ({
  key: name,
  name,
  sha256: sha256(bytes).toString('hex'),
  size: bytes.length,
});
const diskFile: DiskFile = { ...file('disk', image), capacity: CAPACITY, blocks: file('blocks', table) };
const definition: GuestDefinition = {
  version: 1,
  model: 'machine',
  memory: 2 ** 26,
  clock: 'real',
  disks: [diskFile],
};

const random = (() => {
  let state = 7;
  return (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
})();

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'disk-'))));
afterEach(() => rm(directory, { recursive: true }));

/** Images of a worker, and the ranges that it asks for. */
function worker(contents: Record<string, Uint8Array>) {
  const ranges: number[] = [];
  const images = new Images(
    {
      get: async (key, range) => {
        if (range === undefined) return contents[key];
        ranges.push(range.offset / BLOCK_BYTES);
        return contents[key]?.subarray(range.offset, range.offset + range.length);
      },
    },
    directory,
  );
  return { images, ranges };
}

/** A disk in a worker: accesses wait for pages as a guest's do. */
class Disk {
  readonly disk = new CopyOnWriteDisk({ name: 'disk0', imageSize: image.length, size: CAPACITY });
  readonly source: PageSource;
  constructor(
    readonly checkpoint: Checkpoint,
    reader: PackReader,
    images: Images,
  ) {
    const ranged = images.ranged(definition);
    this.disk.lazy.omit();
    this.source = new PageSource({
      checkpoint,
      reader,
      spaces: [this.disk],
      provideFiles: () => Promise.reject(new Error('the whole image is wanted')),
      imageBlock: (space, offset) => ranged.get(space)?.block(offset),
    });
  }
  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.waiting(() => this.disk.readAt(offset, bytes));
    return bytes;
  }
  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.waiting(() => void this.disk.writeAt(offset, bytes));
  }
  private async waiting(access: () => void): Promise<void> {
    for (;;) {
      try {
        return access();
      } catch (error) {
        if (!(error instanceof PageWanted)) throw error;
        await this.source.bring(this.disk.lazy.takeWanted().map((page) => ({ space: this.disk, page })));
      }
    }
  }
}

test('a disk of 64 GiB: random blocks all over it, restarts, a fork, and a file', async () => {
  const store = new TableStore(new MemoryTable());
  await store.createHead(firstHead('g', 'd', 1));
  const truth = new Map<number, number>();
  const contents = (seed: number): Uint8Array => new Uint8Array(PAGE_SIZE).fill(seed).fill(seed >> 8, 0, 9);
  const { images, ranges } = worker({ disk: image, blocks: table });

  let checkpoint = emptyCheckpoint('g');
  let disk = new Disk(checkpoint, new PackReader(store.packs, checkpoint), images);
  const reopen = async (guest = 'g', at = checkpoint.at, from = store): Promise<void> => {
    const opened = await openCheckpoint(from, guest, at);
    ({ checkpoint } = opened);
    disk = new Disk(checkpoint, opened.reader, images);
    await disk.source.prefetch();
  };
  const slice = async (writes: number): Promise<void> => {
    for (let i = 0; i < writes; i += 1) {
      const page = random(CAPACITY / PAGE_SIZE);
      const seed = 1 + random(60_000);
      // In two parts, so that the page has to be there for the second one.
      await disk.write(page * PAGE_SIZE + 100, contents(seed).subarray(100));
      await disk.write(page * PAGE_SIZE, contents(seed).subarray(0, 100));
      truth.set(page, seed);
    }
    const attempt = { generation: checkpoint.at.generation + 1, fencing: checkpoint.at.generation + 1 };
    const flushed = await flush(
      store,
      checkpoint,
      attempt,
      { spaces: [disk.disk], state: Uint8Array.of(1) },
      { reader: disk.source.reader },
    );
    disk.disk.clean();
    ({ checkpoint } = flushed);
    const head = (await store.head('g'))!;
    await store.swapHead(head, {
      ...head,
      generation: attempt.generation,
      committedFencing: attempt.fencing,
    });
  };
  const check = async (): Promise<void> => {
    for (const [page, seed] of truth) {
      expect(Buffer.compare(await disk.read(page * PAGE_SIZE, PAGE_SIZE), contents(seed))).toBe(0);
    }
  };

  // The image, through blocks: two are read, the zero one is not, and neither is what lies behind.
  expect(Buffer.compare(await disk.read(5000, 200_000), image.subarray(5000, 205_000))).toBe(0);
  expect((await disk.read(3 * BLOCK_BYTES, 1000)).every((byte) => byte === 0)).toBe(true);
  const end = await disk.read(image.length - 10, 30);
  expect(end).toEqual(Uint8Array.from([...image.subarray(image.length - 10), ...new Uint8Array(20)]));
  expect((await disk.read(CAPACITY - 7, 7)).every((byte) => byte === 0)).toBe(true);
  expect(ranges).toEqual([0, 1, IMAGE_BLOCKS - 1]);

  await slice(300);
  const written = store.usage.bytesWritten;
  expect(written).toBeLessThan(300_000); // 300 segments of a page each, and pages that compress
  await slice(40);
  await reopen();
  await slice(60);
  await reopen();
  await check();

  await fork(store, { guest: 'g', fork: 'f', now: 5 });
  const at = checkpoint.at;
  await reopen('f', at);
  await check();

  const parts: Uint8Array[] = [];
  for await (const part of exportGuest(store, 'g', definition)) parts.push(part);
  expect(parts.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(2 ** 20);
  const elsewhere = new TableStore(new MemoryTable());
  const all = async function* (): AsyncIterable<Uint8Array> {
    yield* parts;
  };
  await importGuest(elsewhere, all(), { guest: 'i', definitionKey: 'd', definition, now: 9 });
  await reopen('i', at, elsewhere);
  await check();
}, 60_000);

test('a machine starts and restarts with a disk whose image is never read whole', async () => {
  const firmware = assemble([branch(0, reg.zero, reg.zero, 0)]);
  const machine: GuestDefinition = {
    ...definition,
    clock: 'deterministic',
    firmware: describeFile('loop.bin', firmware),
  };
  const store = new TableStore(new MemoryTable());
  const { images, ranges } = worker({ 'loop.bin': firmware, disk: image, blocks: table });
  let head = firstHead('g', 'd', 1);
  const page = IMAGE_BLOCKS * 32 - 40;
  const offset = page * PAGE_SIZE;
  for (const generation of [1, 2]) {
    const sources = { store, images, createGuest: guestFactory(noHost), warm: new WarmPlace() };
    const { guest, source, checkpoint } = await restore(sources, head, machine);
    const disk = guest.spaces.find(({ name }) => name === 'disk0')!;
    expect(disk.pages).toBe(CAPACITY / PAGE_SIZE);
    expect(disk.lazy!.isAbsent(page)).toBe(true);
    await source.bring([{ space: disk, page }]);
    expect(Buffer.compare(disk.read(page), image.subarray(offset, offset + PAGE_SIZE))).toBe(0);
    (disk as CopyOnWriteDisk).readAt(offset, new Uint8Array(1));
    guest.run({ instructions: 100 });
    const attempt = { generation, fencing: generation };
    await flush(
      store,
      checkpoint,
      attempt,
      { spaces: guest.spaces, state: guest.save() },
      { reader: source.reader },
    );
    head = { ...head, generation, committedFencing: generation };
  }
  expect(ranges).toEqual([Math.floor(offset / BLOCK_BYTES)]);
});

test('a disk that is read through holds no more than it may', async () => {
  const { images } = worker({ disk: image, blocks: table });
  const store = new TableStore(new MemoryTable());
  const checkpoint = emptyCheckpoint('g');
  const { disk, source } = new Disk(checkpoint, new PackReader(store.packs, checkpoint), images);
  const held = (): number =>
    Array.from({ length: Math.ceil(image.length / PAGE_SIZE) }, (_, page) => disk.lazy.isAbsent(page)).filter(
      (absent) => !absent,
    ).length;
  for (let offset = 0; offset < image.length; offset += BLOCK_BYTES) {
    await source.bring([{ space: disk, page: offset / PAGE_SIZE }]);
  }
  disk.writeAt(0, Uint8Array.of(99));
  expect(held()).toBeGreaterThan(1000);
  disk.lazy.shed?.(100);
  expect(held()).toBe(101);
  const byte = new Uint8Array(1);
  disk.readAt(0, byte); // what was written stays
  expect(byte[0]).toBe(99);
});

describe('blocks of an image', () => {
  const read = ({ images }: ReturnType<typeof worker>, offset: number) =>
    images.ranged(definition).get('disk0')!.block(offset);

  test('are kept on disk, and a damaged copy is fetched again', async () => {
    const first = worker({ disk: image, blocks: table });
    await read(first, 0);
    await first.images.settle();
    const second = worker({ disk: image, blocks: table });
    expect(Buffer.compare((await read(second, 77)).bytes!, image.subarray(0, BLOCK_BYTES))).toBe(0);
    expect(second.ranges).toEqual([]);
    const damaged = worker({ disk: new Uint8Array(image.length), blocks: table });
    await expect(read(damaged, 77)).resolves.toMatchObject({ offset: 0 });
    await expect(read(damaged, BLOCK_BYTES)).rejects.toThrow(
      /disk image disk \(disk\) has other bytes in block 1/,
    );
  });

  test('need the image and its whole table', async () => {
    await expect(read(worker({ blocks: table }), 0)).rejects.toThrow(/is not among the assets: deploy/);
    await expect(read(worker({ disk: image }), 0)).rejects.toThrow(
      /blocks \(blocks\) is not among the assets/,
    );
    const flipped = Uint8Array.from(table);
    flipped[3]! ^= 1;
    await expect(read(worker({ disk: image, blocks: flipped }), 0)).rejects.toThrow(/has SHA-256/);
  });
});
