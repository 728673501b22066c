/** What tests of guests share: descriptions of files, and a host that is never asked. */
import { createHash } from 'node:crypto';
import type { HostServices, ImageFile } from '../../engine/models/guest';

/** Deterministic guests ask nothing of their host. */
export const noHost: HostServices = {
  now: () => {
    throw new Error('a deterministic guest asked for the time');
  },
  fillRandom: () => {
    throw new Error('a deterministic guest asked for randomness');
  },
};

export function describeFile(name: string, bytes: Uint8Array): ImageFile {
  return { key: name, name, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
