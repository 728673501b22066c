/**
 * What the harts of the suites run on, and how tests change their RAM.
 *
 *   ENGINE=translator   translated at the first arrival; otherwise interpreted
 *   REGION_LENGTH=1     then: instructions of a region at most. With 1 even a run of one instruction is translated code
 */
import type { EngineOptions, Hart } from '../../engine/cpu/hart';

function chosen(): EngineOptions {
  const { ENGINE: kind = 'interpreter', REGION_LENGTH: length } = process.env;
  if (kind !== 'interpreter' && kind !== 'translator')
    throw new Error(`ENGINE=${kind}: say interpreter or translator`);
  return { kind, threshold: 0, ...(length !== undefined && { regionLength: Number(length) }) };
}

/** As a part of a hart's options. */
export const underTest: { readonly engine: EngineOptions } = { engine: chosen() };

/** Changes RAM from outside, and tells the hart so, as everybody must who is not the hart. */
export function poke(hart: Hart, offset: number, bytes: Uint8Array): void {
  hart.ram.set(bytes, offset);
  const first = Math.floor(offset / 4096);
  hart.ramChanged(first, Math.floor((offset + bytes.length - 1) / 4096) - first + 1);
}

/** Words of 32 bits, one after the other. */
export function pokeWords(hart: Hart, offset: number, words: readonly number[]): void {
  poke(hart, offset, new Uint8Array(Uint32Array.from(words).buffer));
}
