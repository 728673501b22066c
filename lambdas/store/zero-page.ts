/** Pages that are all zeros: they cost no bytes in a checkpoint. */
import { PAGE_SIZE } from '../../engine/models/guest';

export { PAGE_SIZE };

export const ZERO_PAGE: Uint8Array = new Uint8Array(PAGE_SIZE);

export const isZero = (bytes: Uint8Array): boolean => Buffer.compare(bytes, ZERO_PAGE) === 0;
