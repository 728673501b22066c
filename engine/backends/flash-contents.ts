/**
 * What a flash bank holds: an image that stays as it is, erased flash (0xff)
 * behind it, and the pages that the guest has programmed or erased.
 */
import { PAGE_SIZE, type PageSpace } from '../memory/page-space';

/** An erased page. Shared, so that erasing a bank costs no memory; never written to. */
const ERASED = new Uint8Array(PAGE_SIZE).fill(0xff);

export interface FlashContentsOptions {
  /** Name of the page space, e.g. `flash0`. */
  readonly name: string;
  /** Bytes, a multiple of 4 KiB. */
  readonly size: number;
  /** The image, at most `size` bytes; never changed. */
  readonly image?: Uint8Array | undefined;
}

export class FlashContents implements PageSpace {
  readonly name: string;
  readonly size: number;
  readonly pages: number;
  private readonly image: Uint8Array;
  private readonly written = new Map<number, Uint8Array>();
  private readonly changed = new Set<number>();

  /** @throws RangeError when the image is larger than the bank. */
  constructor({ name, size, image = new Uint8Array(0) }: FlashContentsOptions) {
    if (image.length > size) {
      throw new RangeError(
        `${name}: the image has ${image.length} bytes and the bank holds ${size}; use a smaller image`,
      );
    }
    this.name = name;
    this.size = size;
    this.pages = size / PAGE_SIZE;
    this.image = image;
  }

  byteAt(offset: number): number {
    return (
      this.written.get(Math.floor(offset / PAGE_SIZE))?.[offset % PAGE_SIZE] ?? this.image[offset] ?? 0xff
    );
  }

  /** Programming only clears bits; setting them takes an erase. */
  program(offset: number, byte: number): void {
    const before = this.byteAt(offset);
    if ((before & byte) === before) return;
    const page = Math.floor(offset / PAGE_SIZE);
    let own = this.written.get(page);
    if (own === undefined || own === ERASED) {
      own = this.read(page).slice();
      this.written.set(page, own);
    }
    own[offset % PAGE_SIZE] = before & byte;
    this.changed.add(page);
  }

  /** Sets whole pages to 0xff. */
  erase(offset: number, length: number): void {
    for (let page = offset / PAGE_SIZE; page < (offset + length) / PAGE_SIZE; page++) {
      const erased = !this.written.has(page) && page * PAGE_SIZE >= this.image.length;
      if (erased || this.written.get(page) === ERASED) continue;
      this.written.set(page, ERASED);
      this.changed.add(page);
    }
  }

  // PageSpace

  dirty(): number[] {
    return [...this.changed].sort((a, b) => a - b);
  }
  read(page: number): Uint8Array {
    const own = this.written.get(page);
    if (own !== undefined) return own;
    const from = page * PAGE_SIZE;
    if (from >= this.image.length) return ERASED;
    const bytes = ERASED.slice();
    bytes.set(this.image.subarray(from, from + PAGE_SIZE));
    return bytes;
  }
  load(page: number, bytes: Uint8Array): void {
    if (!Number.isInteger(page) || page < 0 || page >= this.pages || bytes.length !== PAGE_SIZE) {
      throw new RangeError(`${this.name}: ${bytes.length} bytes for page ${page} of ${this.pages}`);
    }
    this.written.set(page, bytes.slice());
    this.changed.delete(page);
  }
  clean(): void {
    this.changed.clear();
  }
}
