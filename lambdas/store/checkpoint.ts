/**
 * From a guest's pages to packs and back. A `Checkpoint` is the page index of
 * one guest as its worker holds it; `flush` moves it on by one attempt, and
 * `openCheckpoint` with `loadPages` brings guest and index back elsewhere.
 */
import { createHash } from 'node:crypto';
import { PAGE_SIZE, type PageSpace } from '../../engine/models/guest';
import { StateError } from '../../engine/snapshot/errors';
import { forEachBounded } from './bounded';
import { codecNamed, plain, PREFERRED_CODEC } from './codec';
import { CorruptPackError } from './errors';
import { packName } from './keys';
import { FRAME_BYTES, openPack, PackWriter, sha256, type FrameLocator, type OpenPack } from './pack';
import {
  decodeRoot,
  emptySpace,
  encodeRoot,
  PAGES_PER_FRAME,
  placeOf,
  Segment,
  segmentOf,
  type PagePlace,
  type Root,
  type RootSpace,
  type SpaceIndex,
} from './page-index';
import type { Attempt, CheckpointStore, CodecName, PackId, PackStore } from './store';

/** The page index of one guest. `flush` changes it: after a flush that is not committed, throw it away. */
export interface Checkpoint {
  readonly guest: string;
  /** The committed generation that it describes. */
  readonly at: Attempt;
  readonly spaces: Map<string, SpaceIndex>;
  readonly state: readonly FrameLocator[];
  /** Every pack that the generation needs, by name. */
  readonly live: ReadonlyMap<string, PackId>;
}

/** Generation 0: everything is as the image has it. */
export function emptyCheckpoint(guest: string): Checkpoint {
  return { guest, at: { generation: 0, fencing: 0 }, spaces: new Map(), state: [], live: new Map() };
}

export interface FlushStats {
  readonly dirty: number;
  readonly zero: number;
  readonly equal: number;
  readonly packs: number;
}

export interface FlushResult {
  readonly checkpoint: Checkpoint;
  readonly stats: FlushStats;
}

/** What a slice leaves behind. A guest that is to start from its image again has no `state`, and only its disks' spaces. */
export interface Changes {
  readonly spaces: readonly PageSpace[];
  readonly state: Uint8Array | undefined;
}

/** Bytes of the guest's own state in one frame. */
const STATE_FRAME = 128 * 1024;

/**
 * Writes the pages changed since `base`, the guest's state and the record of
 * generation `attempt.generation`. Nothing of it counts until a head names
 * the attempt. The spaces stay dirty: clean them after the commit.
 */
export async function flush(
  store: CheckpointStore,
  base: Checkpoint,
  attempt: Attempt,
  changes: Changes,
  codec: CodecName = PREFERRED_CODEC,
): Promise<FlushResult> {
  const writer = new PackWriter(store.packs, base.guest, attempt, codec);
  const spaces = new Map(
    changes.spaces.map((space) => [space.name, base.spaces.get(space.name) ?? emptySpace(space.pages)]),
  );
  const stats = await writePages(writer, changes.spaces, spaces);
  await writeSegments(writer, spaces);
  const state: FrameLocator[] = [];
  for (let at = 0; at < (changes.state?.length ?? 0); at += STATE_FRAME) {
    state.push(await writer.add(changes.state?.subarray(at, at + STATE_FRAME) ?? new Uint8Array(0)));
  }

  const live = livePacks(spaces, state);
  const dropped = [...base.live].filter(([name]) => !live.has(name)).map(([, id]) => id);
  const root = encodeRoot({ spaces: rootSpaces(spaces), state, dropped });
  const stored = codecNamed(codec)?.compress(root) ?? root;
  const record = { ...attempt, parent: base.at, codec, sha256: sha256(stored), root: stored };
  await Promise.all([writer.finish(), store.writeGeneration(base.guest, record)]);
  return {
    checkpoint: { guest: base.guest, at: attempt, spaces, state, live },
    stats: { ...stats, packs: writer.count },
  };
}

