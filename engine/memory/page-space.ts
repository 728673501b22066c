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
}
