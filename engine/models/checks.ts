/** What every model asks of a definition. */
import { MAX_HARTS } from '../cpu/harts';
import { selectable } from '../isa/table';
import { ImageError } from './image-error';

const MEBIBYTE = 2 ** 20;

/** @throws ImageError */
export function checkMemory(memory: number): void {
  if (memory % MEBIBYTE !== 0 || memory < 4 * MEBIBYTE || memory > 2048 * MEBIBYTE) {
    throw new ImageError(`memory of ${memory} bytes: give a multiple of 1 MiB, from 4 MiB to 2048 MiB`);
  }
}

/** @returns the number @throws ImageError */
export function checkHarts(harts: number): number {
  if (!Number.isInteger(harts) || harts < 1 || harts > MAX_HARTS) {
    throw new ImageError(`${harts} harts: give a whole number from 1 to ${MAX_HARTS}`);
  }
  return harts;
}

/** @returns the names @throws ImageError naming those that the engine does not have */
export function checkExtensions(names: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => !selectable.includes(name));
  if (unknown.length > 0) {
    throw new ImageError(
      `unknown CPU feature ${unknown.join(', ')}; known are ${selectable.join(', ')}, beside rv64gc`,
    );
  }
  return names;
}
