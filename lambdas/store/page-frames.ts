/** Gathers pages into frames of one kind; equal pages once. */
import { digestOf } from './known-pages';
import type { FrameLocator, PackWriter } from './pack';
import { PAGES_PER_FRAME, type StoredPlace } from './page-index';
import { PAGE_SIZE } from './zero-page';

/** Where a page will lie, once its frame is written. */
export interface Ticket {
  readonly frames: PageFrames;
  readonly ordinal: number;
}

export class PageFrames {
  /** Pages that were there already. */
  equal = 0;
  private readonly ordinals = new Map<string, number>();
  private readonly frames: FrameLocator[] = [];
  private readonly frame = new Uint8Array(PAGES_PER_FRAME * PAGE_SIZE);

  /** @param delta the pages are differences from the image's, see `differenceFrom` */
  constructor(
    private readonly writer: PackWriter,
    private readonly delta: boolean,
  ) {}

  /** @param digest of the page's bytes, where it is known */
  async add(page: Uint8Array, digest = digestOf(page)): Promise<Ticket> {
    const known = this.ordinals.get(digest);
    if (known !== undefined) {
      this.equal += 1;
      return { frames: this, ordinal: known };
    }
    const ordinal = this.ordinals.size;
    this.ordinals.set(digest, ordinal);
    const slot = ordinal % PAGES_PER_FRAME;
    this.frame.set(page, slot * PAGE_SIZE);
    if (slot === PAGES_PER_FRAME - 1) this.frames.push(await this.writer.add(this.frame, this.delta));
    return { frames: this, ordinal };
  }

  /** Writes the last frame. */
  async finish(): Promise<void> {
    const rest = this.ordinals.size % PAGES_PER_FRAME;
    if (rest > 0)
      this.frames.push(await this.writer.add(this.frame.subarray(0, rest * PAGE_SIZE), this.delta));
  }

  /** After `finish`. */
  place(ordinal: number): StoredPlace {
    const at = this.frames[Math.floor(ordinal / PAGES_PER_FRAME)];
    if (at === undefined) throw new RangeError(`the page of ordinal ${ordinal} has no frame`);
    return { kind: 'stored', at, slot: ordinal % PAGES_PER_FRAME, difference: this.delta };
  }
}

/**
 * A page against the same page of the image, by exclusive or; applied twice it
 * gives the page back. A kernel that relocates and patches itself changes a few
 * bytes in each of thousands of pages: their differences compress to a tenth.
 */
export function differenceFrom(image: Uint8Array, page: Uint8Array): Uint8Array {
  const difference = new Uint8Array(PAGE_SIZE);
  const a = words(image);
  const b = words(page);
  const out = words(difference);
  for (let i = 0; i < out.length; i++) out[i] = a[i]! ^ b[i]!;
  return difference;
}

/** Pages lie at multiples of their size; copies of them are aligned by themselves. */
function words(page: Uint8Array): Uint32Array {
  const aligned = page.byteOffset % 4 === 0 ? page : page.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, PAGE_SIZE / 4);
}
