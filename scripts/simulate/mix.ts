/** The guests of the simulation. Sizes of checkpoints are those that `npm run bench` and the demos measured. */

export interface GuestKind {
  readonly name: string;
  /** Part of all guests. */
  readonly share: number;
  /** Events an hour; undefined: it asks for one slice after another. */
  readonly eventsAnHour: number | undefined;
  /** Seconds of a slice, restore included. */
  readonly sliceSeconds: number;
  /** Kilobytes that a slice's checkpoint writes, compressed. */
  readonly flushKilobytes: number;
  /** Kilobytes that a restore reads; most slices find the guest warm or behind. */
  readonly readKilobytes: number;
  /** Megabytes that its kept generations take. */
  readonly storedMegabytes: number;
}

export const MIX: readonly GuestKind[] = [
  {
    name: 'idle',
    share: 0.95,
    eventsAnHour: 1 / 6,
    sliceSeconds: 1.5,
    flushKilobytes: 64,
    readKilobytes: 2000,
    storedMegabytes: 8,
  },
  {
    name: 'interactive',
    share: 0.04,
    eventsAnHour: 20,
    sliceSeconds: 3,
    flushKilobytes: 200,
    readKilobytes: 500,
    storedMegabytes: 16,
  },
  {
    name: 'busy',
    share: 0.01,
    eventsAnHour: undefined,
    sliceSeconds: 60,
    flushKilobytes: 3000,
    readKilobytes: 500,
    storedMegabytes: 48,
  },
];

/** Memory of the worker function: one whole CPU. */
export const MEMORY_MB = 1769;
