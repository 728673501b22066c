/** What every model asks of a definition. */
import { MAX_HARTS } from '../cpu/harts';
import { ExtensionError, chooseExtensions, defaultExtensions } from '../isa/extensions';
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

/** The extensions that a definition asks for, complete. @throws ImageError when there is no such CPU */
export function checkExtensions(choice: readonly string[] | undefined): readonly string[] {
  if (choice === undefined) return defaultExtensions;
  try {
    return chooseExtensions(choice);
  } catch (error) {
    throw error instanceof ExtensionError ? new ImageError(error.message) : error;
  }
}
