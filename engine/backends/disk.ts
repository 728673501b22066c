/**
 * A disk whose image stays as it is: what the guest writes is kept apart, page
 * by page, so that a checkpoint holds the written pages only.
 */
import type { Disk } from '../devices/virtio/block';
import { PAGE_SIZE, PageWanted, type LazyPages, type PageSpace } from '../memory/page-space';
import { PageSet } from './page-set';

/** What a discarded page reads as. Never written to: writing replaces it first. */
const ZEROS = new Uint8Array(PAGE_SIZE);

/** Pages in use that are worth remembering: 256 MiB. */
const USED_PAGES = 65_536;

export interface CopyOnWriteDiskOptions {
  /** Name of the page space, e.g. `disk0`. */
  readonly name: string;
  /** The image; never changed. Undefined: all zeros, or to be provided when `imageSize` says so. */
  readonly base?: Uint8Array | undefined;
  /** Bytes of the image. Default: those of `base`. */
  readonly imageSize?: number;
  /** Bytes; by default the image's, rounded up to 4 KiB. Behind a shorter image there are zeros. */
  readonly size?: number;
}

export class CopyOnWriteDisk implements Disk, PageSpace {
  readonly name: string;
  readonly size: number;
  readonly pages: number;
  readonly lazy: LazyPages;
  private base: Uint8Array;
  private readonly imagePages: number;
  /** Pages that differ from the image, or once did. */
  private readonly written = new Map<number, Uint8Array>();
  private readonly changed = new Set<number>();
  private readonly absent: PageSet;
  private readonly wanted = new Set<number>();
  private readonly used = new Set<number>();

  /** @throws RangeError when there is neither image nor size, or the size is no multiple of 4 KiB or below the image's. */
  constructor({ name, base = new Uint8Array(0), imageSize = base.length, size }: CopyOnWriteDiskOptions) {
    this.name = name;
    this.base = base;
    this.imagePages = Math.ceil(imageSize / PAGE_SIZE);
    this.size = size ?? this.imagePages * PAGE_SIZE;
    if (this.size <= 0 || !Number.isSafeInteger(this.size) || this.size % PAGE_SIZE !== 0) {
      throw new RangeError(
        `disk ${name} of ${this.size} bytes: a disk needs at least one page of 4096 bytes and whole pages; give an image or a size`,
      );
    }
    if (this.size < imageSize) {
      throw new RangeError(
        `disk ${name}: the image has ${imageSize} bytes, more than the disk's ${this.size}; give a larger size`,
      );
    }
    this.pages = this.size / PAGE_SIZE;
    this.absent = new PageSet(this.pages);
    this.lazy = this.lazyPages();
  }

  /** The image, for a disk that was made without it. */
  provide(base: Uint8Array): void {
    this.base = base;
  }

  // Disk

  require(offset: number, length: number): void {
    if (this.absent.isEmpty) return;
    let missing: number | undefined;
    this.eachPage(offset, length, (page) => {
      if (!this.absent.has(page)) return;
      this.wanted.add(page);
      missing ??= page;
    });
    if (missing !== undefined) throw new PageWanted(this.name, missing);
  }

  readAt(offset: number, into: Uint8Array): void {
    this.require(offset, into.length);
    this.eachPage(offset, into.length, (page, start, length, at) => {
      if (this.used.size < USED_PAGES) this.used.add(page);
      const own = this.written.get(page);
      if (own) return into.set(own.subarray(start, start + length), at);
      const from = page * PAGE_SIZE + start;
      const found = this.base.subarray(from, from + length); // short or empty behind the image's end
      into.set(found, at);
      into.fill(0, at + found.length, at + length);
    });
  }

  writeAt(offset: number, from: Uint8Array): boolean {
    this.requireEdges(offset, from.length);
    this.eachPage(offset, from.length, (page, start, length, at) =>
      this.own(page).set(from.subarray(at, at + length), start),
    );
    return true;
  }

