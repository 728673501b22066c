/**
 * What a kind of virtio device is, apart from how the guest reaches it.
 *
 * The transport (mmio.ts, pci.ts over transport.ts) owns status, feature
 * negotiation and where the queues lie; a device owns what its queues and its
 * configuration space mean. Everything is synchronous: `process` does the work
 * before it returns, so no buffer is in flight between two runs of the guest.
 */
import type { Stateful } from '../device';
import type { Virtqueue } from './queue';

/** What a device sees of its transport. */
export interface DriverLink {
  readonly queues: readonly Virtqueue[];
  /** Whether the driver accepted feature bit `bit`. */
  accepted(bit: number): boolean;
  /** The driver is ready (DRIVER_OK) and the device sound: buffers may be used. */
  readonly live: boolean;
  /** Runs `process(queue)` as if the driver had notified it: for work that the host side brings. */
  service(queue: number): void;
  /** Tells the driver that the configuration space is not what it was (section 2.5). */
  configurationChanged(): void;
}

export abstract class VirtioDevice implements Stateful {
  /** Section 5: 2 block, 3 console, 4 entropy. */
  abstract readonly deviceId: number;
  /** PCI base class and subclass, as 0xBBSS. */
  abstract readonly pciClass: number;
  /** The device's own feature bits; the transport adds those of the rings. */
  abstract readonly features: bigint;
  /** Entries of each queue: powers of two up to 256. */
  abstract readonly queueSizes: readonly number[];
  abstract readonly kind: string;

  private attached: DriverLink | undefined;

  /** Called once, by the transport. */
  connect(link: DriverLink): void {
    if (this.attached) throw new Error(`${this.kind}: a device sits behind one transport; make another one`);
    this.attached = link;
  }
  protected get link(): DriverLink {
    if (!this.attached) throw new Error(`${this.kind}: not behind a transport yet; pass it to one first`);
    return this.attached;
  }
  protected queue(index: number): Virtqueue {
    return this.link.queues[index] as Virtqueue;
  }

  /** The configuration space, little-endian, as it reads now. */
  abstract configuration(): Uint8Array;
  /** The driver wrote to the configuration space; `offset` and `size` as it chose them. */
  writeConfiguration(_offset: number, _size: number, _value: number): void {}

  /**
   * Works on a queue that is ready.
   * @throws VirtioFault, BusError where the driver broke a rule; the transport sees to it.
   */
  abstract process(queue: number): void;
  /** The driver resets the device (section 2.4). What the host's side has brought and the guest not taken stays. */
  reset(): void {}
  /** Power-on: nothing stays. */
  powerOn(): void {
    this.reset();
  }
  abstract save(): Uint8Array;
  /** @throws StateError, and then nothing has changed. */
  abstract restore(payload: Uint8Array): void;
}
