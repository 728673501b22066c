/**
 * The pages of a committed generation, for a guest that runs: its working set
 * first and at once, the rest when it is wanted. Spaces that cannot wait are
 * filled before the guest runs.
 */
import type { PageSpace, WantedPage } from '../../engine/models/guest';
import { StateError } from '../../engine/snapshot/errors';
import { readSegments, unreadSegments, type Checkpoint } from './checkpoint';
import { CorruptPackError } from './errors';
import { packName } from './keys';
import type { FrameLocator, OpenFrame } from './pack';
import type { PackReader } from './pack-reader';
import { differenceFrom } from './page-frames';
import {
  isInImage,
  placeOf,
  type PagePlace,
  type Segment,
  type SpaceIndex,
  type StoredPlace,
} from './page-index';
import { isRegular, type WorkingPage } from './working-set';
import { pageKey } from './working-set-pages';
import { PAGE_SIZE, ZERO_PAGE } from './zero-page';

/** Pages of the image that are put in place together: it is one copy. */
const IMAGE_RUN = 32;
/** Waits that took a pack each. A guest that strays farther than that from its working set gets all there is, at once. */
const PATIENCE = 32;
/** Pages used once that are worth reading their pack for. */
const MANY_CHANCES = 8;

export interface PageSourceOptions {
  readonly checkpoint: Checkpoint;
  readonly reader: PackReader;
  readonly spaces: readonly PageSpace[];
  /** Gives the guest the files of its image. Asked for at most once, when a page needs them. */
  readonly provideFiles: () => Promise<void>;
}

/** A page of the checkpoint and where it goes. */
interface Load {
  readonly target: PageSpace;
  readonly page: number;
  readonly place: StoredPlace;
}

export class PageSource {
  /** Pages put into the guest so far. */
  pages = 0;
  /** How often the guest had to wait for a page. */
  waits = 0;
  private misses = 0;
  /** Segments whose zero pages are there. */
  private readonly zeroed = new WeakSet<Segment>();
  private files: Promise<void> | undefined;

  /** @throws StateError when the guest has other spaces than the checkpoint. */
  constructor(private readonly options: PageSourceOptions) {
    for (const name of options.checkpoint.spaces.keys()) this.target(name);
  }

  get checkpoint(): Checkpoint {
    return this.options.checkpoint;
  }
  get reader(): PackReader {
    return this.options.reader;
  }

  /** Makes every page of the checkpoint's spaces absent: nothing of what the guest holds is of use. */
  omitAll(): void {
    for (const name of this.checkpoint.spaces.keys()) this.target(name).lazy?.omit();
  }

  /** Before the guest runs: what it used lately, and the spaces that cannot wait. @throws CorruptPackError */
  async prefetch(): Promise<void> {
    const { workingSet } = this.checkpoint;
    await this.fillEager();
    if (!workingSet.complete) return this.all();
    const worth = worthReading(workingSet.pages);
    const loads: Load[] = [];
    for (const { space, page, place } of workingSet.pages) {
      const target = this.target(space);
      if (target.lazy?.isAbsent(page) !== true) continue;
      if (place.kind === 'zero') this.loadZero(target, page);
      else if (worth.has(packName(place.at.pack))) loads.push({ target, page, place });
    }
    await this.load(loads);
  }

  /** Brings what a guest waits for, and what comes with it at no further cost. @throws CorruptPackError */
  async bring(wanted: readonly WantedPage[]): Promise<void> {
    this.waits += 1;
    if (this.misses > PATIENCE) await this.all();
    const before = this.reader.packs;
    const spaces = wanted.map(({ space, page }) => ({ target: space, page, index: this.index(space) }));
    await readSegments(
      this.reader,
      this.checkpoint,
      spaces.map(({ index, page }) => ({ space: index, number: Math.floor(page / index.segmentPages) })),
    );
    const loads = new Map<string, Load>();
    for (const { target, page, index } of spaces) {
      if (target.lazy?.isAbsent(page) !== true) continue;
      this.loadZeros(target, index, page);
      const place = placeOf(index, page);
      if (place.kind === 'image') await this.loadImages(target, index, page);
      if (place.kind !== 'stored') continue;
      for (const each of this.sameFrame(target, index, page, place))
        loads.set(`${target.name}/${each.page}`, each);
    }
    await this.load([...loads.values()]);
    if (this.reader.packs > before) this.misses += 1;
  }