  zeroAt(offset: number, length: number): boolean {
    this.requireEdges(offset, length);
    this.eachPage(offset, length, (page, start, size) => {
      const untouched = !this.written.has(page) && !this.absent.has(page);
      if (untouched && page >= this.imagePages) return; // zero already
      if (size < PAGE_SIZE) this.own(page).fill(0, start, start + size);
      else {
        // Shared, so that emptying a large image costs the worker no memory.
        this.absent.delete(page);
        this.written.set(page, ZEROS);
        this.changed.add(page);
      }
    });
    return true;
  }

  /** Pages that are written in part only have to be there; whole ones do not. */
  private requireEdges(offset: number, length: number): void {
    const end = offset + length;
    if (offset % PAGE_SIZE !== 0 && length > 0) this.require(offset, 1);
    if (end % PAGE_SIZE !== 0 && length > 0) this.require(end - 1, 1);
  }

  /** Cuts a range at page borders. `at`: bytes of the range that lie before the piece. */
  private eachPage(
    offset: number,
    length: number,
    visit: (page: number, start: number, length: number, at: number) => void,
  ): void {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new RangeError(`disk ${this.name}: ${length} bytes at ${offset} of ${this.size}`);
    }
    for (let at = 0; at < length;) {
      const start = (offset + at) % PAGE_SIZE;
      const piece = Math.min(PAGE_SIZE - start, length - at);
      visit((offset + at - start) / PAGE_SIZE, start, piece, at);
      at += piece;
    }
  }

  /** The page's private copy, to be written to. */
  private own(page: number): Uint8Array {
    this.changed.add(page);
    const existing = this.written.get(page);
    if (existing && existing !== ZEROS) return existing;
    const copy = new Uint8Array(PAGE_SIZE);
    // An absent page is about to be written whole.
    if (!existing && !this.absent.has(page))
      copy.set(this.base.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
    this.absent.delete(page);
    this.written.set(page, copy);
    return copy;
  }

  // PageSpace

  dirty(): number[] {
    return [...this.changed].sort((a, b) => a - b);
  }
  read(page: number): Uint8Array {
    const own = this.written.get(page);
    if (own) return own;
    const bytes = new Uint8Array(PAGE_SIZE);
    this.readAt(page * PAGE_SIZE, bytes);
    return bytes;
  }
  load(page: number, bytes: Uint8Array): void {
    if (!Number.isInteger(page) || page < 0 || page >= this.pages || bytes.length !== PAGE_SIZE) {
      throw new RangeError(`disk ${this.name}: ${bytes.length} bytes for page ${page} of ${this.pages}`);
    }
    this.written.set(page, bytes.slice());
    this.changed.delete(page);
    this.absent.delete(page);
  }
  loadZero(page: number): void {
    if (page < this.imagePages) this.written.set(page, ZEROS);
    else this.written.delete(page);
    this.changed.delete(page);
    this.absent.delete(page);
  }
  clean(): void {
    this.changed.clear();
    this.used.clear();
  }

  /** Whether somebody waits for a page. */
  get waits(): boolean {
    return this.wanted.size > 0;
  }

  private lazyPages(): LazyPages {
    const { absent, wanted, written } = this;
    return {
      omit: (pages) => {
        if (pages) {
          for (const page of pages) {
            absent.add(page);
            written.delete(page);
          }
        } else {
          absent.fill();
          written.clear();
        }
      },
      isAbsent: (page) => absent.has(page),
      loadImage: (page) => {
        written.delete(page);
        absent.delete(page);
      },
      shed: (most) => {
        let excess = written.size - this.changed.size - most;
        for (const page of written.keys()) {
          if (excess <= 0) return;
          if (this.changed.has(page)) continue;
          written.delete(page);
          absent.add(page);
          excess--;
        }
      },
      imageRuns: () => (this.imagePages === 0 ? [] : [[0, this.imagePages]]),
      used: () => [...new Set([...this.used, ...this.changed])].sort((a, b) => a - b),
      takeWanted: () => {
        const pages = [...wanted];
        wanted.clear();
        return pages;
      },
    };
  }
}
