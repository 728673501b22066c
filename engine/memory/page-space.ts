/**
 * What is stored page by page. Below models and back ends, since both sides
 * speak of it: a disk is a page space and so is a guest's RAM.
 */

export const PAGE_SIZE = 4096;

/**
 * A sparse array of 4 KiB pages with dirty tracking: guest RAM, or the
 * written blocks of a disk. Pages are dirty relative to the guest's image
 * at first, and to the last `clean()` after that.
 */
export interface PageSpace {
  /** Stable name, part of the checkpoint: `ram`, `disk0`. */
  readonly name: string;
  /** Size in pages. */
  readonly pages: number;
  /** Numbers of pages changed since the last `clean()`, ascending. */
  dirty(): number[];
  /** The page's bytes, valid until the guest runs again. */
  read(page: number): Uint8Array;
  /**
   * The page as the guest's image has it, for spaces whose image is at hand; undefined where the image has nothing.
   * Checkpoints then hold what differs from it.
   */
  imagePage?(page: number): Uint8Array | undefined;
  /** Puts checkpointed bytes back. Marks nothing dirty. */
  load(page: number, bytes: Uint8Array): void;
  /** As `load` with zeros, for spaces that know pages which are zero already. */
  loadZero?(page: number): void;
  /** Forgets dirtiness: what is there now is committed. */
  clean(): void;
  /** For spaces that a guest can run on before their pages are there. */
  readonly lazy?: LazyPages;
}

/** A guest that touches an absent page leaves `run` with 'page wanted'; `load` ends the absence. */
export interface LazyPages {
  /** Makes pages absent; all of them when none are named. None may be dirty. */
  omit(pages?: Iterable<number>): void;
  isAbsent(page: number): boolean;
  /**
   * For spaces that may hold more than memory does: makes clean pages absent until so many are left, those loaded
   * first before others.
   */
  shed?(most: number): void;
  /** The page is as the image has it, which is at hand. */
  loadImage(page: number): void;
  /** Pages of which the image has something, as runs: first page, pages. */
  imageRuns(): readonly (readonly [first: number, pages: number])[];
  /** Numbers of pages read or written since the last `clean()`, ascending. */
  used(): number[];
  /** Absent pages that somebody waits for; asking forgets them. */
  takeWanted(): number[];
}

/**
 * An access has to wait for a page. What it was part of has changed nothing
 * yet, and is begun again when the page is there.
 */
export class PageWanted extends Error {
  override readonly name = 'PageWanted';
  constructor(space: string, page: number) {
    super(`page ${page} of ${space} has not been fetched yet`);
  }
}