  /**
   * Everything that is stored and absent; what only the image has stays where it is. `anew`: whether absent or not,
   * into a guest that was just made. @throws CorruptPackError
   */
  async all(anew = false): Promise<void> {
    await readSegments(this.reader, this.checkpoint, unreadSegments(this.checkpoint));
    const loads: Load[] = [];
    for (const [name, index] of this.checkpoint.spaces) {
      const target = this.target(name);
      if (anew) target.lazy?.omit([...storedPages(index)].map(([page]) => page));
      for (const [page, place] of storedPages(index)) {
        if (target.lazy?.isAbsent(page) === false) continue;
        if (place.kind === 'zero') this.loadZero(target, page);
        else loads.push({ target, page, place });
      }
    }
    await this.load(loads, false);
    this.misses = 0;
  }

  /**
   * The guest holds an earlier generation of the same spaces: its pages that lie elsewhere now become absent, or are
   * loaded where the space cannot wait. False when that cannot be, and the guest has to be made anew.
   */
  async catchUp(held: Checkpoint): Promise<boolean> {
    const loads: Load[] = [];
    for (const [name, after] of this.checkpoint.spaces) {
      const before = held.spaces.get(name);
      if (before?.pages !== after.pages) return false;
      const target = this.target(name);
      const differing = carryOver(before, after);
      await readSegments(
        this.reader,
        this.checkpoint,
        differing.map((number) => ({ space: after, number })),
      );
      for (const page of changedPages(before, after, differing)) {
        const place = placeOf(after, page);
        if (target.lazy) target.lazy.omit([page]);
        else if (place.kind === 'image') return false;
        else if (place.kind === 'zero') this.loadZero(target, page);
        else loads.push({ target, page, place });
      }
    }
    await this.load(loads);
    return true;
  }

  private async fillEager(): Promise<void> {
    const eager = [...this.checkpoint.spaces].filter(([name]) => this.target(name).lazy === undefined);
    await readSegments(
      this.reader,
      this.checkpoint,
      unreadSegments(this.checkpoint).filter(({ space }) => eager.some(([, index]) => index === space)),
    );
    const loads: Load[] = [];
    for (const [name, index] of eager) {
      for (const [page, place] of storedPages(index)) {
        if (place.kind === 'zero') this.loadZero(this.target(name), page);
        else loads.push({ target: this.target(name), page, place });
      }
    }
    await this.load(loads);
  }

  /** Zero pages of the segment, all at once: the next one would be wanted soon. */
  private loadZeros(target: PageSpace, index: SpaceIndex, wanted: number): void {
    const segment = index.segments.get(Math.floor(wanted / index.segmentPages));
    if (segment !== undefined) {
      if (this.zeroed.has(segment)) return;
      this.zeroed.add(segment);
    }
    for (const page of segmentAround(index, wanted)) {
      const place = placeOf(index, page);
      const isZero = place.kind === 'zero' || (place.kind === 'image' && !isInImage(index, page));
      if (isZero && target.lazy?.isAbsent(page) === true) this.loadZero(target, page);
    }
  }

  private async loadImages(target: PageSpace, index: SpaceIndex, wanted: number): Promise<void> {
    if (target.lazy?.isAbsent(wanted) !== true) return;
    await this.provideFiles();
    const first = wanted - (wanted % IMAGE_RUN);
    for (const page of segmentAround(index, wanted)) {
      if (page < first || page >= first + IMAGE_RUN) continue;
      if (placeOf(index, page).kind !== 'image' || !target.lazy.isAbsent(page)) continue;
      target.lazy.loadImage(page);
      this.pages += 1;
    }
  }

