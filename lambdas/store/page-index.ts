/**
 * Which page lies where: two levels, copy-on-write from generation to
 * generation. The **root** lists a space's segments and is part of the
 * generation's record, which the head names; a **segment** lists the pages of
 * one aligned run and is a frame in a pack. So any page is found with two
 * reads: its segment's pack, then its own.
 *
 * A segment covers the smallest power of two whose square is at least the
 * space: 256 pages for 256 MiB, 1024 for 4 GiB, 4096 for 64 GiB. That
 * balances the root, written with every generation, against the segments,
 * written whole when one of their pages changes.
 */
import { PACK_ID_BYTES, Reader, Writer } from './bytes';
import { packName } from './keys';
import type { FrameLocator } from './pack';
import type { PackId } from './store';

/** Pages compressed together in one frame. */
export const PAGES_PER_FRAME = 32;
/** Of a page's place within its pack: 5 bits slot, 1 bit difference, 10 bits frame. */
const SLOT_BITS = 5;
const DIFFERENCE = 1 << SLOT_BITS;
const FRAME_SHIFT = SLOT_BITS + 1;

/** An entry of a segment: 0 and 1 are these, others are 2 + the number of a pack in the segment's own list. */
const IMAGE = 0;
const ZERO = 1;
const FIRST_PACK = 2;

/** Where a page's bytes come from. */
export type PagePlace =
  /** As the guest's image has it: never written. */
  { readonly kind: 'image' } | { readonly kind: 'zero' } | StoredPlace;

export interface StoredPlace {
  readonly kind: 'stored';
  readonly at: FrameLocator;
  readonly slot: number;
  /** What is stored is the page's difference from the image's. */
  readonly difference: boolean;
}

/** A place within its pack, in 16 bits. */
export const encodeSlot = ({ at, slot, difference }: StoredPlace): number =>
  (at.frame << FRAME_SHIFT) | (difference ? DIFFERENCE : 0) | slot;

export const decodeSlot = (pack: PackId, bits: number): StoredPlace => ({
  kind: 'stored',
  at: { pack, frame: bits >> FRAME_SHIFT },
  slot: bits & (PAGES_PER_FRAME - 1),
  difference: (bits & DIFFERENCE) !== 0,
});

/** One segment: parallel columns, which compress well. */
export class Segment {
  /** Where this version of the segment is stored; undefined as long as it is changed and not. */
  stored: FrameLocator | undefined;
  private readonly entries: Uint16Array;
  private readonly slots: Uint16Array;
  private packs: PackId[] = [];
  private packNumbers = new Map<string, number>();

  constructor(readonly pages: number) {
    this.entries = new Uint16Array(pages);
    this.slots = new Uint16Array(pages);
  }

  place(page: number): PagePlace {
    const entry = this.entries[page] ?? IMAGE;
    if (entry === IMAGE) return { kind: 'image' };
    const pack = this.packs[entry - FIRST_PACK];
    if (pack === undefined) return { kind: 'zero' };
    return decodeSlot(pack, this.slots[page] ?? 0);
  }

  /** Pages that lie in the same frame. */
  *inFrame({ pack, frame }: FrameLocator): Iterable<number> {
    const number = this.packNumbers.get(packName(pack));
    if (number === undefined) return;
    for (let page = 0; page < this.pages; page += 1) {
      if (this.entries[page] === FIRST_PACK + number && this.slots[page]! >> FRAME_SHIFT === frame)
        yield page;
    }
  }

  setZero(page: number): void {
    this.entries[page] = ZERO;
    this.slots[page] = 0;
    this.stored = undefined;
  }

  setStored(page: number, place: StoredPlace): void {
    const { pack } = place.at;
    const name = packName(pack);
    let number = this.packNumbers.get(name);
    if (number === undefined) {
      // A list grown by packs that no page names any more is thinned before it outgrows its 16 bits.
      if (this.packs.length > 2 * this.pages) this.compact();
      number = this.packs.push(pack) - 1;
      this.packNumbers.set(name, number);
    }
    this.entries[page] = FIRST_PACK + number;
    this.slots[page] = encodeSlot(place);
    this.stored = undefined;
  }

