/** The process's own clock and randomness, for guests that do not run in deterministic mode. */
import { randomFillSync } from 'node:crypto';
import type { HostServices } from '../../engine/models/guest';

export const hostServices: HostServices = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  fillRandom: (bytes) => void randomFillSync(bytes),
};
