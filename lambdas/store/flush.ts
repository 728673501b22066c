/**
 * From a guest's pages to packs: what the last slice changed, and where it
 * lies. The way back is opened-checkpoint.ts.
 */
import type { PageSpace } from '../../engine/models/guest';
import { readSegments, unreadSegments, type Checkpoint, type SegmentNumber } from './checkpoint';
import { scattered } from './cluster';
import { codecNamed, PREFERRED_CODEC } from './codec';
import { packsToEmpty, pagesIn, type PageAt } from './compaction';
import { digestOf } from './known-pages';
import { FRAME_BYTES, PackWriter, sha256, type FrameLocator, type OpenFrame } from './pack';
import { PackReader } from './pack-reader';
import { differenceFrom, PageFrames, type Ticket } from './page-frames';
import {
  emptySpace,
  encodeRoot,
  PAGES_PER_FRAME,
  segmentOf,
  type PagePlace,
  type RootSpace,
  type SpaceIndex,
} from './page-index';
import type { Attempt, CheckpointStore, CodecName, GenerationFacts } from './store';
import { encodeWorkingSet } from './working-set';
import { hotPages, KnownPlaces, pageKey, placed, type HotPages } from './working-set-pages';
import { isZero, PAGE_SIZE } from './zero-page';

export interface FlushStats {
  readonly dirty: number;
  /** Of the dirty ones, as they were: written to without a change. */
  readonly unchanged: number;
  readonly zero: number;
  readonly equal: number;
  /** Pages stored again, so that the working set lies together and old packs become free. */
  readonly moved: number;
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
  /** What was hot; undefined: as `base` has it. */
  readonly profile?: Uint8Array | undefined;
}

export interface FlushOptions {
  readonly codec?: CodecName;
  /** Packs at hand; default: none. */
  readonly reader?: PackReader;
  /** What history has to know of the generation. */
  readonly facts?: GenerationFacts;
}

/** Without the whole index at hand, compaction reads it: only in every so many generations. */
const COMPACTION_INTERVAL = 64;

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
  options: FlushOptions = {},
): Promise<FlushResult> {
  const { codec = PREFERRED_CODEC, facts } = options;
  const reader = options.reader ?? new PackReader(store.packs, base);
  const writer = new PackWriter(store.packs, base.guest, attempt, codec);
  const flushing = new Flush(base, changes.spaces, writer, reader);
  const stats = await flushing.pages();
  await flushing.segments();
  const { spaces, table } = flushing;

  const state = await addFrames(writer, slices(changes.state ?? new Uint8Array(0)));
  const workingSet = placed(flushing.hot, flushing.places);
  const workingFrames = await addFrames(writer, [encodeWorkingSet(workingSet)]);
  const packs = await addFrames(writer, table.encode());
  // Alone, since it is kept when everything beside it has gone.
  const profile = changes.profile ? [await writer.addAlone(changes.profile)] : base.profile;
  const root = encodeRoot({
    lineage: base.lineage,
    spaces: rootSpaces(spaces),
    state,
    workingSet: workingFrames,
    packs,
    profile,
  });
  const stored = codecNamed(codec)?.compress(root) ?? root;
  const record = { ...attempt, parent: base.at, codec, sha256: sha256(stored), root: stored, ...facts };
  await Promise.all([writer.finish(), store.writeGeneration(base.guest, record)]);
  return {
    checkpoint: {
      guest: base.guest,
      at: attempt,
      lineage: base.lineage,
      spaces,
      workingSet,
      table,
      profile,
      frames: [...state, ...workingFrames, ...packs, ...profile],
      known: base.known,
    },
    stats: { ...stats, packs: writer.count },
  };
}

/** A page on its way into a frame. */
interface Placed {
  readonly space: SpaceIndex;
  readonly page: number;
  readonly ticket: Ticket;
}

class Flush {
  readonly spaces: Map<string, SpaceIndex>;
  readonly table;
  /** The working set to be. */
  readonly hot: HotPages;
  readonly places: KnownPlaces;
  private readonly whole: PageFrames;
  private readonly differences: PageFrames;
  private readonly placed: Placed[] = [];

  constructor(
    private readonly base: Checkpoint,
    private readonly pageSpaces: readonly PageSpace[],
    private readonly writer: PackWriter,
    private readonly reader: PackReader,
  ) {
    this.table = base.table.copy();
    this.spaces = new Map(pageSpaces.map((space) => [space.name, indexOf(base, space)]));
    this.hot = hotPages(base.workingSet, pageSpaces);
    this.places = new KnownPlaces(base, this.spaces);
    this.whole = new PageFrames(writer, false);
    this.differences = new PageFrames(writer, true);
  }

