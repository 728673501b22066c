/** Files whose behaviour is not their file system's: devices and FIFOs. */
import type { Location } from './location';
import type { OpenFile, WouldBlock } from './open-file';

/** Opens a device node or FIFO that was found at `location`. @throws Errno ENXIO and others */
export type Opener = (location: Location, flags: number) => OpenFile | WouldBlock;

/** Filled by whoever has devices; asked at every open. */
export interface Openers {
  /** By `makeDevice(major, minor)`; a node without one fails with ENXIO. */
  readonly character: Map<number, Opener>;
  readonly block: Map<number, Opener>;
  fifo: Opener | undefined;
}
