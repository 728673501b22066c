/** What every model asks of a definition. */
import { MAX_HARTS } from '../cpu/harts';
import { ExtensionError, chooseExtensions, defaultExtensions } from '../isa/extensions';
import { ImageError } from './image-error';

const MEBIBYTE = 2 ** 20;
/**
 * A linear memory holds 4 GiB. RAM begins at 2 MiB of it (cpu/layout.ts), and as much stays free at its end, so that
 * no address behind a page of RAM wraps around.
 */
const MOST_MEBIBYTES = 4092;

/** @throws ImageError */
export function checkMemory(memory: number): void {
  if (memory % MEBIBYTE !== 0 || memory < 4 * MEBIBYTE || memory > MOST_MEBIBYTES * MEBIBYTE) {
    throw new ImageError(
      `memory of ${memory} bytes: give a multiple of 1 MiB, from 4 MiB to ${MOST_MEBIBYTES} MiB`,
    );
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