/** Pages go into frames in the order of their spaces; equal ones once, zero ones not at all. */
async function writePages(
  writer: PackWriter,
  pageSpaces: readonly PageSpace[],
  spaces: ReadonlyMap<string, SpaceIndex>,
): Promise<Omit<FlushStats, 'packs'>> {
  const ordinals = new Map<string, number>();
  const frames: FrameLocator[] = [];
  const placed: { readonly space: SpaceIndex; readonly page: number; readonly ordinal: number }[] = [];
  const frame = new Uint8Array(PAGES_PER_FRAME * PAGE_SIZE);
  const stats = { dirty: 0, zero: 0, equal: 0 };

  for (const pageSpace of pageSpaces) {
    const space = spaces.get(pageSpace.name);
    if (space === undefined) continue;
    for (const page of pageSpace.dirty()) {
      stats.dirty += 1;
      const bytes = pageSpace.read(page);
      if (isZero(bytes)) {
        stats.zero += 1;
        segmentOf(space, page).setZero(page % space.segmentPages);
        continue;
      }
      const digest = createHash('sha256').update(bytes).digest('binary');
      let ordinal = ordinals.get(digest);
      if (ordinal === undefined) {
        ordinal = ordinals.size;
        ordinals.set(digest, ordinal);
        const slot = ordinal % PAGES_PER_FRAME;
        frame.set(bytes, slot * PAGE_SIZE);
        if (slot === PAGES_PER_FRAME - 1) frames.push(await writer.add(frame));
      } else {
        stats.equal += 1;
      }
      placed.push({ space, page, ordinal });
    }
  }
  const rest = ordinals.size % PAGES_PER_FRAME;
  if (rest > 0) frames.push(await writer.add(frame.subarray(0, rest * PAGE_SIZE)));

  for (const { space, page, ordinal } of placed) {
    const at = frames[Math.floor(ordinal / PAGES_PER_FRAME)];
    if (at === undefined) throw new RangeError(`page ${page} has no frame`);
    segmentOf(space, page).setStored(page % space.segmentPages, at, ordinal % PAGES_PER_FRAME);
  }
  return stats;
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZERO_PAGE) === 0;
}

const ZERO_PAGE = new Uint8Array(PAGE_SIZE);

async function writeSegments(writer: PackWriter, spaces: ReadonlyMap<string, SpaceIndex>): Promise<void> {
  for (const space of spaces.values()) {
    for (const segment of space.segments.values()) segment.stored ??= await writer.add(segment.encode());
  }
}

function rootSpaces(spaces: ReadonlyMap<string, SpaceIndex>): Map<string, RootSpace> {
  const result = new Map<string, RootSpace>();
  for (const [name, { pages, segmentPages, segments }] of spaces) {
    const stored = new Map<number, FrameLocator>();
    for (const [number, segment] of segments)
      if (segment.stored !== undefined) stored.set(number, segment.stored);
    result.set(name, { pages, segmentPages, segments: stored });
  }
  return result;
}

function livePacks(
  spaces: ReadonlyMap<string, SpaceIndex>,
  state: readonly FrameLocator[],
): Map<string, PackId> {
  const live = new Map<string, PackId>();
  const add = (id: PackId): void => void live.set(packName(id), id);
  for (const { pack } of state) add(pack);
  for (const space of spaces.values()) {
    for (const segment of space.segments.values()) {
      segment.references().forEach(add);
      if (segment.stored !== undefined) add(segment.stored.pack);
    }
  }
  return live;
}

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The guest's own state; undefined: it starts from its image. */
  readonly state: Uint8Array | undefined;
  readonly reader: PackReader;
}

/** Reads index and state of a committed generation. @throws CorruptPackError */
export async function openCheckpoint(
  store: CheckpointStore,
  guest: string,
  at: Attempt,
): Promise<OpenedCheckpoint> {
  const root = await readRoot(store, guest, at);
  const reader = new PackReader(store.packs, guest, at.generation);
  const spaces = new Map<string, SpaceIndex>();
  const wanted: { readonly space: SpaceIndex; readonly number: number; readonly frame: FrameLocator }[] = [];
  for (const [name, { pages, segmentPages, segments }] of root.spaces) {
    const space: SpaceIndex = { pages, segmentPages, segments: new Map() };
    spaces.set(name, space);
    for (const [number, frame] of segments) wanted.push({ space, number, frame });
  }
  const stateFrames = new Array<Uint8Array>(root.state.length);
  await reader.forEachPack(
    [
      ...wanted.map(({ space, number, frame }) => ({
        frame,
        take: (bytes: Uint8Array): void => {
          space.segments.set(number, decodeSegment(bytes, space, frame, guest, at.generation));
        },
      })),
      ...root.state.map((frame, i) => ({
        frame,
        take: (bytes: Uint8Array): void => void (stateFrames[i] = bytes),
      })),
    ],
    { ready: Promise.resolve(), keep: true },
  );
  return {
    checkpoint: { guest, at, spaces, state: root.state, live: livePacks(spaces, root.state) },
    state: root.state.length === 0 ? undefined : plain(Buffer.concat(stateFrames)),
    reader,
  };
}