  /** Drops packs that no page names, and puts the rest in order of first use: equal segments give equal bytes. */
  private compact(): void {
    const packs: PackId[] = [];
    const renumbered = new Map<number, number>();
    for (let page = 0; page < this.pages; page += 1) {
      const entry = this.entries[page] ?? IMAGE;
      const pack = this.packs[entry - FIRST_PACK];
      if (pack === undefined) continue;
      let number = renumbered.get(entry);
      if (number === undefined) {
        number = packs.push(pack) - 1;
        renumbered.set(entry, number);
      }
      this.entries[page] = FIRST_PACK + number;
    }
    this.packs = packs;
    this.packNumbers = new Map(packs.map((pack, number) => [packName(pack), number]));
  }

  /** u16 packs; for each u32 generation, u32 fencing, u16 number; then the entries and the slots, u16 each. */
  encode(): Uint8Array {
    this.compact();
    const bytes = new Uint8Array(2 + this.packs.length * PACK_ID_BYTES + this.pages * 4);
    const writer = new Writer(bytes);
    writer.u16(this.packs.length);
    for (const pack of this.packs) writer.packId(pack);
    for (const entry of this.entries) writer.u16(entry);
    for (const slot of this.slots) writer.u16(slot);
    return bytes;
  }

  /** @throws RangeError when the bytes are no segment of `pages` pages. */
  static decode(bytes: Uint8Array, pages: number, stored: FrameLocator): Segment {
    const reader = new Reader(bytes);
    const segment = new Segment(pages);
    segment.packs = Array.from({ length: reader.u16() }, () => reader.packId());
    segment.packNumbers = new Map(segment.packs.map((pack, number) => [packName(pack), number]));
    for (let page = 0; page < pages; page += 1) segment.entries[page] = reader.u16();
    for (let page = 0; page < pages; page += 1) segment.slots[page] = reader.u16();
    reader.end();
    if (segment.entries.some((entry) => entry >= FIRST_PACK + segment.packs.length)) {
      throw new RangeError('a page names a pack that the segment does not list');
    }
    segment.stored = stored;
    return segment;
  }
}

/** Runs of pages of which the image has something: first page, pages. */
export type ImageRuns = readonly (readonly [first: number, pages: number])[];

/** The index of one space. A segment that is in neither map has only pages of the image. */
export interface SpaceIndex {
  readonly pages: number;
  readonly segmentPages: number;
  /** Undefined: any page may be one that the image has something of. */
  readonly image: ImageRuns | undefined;
  readonly segments: Map<number, Segment>;
  /** Segments that have not been read. */
  readonly unread: Map<number, FrameLocator>;
}

export function emptySpace(pages: number, image?: ImageRuns): SpaceIndex {
  return { pages, segmentPages: segmentPagesFor(pages), image, segments: new Map(), unread: new Map() };
}

export function segmentPagesFor(pages: number): number {
  let size = 64;
  while (size * size < pages) size *= 2;
  return size;
}

/** Segment of a page, made if there is none yet. */
export function segmentOf(space: SpaceIndex, page: number): Segment {
  const number = Math.floor(page / space.segmentPages);
  let segment = space.segments.get(number);
  if (segment === undefined) {
    if (space.unread.has(number))
      throw new RangeError(`segment ${number} of the page index has not been read`);
    segment = new Segment(space.segmentPages);
    space.segments.set(number, segment);
  }
  return segment;
}

/** Where a page of a segment that has been read is. */
export function placeOf(space: SpaceIndex, page: number): PagePlace {
  const number = Math.floor(page / space.segmentPages);
  const segment = space.segments.get(number);
  if (segment !== undefined) return segment.place(page % space.segmentPages);
  if (space.unread.has(number)) throw new RangeError(`segment ${number} of the page index has not been read`);
  return { kind: 'image' };
}

/** Whether the image has something of the page. */
export function isInImage(space: SpaceIndex, page: number): boolean {
  return space.image?.some(([first, pages]) => page >= first && page < first + pages) ?? true;
}

/** The root of a generation. */
export interface Root {
  readonly lineage: Lineage;
  readonly spaces: ReadonlyMap<string, RootSpace>;
  /** Frames of the guest's own state, in order; none: the guest starts from its image. */
  readonly state: readonly FrameLocator[];
  /** Frames of the working set (working-set.ts). */
  readonly workingSet: readonly FrameLocator[];
  /** Frames of the pack table (pack-table.ts). */
  readonly packs: readonly FrameLocator[];
  /** The frame of what was hot (engine/cpu/translator/profile.ts), if anything was. */
  readonly profile: readonly FrameLocator[];
}

/**
 * Whose packs are whose. A fork goes on from a generation of another guest, and its own packs have higher
 * generations: those up to `generation` lie with `guest`. In ascending order.
 */