  /** Absent pages beside `page` that lie in the same frame, which is decompressed anyway. */
  private *sameFrame(
    target: PageSpace,
    index: SpaceIndex,
    wanted: number,
    place: StoredPlace,
  ): Iterable<Load> {
    const number = Math.floor(wanted / index.segmentPages);
    const segment = index.segments.get(number);
    if (segment === undefined) return;
    for (const i of segment.inFrame(place.at)) {
      const page = number * index.segmentPages + i;
      const other = segment.place(i);
      if (other.kind === 'stored' && target.lazy?.isAbsent(page) === true)
        yield { target, page, place: other };
    }
  }

  /** `keep`: other pages of the same packs will be wanted. */
  private async load(loads: readonly Load[], keep = true): Promise<void> {
    if (loads.length === 0) return;
    const ready = loads.some(({ place }) => place.difference) ? this.provideFiles() : Promise.resolve();
    const frames = new Map<string, { readonly frame: FrameLocator; readonly loads: Load[] }>();
    for (const load of loads) {
      const { at } = load.place;
      const key = `${packName(at.pack)}/${at.frame}`;
      const wanted = frames.get(key) ?? { frame: at, loads: [] };
      frames.set(key, wanted);
      wanted.loads.push(load);
    }
    await this.reader.forEachPack(
      [...frames.values()].map(({ frame, loads: wanted }) => ({
        frame,
        take: (opened: OpenFrame): void => wanted.forEach((load) => this.put(load, opened)),
      })),
      { ready, keep },
    );
  }

  private put({ target, page, place }: Load, { bytes }: OpenFrame): void {
    // Somebody else may have brought it while this frame was on its way.
    if (target.lazy?.isAbsent(page) === false) return;
    const stored = bytes.subarray(place.slot * PAGE_SIZE, (place.slot + 1) * PAGE_SIZE);
    if (stored.length !== PAGE_SIZE) {
      const { guest, at } = this.checkpoint;
      const found = `frame ${place.at.frame} has ${bytes.length} bytes, and page ${place.slot} of it is wanted`;
      throw new CorruptPackError(guest, at.generation, packName(place.at.pack), found);
    }
    target.load(page, place.difference ? undoDifference(target, page, stored) : stored);
    // A copy, since the frame holds many pages that nobody may have asked for.
    this.checkpoint.known.loaded(pageKey(target.name, page), {
      bytes: stored.slice(),
      difference: place.difference,
    });
    this.pages += 1;
  }

  private loadZero(target: PageSpace, page: number): void {
    if (target.loadZero) target.loadZero(page);
    else target.load(page, ZERO_PAGE);
    this.pages += 1;
  }

  private provideFiles(): Promise<void> {
    this.files ??= this.options.provideFiles();
    return this.files;
  }

  private target(name: string): PageSpace {
    const index = this.checkpoint.spaces.get(name);
    const target = this.options.spaces.find((space) => space.name === name);
    if (target !== undefined && target.pages === index?.pages) return target;
    throw new StateError(
      `the checkpoint has ${index?.pages ?? 0} pages of ${name}, and the guest has ${target?.pages ?? 0}: ` +
        `its definition was changed; restore the old one, or start the guest from its image`,
    );
  }

  private index({ name }: PageSpace): SpaceIndex {
    const index = this.checkpoint.spaces.get(name);
    if (index !== undefined) return index;
    throw new StateError(`the guest wants a page of ${name}, of which the checkpoint has nothing`);
  }
}

/** Packs with pages that are used again and again, or with many. Others hold what was used by chance, and can wait. */
function worthReading(pages: readonly WorkingPage[]): ReadonlySet<string> {
  const chances = new Map<string, number>();
  for (const { place, uses } of pages) {
    if (place.kind !== 'stored') continue;
    const name = packName(place.at.pack);
    chances.set(name, (chances.get(name) ?? 0) + (isRegular({ uses }) ? MANY_CHANCES : 1));
  }
  return new Set([...chances].filter(([, chance]) => chance >= MANY_CHANCES).map(([name]) => name));
}

/** Differing pages that are named at most. */
const NAMED = 20;

/**
 * Pages of a guest that are not as a checkpoint has them, the first few. The guest has all of its pages and its image,
 * and its dirty ones are those since the checkpoint's parent. @throws CorruptPackError
 */