  /** Pages of spaces that the guest has no more, as after a reset. */
  private async dropSpaces(): Promise<void> {
    const { base, reader } = this;
    const gone = [...base.spaces].filter(([name]) => !this.spaces.has(name)).map(([, space]) => space);
    await readSegments(
      reader,
      base,
      unreadSegments(base).filter(({ space }) => gone.includes(space)),
    );
    for (const space of gone) {
      for (const segment of space.segments.values()) {
        for (let page = 0; page < segment.pages; page += 1) this.release(segment.place(page));
        if (segment.stored) this.table.release(segment.stored.pack);
      }
    }
  }

  private release(place: PagePlace): void {
    if (place.kind === 'stored') this.table.release(place.at.pack);
  }

  /** Pages go into frames in the order of their spaces; equal ones once, zero ones not at all. */
  async pages(): Promise<Omit<FlushStats, 'packs'>> {
    const { base, spaces, reader } = this;
    await this.dropSpaces();
    const dirty = this.pageSpaces.map((pageSpace) => ({ pageSpace, pages: pageSpace.dirty() }));
    await readSegments(
      reader,
      base,
      dirty.flatMap(({ pageSpace, pages }) => segmentsOf(spaces.get(pageSpace.name), pages)),
    );
    const hot = new Set(this.hot.pages.map(({ space, page }) => pageKey(space, page)));
    const written = new Set<string>();
    const stats = { dirty: 0, unchanged: 0, zero: 0, moved: 0 };
    for (const { pageSpace, pages } of dirty) {
      const space = spaces.get(pageSpace.name)!;
      stats.dirty += pages.length;
      for (const page of pages) {
        const bytes = pageSpace.read(page);
        const key = pageKey(pageSpace.name, page);
        // The working set stands without the image.
        const image = hot.has(key) ? undefined : pageSpace.imagePage?.(page);
        const zero = isZero(bytes);
        if (zero) stats.zero += 1;
        if (zero ? this.setZero(space, page, key) : await this.add(space, page, key, bytes, image)) {
          written.add(key);
        } else stats.unchanged += 1;
      }
    }
    stats.moved += await this.gather(written);
    stats.moved += await this.compact(Math.floor((stats.dirty + stats.moved) / 2));
    await this.whole.finish();
    await this.differences.finish();
    for (const { space, page, ticket } of this.placed) this.place(space, page, ticket);
    return { ...stats, equal: this.whole.equal + this.differences.equal };
  }

  /** Stores pages of the working set again that need the image, or lie in too many packs. */
  private async gather(written: ReadonlySet<string>): Promise<number> {
    const { base, spaces, reader, hot, places } = this;
    const pages = hot.pages.filter(({ space, page }) => !written.has(pageKey(space, page)));
    const present = scattered({ ...hot, pages }, places).flatMap(({ space: name, page }) => {
      const pageSpace = this.pageSpaces.find((each) => each.name === name);
      return pageSpace && pageSpace.lazy?.isAbsent(page) === false ? [{ pageSpace, page }] : [];
    });
    await readSegments(
      reader,
      base,
      present.flatMap(({ pageSpace, page }) => segmentsOf(spaces.get(pageSpace.name), [page])),
    );
    for (const { pageSpace, page } of present) {
      const space = spaces.get(pageSpace.name)!;
      const bytes = pageSpace.read(page);
      const key = pageKey(pageSpace.name, page);
      if (isZero(bytes)) this.setZero(space, page, key);
      else await this.add(space, page, key, bytes, undefined, true);
    }
    return present.length;
  }

