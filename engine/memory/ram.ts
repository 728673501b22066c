/** Guest RAM as bus masters and checkpoints see it. The hart reaches the same bytes by itself. */
import { BusError, type BusMemory } from './bus-memory';
import { ABSENT, DIRTY, PageFlags, TOUCHED, USED, WRITTEN } from './page-flags';
import { PAGE_SIZE, PageWanted, type LazyPages, type PageSpace } from './page-space';

/** What an access of a bus master counts besides its bytes. */
const ACCESS_WORK = 32;

export interface RamOptions {
  /** First guest-physical address. */
  readonly base: number;
  readonly bytes: Uint8Array;
  /** One byte a page, see page-flags.ts. */
  readonly flags: Uint8Array;
  /** The next access to any page has to set its flags, or to wait for it. */
  readonly cleaned: () => void;
  /** So many pages from `page` on have changed, by other hands than the hart's. */
  readonly changed: (page: number, pages: number) => void;
  /** Whether pages may be absent: every user of this RAM can wait for them. */
  readonly lazy?: boolean;
}

/** A part of the image. */
interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class Ram implements BusMemory, PageSpace {
  readonly name = 'ram';
  readonly pages: number;
  /** What bus masters have done here, in bytes: whoever runs the guest bounds it, and sets it to 0. */
  work = 0;
  readonly lazy?: LazyPages;
  private readonly view32: DataView;
  private readonly flags: PageFlags;
  /** Whether pages may be absent at all. */
  private incomplete = false;
  private readonly wanted = new Set<number>();
  private unfinished: (() => void)[] = [];

  constructor(private readonly options: RamOptions) {
    const { bytes } = options;
    this.pages = bytes.length / PAGE_SIZE;
    this.view32 = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.flags = new PageFlags(options.flags);
    if (options.lazy) this.lazy = this.lazyPages();
  }

  contains(address: number, length: number): boolean {
    const offset = address - this.options.base;
    return offset >= 0 && length >= 0 && offset + length <= this.options.bytes.length;
  }
  view(address: number, length: number): Uint8Array {
    const offset = this.offset(address, length);
    return this.options.bytes.subarray(offset, offset + length);
  }
  write(address: number, bytes: Uint8Array): void {
    const offset = this.offset(address, bytes.length);
    this.options.bytes.set(bytes, offset);
    this.mark(offset, bytes.length, WRITTEN);
  }
  readU16(address: number): number {
    return this.view32.getUint16(this.offset(address, 2), true);
  }
  readU32(address: number): number {
    return this.view32.getUint32(this.offset(address, 4), true);
  }
  readU64(address: number): number {
    const value = this.view32.getBigUint64(this.offset(address, 8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BusError(Number(value), 0);
    return Number(value);
  }
  writeU16(address: number, value: number): void {
    const offset = this.offset(address, 2);
    this.view32.setUint16(offset, value, true);
    this.mark(offset, 2, WRITTEN);
  }
  writeU32(address: number, value: number): void {
    const offset = this.offset(address, 4);
    this.view32.setUint32(offset, value, true);
    this.mark(offset, 4, WRITTEN);
  }

  // Absent pages

  require(address: number, length: number): void {
    if (!this.incomplete || length === 0) return;
    const [first, pages] = runOf(address - this.options.base, length);
    let missing: number | undefined;
    for (let page = first; page < first + pages; page++) {
      if (!this.flags.has(page, ABSENT)) continue;
      this.wanted.add(page);
      missing ??= page;
    }
    if (missing !== undefined) throw new PageWanted(this.name, missing);
  }
  later(work: () => void): void {
    this.unfinished.push(work);
  }
  /** Does again what had to wait for pages; it may have to wait once more. */
  resume(): void {
    const { unfinished } = this;
    if (unfinished.length === 0) return;
    this.unfinished = [];
    for (const work of unfinished) work();
  }
  /** The hart waits for a page. */
  want(page: number): void {
    this.wanted.add(page);
  }
  /** Whether somebody waits for a page. */
  get waits(): boolean {
    return this.wanted.size > 0;
  }

  private lazyPages(): LazyPages {
    const { flags, wanted } = this;
    return {
      omit: (pages) => {
        this.incomplete = true;
        if (pages) for (const page of pages) flags.omit(page);
        else for (let page = 0; page < this.pages; page++) flags.omit(page);
        this.options.cleaned();
      },
      isAbsent: (page) => flags.has(page, ABSENT),
      loadImage: (page) => {
        const image = this.imagePage(page);
        if (image) this.load(page, image);
        else this.loadZero(page);
      },
      imageRuns: () => this.placed.map(({ offset, bytes }) => runOf(offset, bytes.length)),
      used: () => flags.all(USED),
      takeWanted: () => {
        const pages = [...wanted];
        wanted.clear();
        return pages;
      },
    };
  }

  // The image

  /** What `place` has put here, in order. The bytes are the caller's, and stay. */
  private readonly placed: Piece[] = [];

  /** Puts the image in place: what a guest starts from is not dirty. @throws BusError outside RAM. */
  place(address: number, bytes: Uint8Array): void {
    const offset = this.describe(address, bytes);
    this.options.bytes.set(bytes, offset);
    this.mark(offset, bytes.length, TOUCHED);
  }
  /** Tells of a part of the image without putting it in place: the pages hold something newer, or are absent. */
  describe(address: number, bytes: Uint8Array): number {
    if (!this.contains(address, bytes.length)) throw new BusError(address, bytes.length);
    const offset = address - this.options.base;
    this.placed.push({ offset, bytes });
    return offset;
  }

  imagePage(page: number): Uint8Array | undefined {
    const start = page * PAGE_SIZE;
    const last = this.placed.findLast(
      ({ offset, bytes }) => offset < start + PAGE_SIZE && start < offset + bytes.length,
    );
    // Nearly always the page lies within one piece, and need not be put together.
    if (last && last.offset <= start && start + PAGE_SIZE <= last.offset + last.bytes.length) {
      return last.bytes.subarray(start - last.offset, start - last.offset + PAGE_SIZE);
    }
    let image: Uint8Array | undefined;
    for (const { offset, bytes } of this.placed) {
      const from = Math.max(start, offset);
      const to = Math.min(start + PAGE_SIZE, offset + bytes.length);
      if (from >= to) continue;
      image ??= new Uint8Array(PAGE_SIZE);
      image.set(bytes.subarray(from - offset, to - offset), from - start);
    }
    return image;
  }

  // Pages

  dirty(): number[] {
    return this.flags.all(DIRTY);
  }
  read(page: number): Uint8Array {
    return this.options.bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
  }
  load(page: number, bytes: Uint8Array): void {
    this.options.bytes.set(bytes, page * PAGE_SIZE);
    this.flags.arrived(page, true);
    this.options.changed(page, 1);
  }
  loadZero(page: number): void {
    if (this.flags.has(page, TOUCHED)) {
      this.read(page).fill(0);
      this.options.changed(page, 1);
    }
    this.flags.arrived(page, false);
  }
  clean(): void {
    this.flags.clean();
    this.options.cleaned();
  }

  private offset(address: number, length: number): number {
    if (!this.contains(address, length)) throw new BusError(address, length);
    this.require(address, length);
    this.work += length + ACCESS_WORK;
    const offset = address - this.options.base;
    this.mark(offset, length, USED);
    return offset;
  }
  private mark(offset: number, length: number, flags: number): void {
    if (length === 0) return;
    const [first, pages] = runOf(offset, length);
    this.flags.mark(first, pages, flags);
    if (flags !== USED) this.options.changed(first, pages);
  }
}

/** The pages that a range of bytes lies in. */
function runOf(offset: number, length: number): readonly [first: number, pages: number] {
  const first = Math.floor(offset / PAGE_SIZE);
  return [first, Math.floor((offset + length - 1) / PAGE_SIZE) + 1 - first];
}