export async function differingPages(
  { checkpoint, reader }: { readonly checkpoint: Checkpoint; readonly reader: PackReader },
  spaces: readonly PageSpace[],
): Promise<{ space: string; page: number }[]> {
  await readSegments(reader, checkpoint, unreadSegments(checkpoint));
  const differing: { space: string; page: number }[] = [];
  const compare = (space: PageSpace, page: number, expected: Uint8Array): void => {
    if (Buffer.compare(space.read(page), expected) !== 0) differing.push({ space: space.name, page });
  };
  const stored: { readonly frame: FrameLocator; readonly take: (frame: OpenFrame) => void }[] = [];
  for (const [name, index] of checkpoint.spaces) {
    const space = spaces.find((each) => each.name === name);
    if (space === undefined)
      throw new StateError(`the guest has no ${name}, of which the checkpoint has pages`);
    for (const page of space.dirty()) {
      if (placeOf(index, page).kind === 'image') differing.push({ space: name, page });
    }
    for (const [page, place] of storedPages(index)) {
      if (place.kind === 'zero') {
        compare(space, page, ZERO_PAGE);
        continue;
      }
      const take = ({ bytes }: OpenFrame): void => {
        const found = bytes.subarray(place.slot * PAGE_SIZE, (place.slot + 1) * PAGE_SIZE);
        compare(space, page, place.difference ? undoDifference(space, page, found) : found);
      };
      stored.push({ frame: place.at, take });
    }
  }
  await reader.forEachPack(stored, { ready: Promise.resolve() });
  return differing.slice(0, NAMED);
}

/** @throws StateError when the guest's image has no such page: it is another one than the checkpoint's. */
function undoDifference(space: PageSpace, page: number, difference: Uint8Array): Uint8Array {
  const image = space.imagePage?.(page);
  if (image) return differenceFrom(image, difference);
  throw new StateError(
    `the checkpoint has changes to page ${page} of ${space.name} in the guest's image, and this image has none there: ` +
      'deploy the image that the guest was started from',
  );
}

function* segmentAround({ segmentPages, pages }: SpaceIndex, page: number): Iterable<number> {
  const first = page - (page % segmentPages);
  for (let each = first; each < Math.min(pages, first + segmentPages); each += 1) yield each;
}

/** Pages that are not the image's. All segments have to have been read. */
function* storedPages(
  index: SpaceIndex,
): Iterable<[page: number, place: Exclude<PagePlace, { kind: 'image' }>]> {
  for (const [number, segment] of index.segments) {
    for (let i = 0; i < segment.pages; i += 1) {
      const page = number * index.segmentPages + i;
      const place = segment.place(i);
      if (page < index.pages && place.kind !== 'image') yield [page, place];
    }
  }
}

/** Takes over segments that are the same in both; returns the numbers of those that differ. */
function carryOver(before: SpaceIndex, after: SpaceIndex): number[] {
  const differing: number[] = [];
  const numbers = new Set(
    [before, after].flatMap(({ segments, unread }) => [...segments.keys(), ...unread.keys()]),
  );
  for (const number of numbers) {
    const old = before.segments.get(number)?.stored ?? before.unread.get(number);
    const now = after.segments.get(number)?.stored ?? after.unread.get(number);
    if (!sameLocator(old, now)) differing.push(number);
    else if (after.unread.has(number) && before.segments.has(number)) {
      after.segments.set(number, before.segments.get(number)!);
      after.unread.delete(number);
    }
  }
  return differing;
}

/** Pages of differing segments that lie elsewhere now; all of a segment's, when the earlier one was never read. */
function* changedPages(before: SpaceIndex, after: SpaceIndex, segments: readonly number[]): Iterable<number> {
  for (const number of segments) {
    const unknown = before.unread.has(number);
    for (const page of segmentAround(after, number * after.segmentPages)) {
      if (unknown || !samePlace(placeOf(before, page), placeOf(after, page))) yield page;
    }
  }
}

function sameLocator(a: FrameLocator | undefined, b: FrameLocator | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.frame === b.frame && packName(a.pack) === packName(b.pack);
}

function samePlace(a: PagePlace, b: PagePlace): boolean {
  if (a.kind !== 'stored' || b.kind !== 'stored') return a.kind === b.kind;
  return a.slot === b.slot && sameLocator(a.at, b.at);
}