  /** Empties packs of which little is needed, within a budget of pages. */
  private async compact(budget: number): Promise<number> {
    const { base, spaces, reader, table } = this;
    const packs = packsToEmpty(table, budget);
    if (packs.size === 0) return 0;
    const unread = unreadSegments(base);
    if (unread.length > 0 && base.at.generation % COMPACTION_INTERVAL !== 0) return 0;
    await readSegments(reader, base, unread);
    const moving = new Map<SpaceIndex, Set<number>>();
    for (const { space, page } of this.placed) moving.set(space, (moving.get(space) ?? new Set()).add(page));
    const wanted = pagesIn(spaces, packs).filter(({ space, page }) => moving.get(space)?.has(page) !== true);
    const found: { readonly at: PageAt; readonly bytes: Uint8Array }[] = [];
    await reader.forEachPack(
      wanted.map((at) => ({
        frame: at.place.at,
        take: ({ bytes }: OpenFrame): void => {
          found.push({ at, bytes: bytes.slice(at.place.slot * PAGE_SIZE, (at.place.slot + 1) * PAGE_SIZE) });
        },
      })),
      { ready: Promise.resolve() },
    );
    for (const { at, bytes } of found.sort((a, b) => a.at.page - b.at.page)) {
      const frames = at.place.difference ? this.differences : this.whole;
      this.placed.push({ ...at, ticket: await frames.add(bytes) });
    }
    for (const space of spaces.values()) {
      for (const segment of space.segments.values()) {
        if (segment.stored !== undefined && packs.has(segment.stored.pack)) this.reopen(segment);
      }
    }
    return found.length;
  }

  private reopen(segment: { stored: FrameLocator | undefined }): void {
    if (segment.stored === undefined) return;
    this.table.release(segment.stored.pack);
    segment.stored = undefined;
  }

  /** False: the page lies in a pack just as it is, and stays there unless it is to be `moved`. */
  private async add(
    space: SpaceIndex,
    page: number,
    key: string,
    bytes: Uint8Array,
    image: Uint8Array | undefined,
    moved = false,
  ): Promise<boolean> {
    const { known } = this.base;
    const form = { bytes: image ? differenceFrom(image, bytes) : bytes, difference: image !== undefined };
    let digest: string | undefined;
    if (!moved && known.isStored(key, form, () => (digest = digestOf(form.bytes)))) return false;
    digest ??= digestOf(form.bytes);
    known.stored(key, form.difference, digest);
    const ticket = await (image ? this.differences : this.whole).add(form.bytes, digest);
    this.placed.push({ space, page, ticket });
    return true;
  }

  /** False: it is zero already. */
  private setZero(space: SpaceIndex, page: number, key: string): boolean {
    const segment = segmentOf(space, page);
    const before = segment.place(page % space.segmentPages);
    if (before.kind === 'zero') return false;
    this.base.known.forget(key);
    this.release(before);
    this.reopen(segment);
    segment.setZero(page % space.segmentPages);
    return true;
  }

  private place(space: SpaceIndex, page: number, ticket: Ticket): void {
    const segment = segmentOf(space, page);
    const place = ticket.frames.place(ticket.ordinal);
    this.table.hold(place.at.pack);
    this.release(segment.place(page % space.segmentPages));
    this.reopen(segment);
    segment.setStored(page % space.segmentPages, place);
  }

  async segments(): Promise<void> {
    for (const space of this.spaces.values()) {
      for (const segment of space.segments.values()) {
        if (segment.stored !== undefined) continue;
        segment.stored = await this.writer.add(segment.encode());
        this.table.hold(segment.stored.pack);
      }
    }
  }
}

function indexOf(base: Checkpoint, space: PageSpace): SpaceIndex {
  const known = base.spaces.get(space.name);
  return known ?? emptySpace(space.pages, space.lazy?.imageRuns());
}

function segmentsOf(space: SpaceIndex | undefined, pages: readonly number[]): SegmentNumber[] {
  if (space === undefined) return [];
  const numbers = new Set(pages.map((page) => Math.floor(page / space.segmentPages)));
  return [...numbers].map((number) => ({ space, number }));
}

function* slices(state: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < state.length; at += STATE_FRAME) yield state.subarray(at, at + STATE_FRAME);
}

async function addFrames(writer: PackWriter, pieces: Iterable<Uint8Array>): Promise<FrameLocator[]> {
  const frames: FrameLocator[] = [];
  for (const piece of pieces) frames.push(await writer.add(piece));
  return frames;
}

function rootSpaces(spaces: ReadonlyMap<string, SpaceIndex>): Map<string, RootSpace> {
  const result = new Map<string, RootSpace>();
  for (const [name, { pages, segmentPages, image, segments, unread }] of spaces) {
    const stored = new Map(unread);
    for (const [number, segment] of segments)
      if (segment.stored !== undefined) stored.set(number, segment.stored);
    result.set(name, { pages, segmentPages, image, segments: stored });
  }
  return result;
}

if (STATE_FRAME > FRAME_BYTES || PAGES_PER_FRAME * PAGE_SIZE > FRAME_BYTES)
  throw new RangeError('frames are too long');
