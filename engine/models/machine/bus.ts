/**
 * Address decoding: which register window an access of the CPU falls into.
 *
 * RAM is not here; the CPU reaches it itself and asks the bus for the rest.
 */
import type { AccessSize, Device } from '../../devices/device';

/** The register side of a device. */
export type RegisterWindow = Pick<Device, 'read' | 'write'>;

export interface BusWindow {
  /** For messages. */
  readonly name: string;
  /** First guest-physical address. */
  readonly base: number;
  /** Bytes. */
  readonly size: number;
  readonly registers: RegisterWindow;
}

export class Bus {
  /** Ascending by address. */
  private readonly windows: readonly BusWindow[];
  /** Accesses come in runs: a driver talks to one device for a while. */
  private last: BusWindow | undefined;

  /** @throws RangeError when two windows overlap. */
  constructor(windows: readonly BusWindow[]) {
    this.windows = [...windows].sort((a, b) => a.base - b.base);
    this.windows.forEach((window, index) => {
      const before = this.windows[index - 1];
      if (before !== undefined && before.base + before.size > window.base) {
        throw new RangeError(`bus windows ${before.name} and ${window.name} overlap; move one of them`);
      }
    });
  }

  /**
   * @returns the unsigned value; undefined when no window holds the whole
   * access, which the CPU has to answer with an access fault
   */
  read(address: number, size: AccessSize): number | undefined {
    const window = this.find(address, size);
    return window?.registers.read(address - window.base, size);
  }

  /** @returns false when no window holds the whole access */
  write(address: number, size: AccessSize, value: number): boolean {
    const window = this.find(address, size);
    window?.registers.write(address - window.base, size, value);
    return window !== undefined;
  }

  private find(address: number, size: number): BusWindow | undefined {
    const last = this.last;
    if (last !== undefined && address >= last.base && address + size <= last.base + last.size) return last;
    let from = 0;
    let to = this.windows.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.windows[middle]!.base <= address) from = middle + 1;
      else to = middle;
    }
    const window = this.windows[from - 1];
    if (window === undefined || address + size > window.base + window.size) return undefined;
    this.last = window;
    return window;
  }
}
