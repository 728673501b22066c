/** The process's own clock and randomness, for guests that do not run in deterministic mode. */
import { randomFillSync } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import type { HostServices } from '../../engine/models/guest';
import { threadCompilers } from './compiler-threads';

// Translated code says which branches are rare. V8 listens when told to; it costs nothing where it does not.
setFlagsFromString('--experimental-wasm-branch-hinting');

export const hostServices: HostServices = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  fillRandom: (bytes) => void randomFillSync(bytes),
  engine: { kind: 'translator', compiler: threadCompilers() },
};
