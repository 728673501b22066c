/** One byte a page, a set of flags; searched and changed four at a time. The hart sets them too: cpu/layout.ts, PAGE_*. */

/** Written to since the last checkpoint. */
export const DIRTY = 1;
/** Has held something once. Pages without it are zero, and cost the host nothing. */
export const TOUCHED = 2;
/** Its bytes have not been fetched. */
export const ABSENT = 4;
/** Read or written since the last checkpoint. */
export const USED = 8;
/** What a write leaves behind. */
export const WRITTEN = DIRTY | TOUCHED | USED;

/** The same flag in each of four bytes. */
const fourfold = (flag: number): number => flag * 0x01010101;

export class PageFlags {
  private readonly words: Uint32Array;

  /** @param bytes a multiple of four, at a multiple of four */
  constructor(private readonly bytes: Uint8Array) {
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  has(page: number, flag: number): boolean {
    return ((this.bytes[page] ?? 0) & flag) !== 0;
  }

  /** Pages with the flag, ascending. */
  all(flag: number): number[] {
    const { bytes, words } = this;
    const mask = fourfold(flag);
    const found: number[] = [];
    for (let word = 0; word < words.length; word++) {
      if ((words[word]! & mask) === 0) continue;
      for (let page = 4 * word; page < 4 * word + 4; page++) if (bytes[page]! & flag) found.push(page);
    }
    return found;
  }

  /** Sets flags of pages that are there. */
  mark(first: number, pages: number, flags: number): void {
    for (let page = first; page < first + pages; page++) this.bytes[page]! |= flags;
  }

  /** The page's bytes are there now. */
  arrived(page: number, touched: boolean): void {
    this.bytes[page] = (this.bytes[page]! & ~ABSENT) | (touched ? TOUCHED : 0);
  }

  omit(page: number): void {
    this.bytes[page] = (this.bytes[page]! & TOUCHED) | ABSENT;
  }

  /** Nothing is dirty or used any more. */
  clean(): void {
    const { words } = this;
    const gone = ~fourfold(DIRTY | USED);
    for (let word = 0; word < words.length; word++) if (words[word] !== 0) words[word]! &= gone;
  }
}
