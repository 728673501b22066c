/** Guest time, the same for all models. */

/** Ticks a second of `mtime` and the `time` CSR. */
export const TIMEBASE_FREQUENCY = 10_000_000;
export const TICK_NANOSECONDS = 1_000_000_000n / BigInt(TIMEBASE_FREQUENCY);
/** Where the wall clock of a deterministic guest starts: 2026-01-01T00:00:00Z, in nanoseconds since the Unix epoch. */
export const DETERMINISTIC_EPOCH = 1_767_225_600_000_000_000n;
