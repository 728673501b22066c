/** How fast this worker's flushes are, learned from those it made: a slice leaves that much time to flush. */

const PAGE_BYTES = 4096;
/** A new table takes 4 MB/s (FACTS section 2); pages shrink to less than half. */
const FIRST_GUESS = 4000;
const SLOWEST = 500;
const FASTEST = 50_000;
/** Smaller flushes measure latency, not throughput. */
const TELLING_PAGES = 256;

export class FlushRate {
  /** Bytes of changed pages a millisecond: half of what was last seen, for safety. */
  bytesPerMs = FIRST_GUESS;

  measured(pages: number, milliseconds: number): void {
    if (pages < TELLING_PAGES) return;
    const seen = (pages * PAGE_BYTES) / Math.max(1, milliseconds);
    this.bytesPerMs = Math.min(FASTEST, Math.max(SLOWEST, seen / 2));
  }
}
