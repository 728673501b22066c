/**
 * What a checkpoint costs this worker, learned from those it made: a slice leaves enough time to flush, and is long
 * enough to be worth its checkpoint.
 */

const PAGE_BYTES = 4096;
/** A new table takes 4 MB/s (FACTS section 2); pages shrink to less than half. */
const FIRST_GUESS = 4000;
const SLOWEST = 500;
const FASTEST = 50_000;
/** Smaller flushes measure latency, not throughput. */
const TELLING_PAGES = 256;
/** A slice is to be this many times as long as its checkpoint takes ... */
const WORTH = 10;
/** ... but no more than this many times as long as it was asked for: output waits for its end. */
const LONGEST = 2;

export class FlushRate {
  /** Bytes of changed pages a millisecond: half of what was last seen, for safety. */
  bytesPerMs = FIRST_GUESS;

  /** Restore, flush and commit of a slice in ms, a mean in which the last counts half. */
  private overheadMs = 0;

  /** How long a slice is to be that was asked to last `sliceMs`. */
  stretched(sliceMs: number): number {
    return Math.min(LONGEST * sliceMs, Math.max(sliceMs, WORTH * this.overheadMs));
  }

  overhead(milliseconds: number): void {
    this.overheadMs = (this.overheadMs + milliseconds) / 2;
  }

  measured(pages: number, milliseconds: number): void {
    if (pages < TELLING_PAGES) return;
    const seen = (pages * PAGE_BYTES) / Math.max(1, milliseconds);
    this.bytesPerMs = Math.min(FASTEST, Math.max(SLOWEST, seen / 2));
  }
}