/** The root of any attempt whose record is still there. @throws CorruptPackError */
export async function readRoot(store: CheckpointStore, guest: string, at: Attempt): Promise<Root> {
  const corrupt = (found: string): CorruptPackError =>
    new CorruptPackError(guest, at.generation, 'root', found);
  const record = await store.generation(guest, at);
  if (record === undefined)
    throw corrupt(`there is no record of the attempt with fencing number ${at.fencing}`);
  if (Buffer.compare(sha256(record.root), record.sha256) !== 0)
    throw corrupt('its SHA-256 differs from the stored one');
  const codec = codecNamed(record.codec);
  if (codec === undefined)
    throw corrupt(`its codec is ${JSON.stringify(record.codec)}, which this version does not know`);
  try {
    return decodeRoot(codec.decompress(record.root, ROOT_BYTES));
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error));
  }
}

/** Far above the root of any guest: bounds what damaged bytes can ask for. */
const ROOT_BYTES = 16 * 1024 * 1024;

function decodeSegment(
  bytes: Uint8Array,
  space: SpaceIndex,
  frame: FrameLocator,
  guest: string,
  generation: number,
): Segment {
  try {
    return Segment.decode(bytes, space.segmentPages, frame);
  } catch (error) {
    const found = `frame ${frame.frame} is no segment of the page index (${error instanceof Error ? error.message : String(error)})`;
    throw new CorruptPackError(guest, generation, packName(frame.pack), found);
  }
}

/**
 * Whether a guest at `held` becomes one at `opened` by loading pages: it does
 * unless a page went back to what the image has, as after a reset.
 */
export function succeeds(opened: OpenedCheckpoint, held: Checkpoint): boolean {
  if (opened.state === undefined) return false;
  for (const [name, before] of held.spaces) {
    const after = opened.checkpoint.spaces.get(name);
    if (after?.pages !== before.pages) return false;
    for (const page of storedPages(before)) if (placeOf(after, page).kind === 'image') return false;
  }
  return true;
}

/**
 * Puts every stored page into the guest's spaces, and returns how many; with
 * `held`, those alone that lie elsewhere than in that earlier checkpoint, which
 * the spaces are at. Packs are asked for at once, and wait for the spaces.
 * @throws CorruptPackError; StateError when the guest has other spaces than the checkpoint.
 */
export async function loadPages(
  opened: OpenedCheckpoint,
  pageSpaces: readonly PageSpace[] | Promise<readonly PageSpace[]>,
  held?: Checkpoint,
): Promise<number> {
  const { checkpoint, reader } = opened;
  type Load = (spaces: readonly PageSpace[]) => void;
  const zeros: Load[] = [];
  const frames = new Map<string, { readonly frame: FrameLocator; readonly loads: PageLoad[] }>();
  let restored = 0;
  for (const [name, space] of checkpoint.spaces) {
    const before = held?.spaces.get(name);
    for (const page of storedPages(space, before)) {
      restored += 1;
      const place = placeOf(space, page);
      if (place.kind === 'zero') zeros.push((spaces) => loadZero(spaceNamed(spaces, name, space), page));
      if (place.kind !== 'stored') continue;
      const key = `${packName(place.at.pack)}/${place.at.frame}`;
      const wanted = frames.get(key) ?? { frame: place.at, loads: [] };
      frames.set(key, wanted);
      wanted.loads.push((spaces, bytes) =>
        spaceNamed(spaces, name, space).load(page, pageIn(bytes, place.slot, place.at, checkpoint)),
      );
    }
  }
  const loading = reader.forEachPack<readonly PageSpace[]>(
    [...frames.values()].map(({ frame, loads }) => ({
      frame,
      take: (bytes, spaces) => loads.forEach((load) => load(spaces, bytes)),
    })),
    { ready: Promise.resolve(pageSpaces) },
  );
  const [spaces] = await Promise.all([pageSpaces, loading]);
  for (const [name, space] of checkpoint.spaces) spaceNamed(spaces, name, space);
  for (const load of zeros) load(spaces);
  return restored;
}

