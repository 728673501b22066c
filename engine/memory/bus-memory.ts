/**
 * Guest-physical memory as a bus master sees it. Every write marks its pages
 * dirty. Addresses are numbers (exact up to 2^53).
 */
export interface BusMemory {
  /**
   * For memory whose pages may be absent: to be asked before the first byte of what may not be left half done.
   * @throws PageWanted when one of the range's pages is absent; all of them are fetched then.
   */
  require?(address: number, length: number): void;
  /** Work that PageWanted cut short: done again before the guest goes on, when the pages are there. */
  later?(work: () => void): void;
  /** True when [address, address + length) lies in RAM. */
  contains(address: number, length: number): boolean;
  /**
   * A view of RAM, valid only until the guest runs again. Reading only: use
   * `write` to change memory, so that dirty pages are tracked.
   * @throws BusError outside RAM.
   */
  view(address: number, length: number): Uint8Array;
  /** @throws BusError outside RAM. */
  write(address: number, bytes: Uint8Array): void;
  readU16(address: number): number;
  readU32(address: number): number;
  /** As a number: virtio addresses above 2^53 are rejected with BusError. */
  readU64(address: number): number;
  writeU16(address: number, value: number): void;
  writeU32(address: number, value: number): void;
}

/** A bus master touched what is not RAM: the guest's mistake, never the host's. */
export class BusError extends Error {
  override readonly name = 'BusError';
  constructor(
    readonly address: number,
    readonly length: number,
  ) {
    super(`bus access of ${length} bytes at 0x${address.toString(16)} is outside RAM`);
  }
}
