/** Guest RAM as bus masters and checkpoints see it. The hart reaches the same bytes by itself. */
import { BusError, type BusMemory } from './bus-memory';
import { PAGE_SIZE, type PageSpace } from './page-space';

const PAGE_SHIFT = 12;
const DIRTY = 1;
/** What an access of a bus master counts besides its bytes. */
const ACCESS_WORK = 32;
/** Written to once, and committed since. Pages without a flag are zero, and cost the host nothing. */
const TOUCHED = 2;

export interface RamOptions {
  /** First guest-physical address. */
  readonly base: number;
  readonly bytes: Uint8Array;
  /** One byte a page: 0 untouched, DIRTY as set by whoever writes to the page, TOUCHED. */
  readonly flags: Uint8Array;
  /** No page is dirty any more: the next write to any of them has to set its flag. */
  readonly cleaned: () => void;
  /** So many pages from `page` on have changed, by other hands than the hart's. */
  readonly changed: (page: number, pages: number) => void;
}

export class Ram implements BusMemory, PageSpace {
  readonly name = 'ram';
  readonly pages: number;
  /** What bus masters have done here, in bytes: whoever runs the guest bounds it, and sets it to 0. */
  work = 0;
  private readonly view32: DataView;

  constructor(private readonly options: RamOptions) {
    const { bytes } = options;
    this.pages = bytes.length / PAGE_SIZE;
    this.view32 = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
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
    this.touch(offset, bytes.length);
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
    this.touch(offset, 2);
  }
  writeU32(address: number, value: number): void {
    const offset = this.offset(address, 4);
    this.view32.setUint32(offset, value, true);
    this.touch(offset, 4);
  }

  /** What `place` has put here, in order. The bytes are the caller's, and stay. */
  private readonly placed: { readonly offset: number; readonly bytes: Uint8Array }[] = [];

  /** Puts the image in place: what a guest starts from is not dirty. @throws BusError outside RAM. */
  place(address: number, bytes: Uint8Array): void {
    const offset = this.offset(address, bytes.length);
    this.options.bytes.set(bytes, offset);
    this.flag(offset, bytes.length, TOUCHED);
    this.placed.push({ offset, bytes });
  }

  dirty(): number[] {
    const { flags } = this.options;
    const found: number[] = [];
    for (let page = flags.indexOf(DIRTY); page >= 0; page = flags.indexOf(DIRTY, page + 1)) found.push(page);
    return found;
  }
  read(page: number): Uint8Array {
    return this.options.bytes.subarray(page << PAGE_SHIFT, (page + 1) << PAGE_SHIFT);
  }
  imagePage(page: number): Uint8Array | undefined {
    const start = page << PAGE_SHIFT;
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
  load(page: number, bytes: Uint8Array): void {
    this.options.bytes.set(bytes, page << PAGE_SHIFT);
    this.options.flags[page] ||= TOUCHED;
    this.options.changed(page, 1);
  }
  loadZero(page: number): void {
    if (this.options.flags[page] === 0) return;
    this.read(page).fill(0);
    this.options.changed(page, 1);
  }
  clean(): void {
    const { flags } = this.options;
    for (let page = flags.indexOf(DIRTY); page >= 0; page = flags.indexOf(DIRTY, page + 1))
      flags[page] = TOUCHED;
    this.options.cleaned();
  }

  private offset(address: number, length: number): number {
    if (!this.contains(address, length)) throw new BusError(address, length);
    this.work += length + ACCESS_WORK;
    return address - this.options.base;
  }
  private touch(offset: number, length: number): void {
    this.flag(offset, length, DIRTY);
  }
  private flag(offset: number, length: number, flag: number): void {
    if (length === 0) return;
    const first = offset >> PAGE_SHIFT;
    const end = ((offset + length - 1) >> PAGE_SHIFT) + 1;
    this.options.flags.fill(flag, first, end);
    this.options.changed(first, end - first);
  }
}
