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
import { packName } from './keys';
import type { FrameLocator } from './pack';
import type { PackId } from './store';

/** Pages compressed together in one frame. */
export const PAGES_PER_FRAME = 32;
const SLOT_BITS = 5;

/** An entry of a segment: 0 and 1 are these, others are 2 + the number of a pack in the segment's own list. */
const IMAGE = 0;
const ZERO = 1;
const FIRST_PACK = 2;

/** Where a page's bytes come from. */
export type PagePlace =
  /** As the guest's image has it: never written. */
  | { readonly kind: 'image' }
  | { readonly kind: 'zero' }
  | { readonly kind: 'stored'; readonly at: FrameLocator; readonly slot: number };

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
    const slot = this.slots[page] ?? 0;
    return {
      kind: 'stored',
      at: { pack, frame: slot >> SLOT_BITS },
      slot: slot & (PAGES_PER_FRAME - 1),
    };
  }

  setZero(page: number): void {
    this.entries[page] = ZERO;
    this.slots[page] = 0;
    this.stored = undefined;
  }

  setStored(page: number, at: FrameLocator, slot: number): void {
    const name = packName(at.pack);
    let number = this.packNumbers.get(name);
    if (number === undefined) {
      // A list grown by packs that no page names any more is thinned before it outgrows its 16 bits.
      if (this.packs.length > 2 * this.pages) this.compact();
      number = this.packs.push(at.pack) - 1;
      this.packNumbers.set(name, number);
    }
    this.entries[page] = FIRST_PACK + number;
    this.slots[page] = (at.frame << SLOT_BITS) | slot;
    this.stored = undefined;
  }

  /** The packs that pages of this segment lie in. */
  references(): readonly PackId[] {
    this.compact();
    return this.packs;
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

const PACK_ID_BYTES = 10;

/** The index of one space. Segments that are absent have only pages of the image. */
export interface SpaceIndex {
  readonly pages: number;
  readonly segmentPages: number;
  readonly segments: Map<number, Segment>;
}

export function emptySpace(pages: number): SpaceIndex {
  return { pages, segmentPages: segmentPagesFor(pages), segments: new Map() };
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
    segment = new Segment(space.segmentPages);
    space.segments.set(number, segment);
  }
  return segment;
}

export function placeOf(space: SpaceIndex, page: number): PagePlace {
  const segment = space.segments.get(Math.floor(page / space.segmentPages));
  return segment?.place(page % space.segmentPages) ?? { kind: 'image' };
}

/** The root of a generation. */
export interface Root {
  readonly spaces: ReadonlyMap<string, RootSpace>;
  /** Frames of the guest's own state, in order; none: the guest starts from its image. */
  readonly state: readonly FrameLocator[];
  /** Packs that the parent generation needs and this one does not. */
  readonly dropped: readonly PackId[];
}

export interface RootSpace {
  readonly pages: number;
  readonly segmentPages: number;
  readonly segments: ReadonlyMap<number, FrameLocator>;
}

const ROOT_VERSION = 1;

/**
 * u8 version, u8 spaces; for each: u8 length and bytes of its name, u32 pages, u32 pages in a segment,
 * u32 segments, each u32 number and a frame; u32 frames of the state, each a frame; u32 dropped packs.
 * A frame is u32 generation, u32 fencing, u16 pack, u16 frame.
 */
export function encodeRoot(root: Root): Uint8Array {
  const names = [...root.spaces].map(([name]) => new TextEncoder().encode(name));
  let size = 2 + 4 + root.state.length * 12 + 4 + root.dropped.length * PACK_ID_BYTES;
  for (const name of names) size += 1 + name.length + 12;
  for (const space of root.spaces.values()) size += space.segments.size * 16;

  const bytes = new Uint8Array(size);
  const writer = new Writer(bytes);
  writer.u8(ROOT_VERSION);
  writer.u8(root.spaces.size);
  let i = 0;
  for (const space of root.spaces.values()) {
    writer.name(names[i++] ?? new Uint8Array(0));
    writer.u32(space.pages);
    writer.u32(space.segmentPages);
    writer.u32(space.segments.size);
    for (const [number, at] of [...space.segments].sort(([a], [b]) => a - b)) {
      writer.u32(number);
      writer.frame(at);
    }
  }
  writer.u32(root.state.length);
  for (const at of root.state) writer.frame(at);
  writer.u32(root.dropped.length);
  for (const pack of root.dropped) writer.packId(pack);
  return bytes;
}

/** @throws RangeError on bytes that are no root. */
export function decodeRoot(bytes: Uint8Array): Root {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== ROOT_VERSION)
    throw new RangeError(`the root's format is version ${version}, not ${ROOT_VERSION}`);
  const spaces = new Map<string, RootSpace>();
  for (let count = reader.u8(); count > 0; count -= 1) {
    const name = reader.name();
    const pages = reader.u32();
    const segmentPages = reader.u32();
    const segments = new Map<number, FrameLocator>();
    for (let left = reader.u32(); left > 0; left -= 1) segments.set(reader.u32(), reader.frame());
    if (segmentPages !== segmentPagesFor(pages))
      throw new RangeError(`space ${name} has segments of ${segmentPages} pages`);
    spaces.set(name, { pages, segmentPages, segments });
  }
  const state = reader.list(() => reader.frame());
  const dropped = reader.list(() => reader.packId());
  reader.end();
  return { spaces, state, dropped };
}

class Writer {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(value: number): void {
    this.view.setUint8(this.at, value);
    this.at += 1;
  }
  u16(value: number): void {
    this.view.setUint16(this.at, value, true);
    this.at += 2;
  }
  u32(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }
  name(name: Uint8Array): void {
    this.u8(name.length);
    this.bytes.set(name, this.at);
    this.at += name.length;
  }
  packId(pack: PackId): void {
    this.u32(pack.generation);
    this.u32(pack.fencing);
    this.u16(pack.number);
  }
  frame(at: FrameLocator): void {
    this.packId(at.pack);
    this.u16(at.frame);
  }
}

/** Reads what `Writer` wrote; a DataView throws RangeError past the end. */
class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    this.at += 1;
    return this.view.getUint8(this.at - 1);
  }
  u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }
  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }
  name(): string {
    const length = this.u8();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
  packId(): PackId {
    return { generation: this.u32(), fencing: this.u32(), number: this.u16() };
  }
  frame(): FrameLocator {
    return { pack: this.packId(), frame: this.u16() };
  }
  list<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.u32(); left > 0; left -= 1) items.push(read());
    return items;
  }
  end(): void {
    if (this.at !== this.bytes.length)
      throw new RangeError(`${this.bytes.length - this.at} bytes are left over`);
  }
}