type PageLoad = (spaces: readonly PageSpace[], frame: Uint8Array) => void;

/** @throws StateError when the guest has no such space. */
function spaceNamed(spaces: readonly PageSpace[], name: string, { pages }: SpaceIndex): PageSpace {
  const target = spaces.find((candidate) => candidate.name === name);
  if (target?.pages === pages) return target;
  throw new StateError(
    `the checkpoint has ${pages} pages of ${name}, and the guest has ${target?.pages ?? 0}: ` +
      `its definition was changed; restore the old one, or start the guest from its image`,
  );
}

/** Memory that nobody has touched costs nothing, and is zero: it is looked at, not written. */
function loadZero(space: PageSpace, page: number): void {
  if (!isZero(space.read(page))) space.load(page, ZERO_PAGE);
}

/** Pages that are not the image's; with `before`, those alone that lie elsewhere there. */
function* storedPages(space: SpaceIndex, before?: SpaceIndex): Iterable<number> {
  for (const [number, segment] of space.segments) {
    const earlier = before?.segments.get(number);
    if (earlier?.stored !== undefined && sameFrame(earlier.stored, segment.stored)) continue;
    for (let i = 0; i < segment.pages; i += 1) {
      const page = number * space.segmentPages + i;
      const place = segment.place(i);
      if (page >= space.pages || place.kind === 'image') continue;
      if (earlier === undefined || !samePlace(place, earlier.place(i))) yield page;
    }
  }
}

function sameFrame(a: FrameLocator, b: FrameLocator | undefined): boolean {
  return b !== undefined && a.frame === b.frame && packName(a.pack) === packName(b.pack);
}

function samePlace(a: PagePlace, b: PagePlace): boolean {
  if (a.kind !== 'stored' || b.kind !== 'stored') return a.kind === b.kind;
  return a.slot === b.slot && sameFrame(a.at, b.at);
}

function pageIn(frame: Uint8Array, slot: number, at: FrameLocator, checkpoint: Checkpoint): Uint8Array {
  const page = frame.subarray(slot * PAGE_SIZE, (slot + 1) * PAGE_SIZE);
  if (page.length === PAGE_SIZE) return page;
  const found = `frame ${at.frame} has ${frame.length} bytes, and page ${slot} of it is wanted`;
  throw new CorruptPackError(checkpoint.guest, checkpoint.at.generation, packName(at.pack), found);
}

/** One wanted frame, and who takes it. */
interface Wanted<T> {
  readonly frame: FrameLocator;
  readonly take: (bytes: Uint8Array, ready: T) => void;
}

interface ReadOptions<T> {
  /** What `take` needs besides the frame: packs are read meanwhile, as many as may be under way. */
  readonly ready: Promise<T>;
  /** The same packs will be wanted again soon. */
  readonly keep?: boolean;
}

/** Reads packs in parallel, each once; some stay at hand for the next round. */
export class PackReader {
  private readonly kept = new Map<string, OpenPack>();
  private keptBytes = 0;

  constructor(
    private readonly store: PackStore,
    private readonly guest: string,
    private readonly generation: number,
  ) {}

  /** @throws CorruptPackError; what `ready` throws */
  async forEachPack<T>(wanted: readonly Wanted<T>[], { ready, keep }: ReadOptions<T>): Promise<void> {
    const byPack = new Map<string, Wanted<T>[]>();
    for (const want of wanted) {
      const name = packName(want.frame.pack);
      const list = byPack.get(name);
      if (list === undefined) byPack.set(name, [want]);
      else list.push(want);
    }
    await forEachBounded(byPack, async ([name, wants]) => {
      const id = wants[0]?.frame.pack;
      if (id === undefined) return;
      const pack = this.kept.get(name) ?? (await openPack(this.store, this.guest, this.generation, id));
      if (keep === true && this.keptBytes + pack.bytes <= KEPT_BYTES && !this.kept.has(name)) {
        this.kept.set(name, pack);
        this.keptBytes += pack.bytes;
      }
      const value = await ready;
      for (const { frame, take } of wants) take(pack.frame(frame.frame), value);
    });
  }
}

/** Memory for packs between the two rounds of a restore. */
const KEPT_BYTES = 32 * 1024 * 1024;

if (STATE_FRAME > FRAME_BYTES || PAGES_PER_FRAME * PAGE_SIZE > FRAME_BYTES)
  throw new RangeError('frames are too long');