export type Lineage = readonly { readonly guest: string; readonly generation: number }[];

/** The guest under whose name a pack is stored. */
export const ownerOf = (guest: string, lineage: Lineage, pack: PackId): string =>
  lineage.find(({ generation }) => pack.generation <= generation)?.guest ?? guest;

export interface RootSpace {
  readonly pages: number;
  readonly segmentPages: number;
  readonly image: ImageRuns | undefined;
  readonly segments: ReadonlyMap<number, FrameLocator>;
}

const ROOT_VERSION = 3;
/** The version before had no profile. */
const WITHOUT_PROFILE = 2;
/** In place of a number of runs: they are not known. */
const UNKNOWN_RUNS = 0xffff;

/**
 * u8 version, u8 ancestors, each u8 length and bytes of its guest, u32 generation; u8 spaces; for each: u8 length and
 * bytes of its name, u32 pages, u32 pages in a segment, u16 runs of the image, each u32 first page and u32 pages,
 * u32 segments, each u32 number and a frame; then the frames of state, working set, pack table and profile, each u32 how
 * many.
 * A frame is u32 generation, u32 fencing, u16 pack, u16 frame.
 */
export function encodeRoot(root: Root): Uint8Array {
  const { lineage, state, workingSet, packs, profile } = root;
  const names = [...root.spaces].map(([name]) => new TextEncoder().encode(name));
  const ancestors = lineage.map(({ guest }) => new TextEncoder().encode(guest));
  const lists = [state, workingSet, packs, profile];
  let size = 3 + lists.reduce((sum, { length }) => sum + 4 + 12 * length, 0);
  for (const name of ancestors) size += 1 + name.length + 4;
  for (const name of names) size += 1 + name.length + 14;
  for (const space of root.spaces.values()) {
    size += space.segments.size * 16 + (space.image?.length ?? 0) * 8;
  }

  const bytes = new Uint8Array(size);
  const writer = new Writer(bytes);
  writer.u8(ROOT_VERSION);
  writer.u8(lineage.length);
  lineage.forEach(({ generation }, ancestor) => {
    writer.name(ancestors[ancestor] ?? new Uint8Array(0));
    writer.u32(generation);
  });
  writer.u8(root.spaces.size);
  let i = 0;
  for (const space of root.spaces.values()) {
    writer.name(names[i++] ?? new Uint8Array(0));
    writer.u32(space.pages);
    writer.u32(space.segmentPages);
    writer.u16(space.image?.length ?? UNKNOWN_RUNS);
    for (const [first, pages] of space.image ?? []) {
      writer.u32(first);
      writer.u32(pages);
    }
    writer.u32(space.segments.size);
    for (const [number, at] of [...space.segments].sort(([a], [b]) => a - b)) {
      writer.u32(number);
      writer.frame(at);
    }
  }
  for (const frames of lists) {
    writer.u32(frames.length);
    for (const at of frames) writer.frame(at);
  }
  return bytes;
}

/** @throws RangeError on bytes that are no root. */
export function decodeRoot(bytes: Uint8Array): Root {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== ROOT_VERSION && version !== WITHOUT_PROFILE)
    throw new RangeError(`the root's format is version ${version}, not ${ROOT_VERSION}`);
  const lineage: { guest: string; generation: number }[] = [];
  for (let count = reader.u8(); count > 0; count -= 1) {
    lineage.push({ guest: reader.name(), generation: reader.u32() });
  }
  const spaces = new Map<string, RootSpace>();
  for (let count = reader.u8(); count > 0; count -= 1) {
    const name = reader.name();
    const pages = reader.u32();
    const segmentPages = reader.u32();
    const runs = reader.u16();
    const image =
      runs === UNKNOWN_RUNS
        ? undefined
        : Array.from({ length: runs }, () => [reader.u32(), reader.u32()] as const);
    const segments = new Map<number, FrameLocator>();
    for (let left = reader.u32(); left > 0; left -= 1) segments.set(reader.u32(), reader.frame());
    if (segmentPages !== segmentPagesFor(pages))
      throw new RangeError(`space ${name} has segments of ${segmentPages} pages`);
    spaces.set(name, { pages, segmentPages, image, segments });
  }
  const state = reader.list(() => reader.frame());
  const workingSet = reader.list(() => reader.frame());
  const packs = reader.list(() => reader.frame());
  const profile = version === WITHOUT_PROFILE ? [] : reader.list(() => reader.frame());
  reader.end();
  return { lineage, spaces, state, workingSet, packs, profile };
}
