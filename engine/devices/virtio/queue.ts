/**
 * The split virtqueue from the device's side. OASIS virtio 1.2, section 2.7.
 *
 * All of it lies in guest memory, so every index, address and length is taken
 * as hostile: what breaks a rule throws VirtioFault or BusError, which the
 * transport turns into DEVICE_NEEDS_RESET. No walk is longer than a queue and
 * one indirect table.
 *
 * ```
 * descriptor table   16 bytes each: address u64, length u32, flags u16, next u16
 * driver area        flags u16, idx u16, ring u16 * size, used_event u16
 * device area        flags u16, idx u16, ring {id u32, len u32} * size, avail_event u16
 * ```
 */
import { bool, nested, u16, u64 } from '../../snapshot/codec';
import { StateError } from '../../snapshot/errors';
import type { BusMemory } from '../device';
import { Chain, VirtioFault, type Segment } from './chain';

/** Largest queue that any of our devices offers. */
export const MAXIMUM_QUEUE_SIZE = 256;

/** Longest indirect table; drivers keep to the queue's size or to a device's own limit, both below it. */
const MAXIMUM_INDIRECT = 1024;

/** Descriptor flags, section 2.7.5. */
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

/** Flag of the driver area: no interrupts please, section 2.7.6. */
const NO_INTERRUPT = 1;

/** Most bytes in one buffer, section 2.7.5: 2^32. */
const MAXIMUM_CHAIN_BYTES = 2 ** 32;

/** Saved state of one queue. */
export const queueState = nested({
  size: u16,
  ready: bool,
  descriptorArea: u64,
  driverArea: u64,
  deviceArea: u64,
  nextAvailable: u16,
  nextUsed: u16,
  signalled: u16,
});
export type QueueState = ReturnType<Virtqueue['save']>;

/** The rings' features that were negotiated. */
export interface RingFeatures {
  readonly indirect: boolean;
  readonly eventIndex: boolean;
}

const isPowerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;

export class Virtqueue {
  /** Set by the driver through the transport, before `enable`. */
  size: number;
  descriptorArea = 0n;
  driverArea = 0n;
  deviceArea = 0n;

  private enabled = false;
  private features: RingFeatures = { indirect: false, eventIndex: false };
  /** The three areas as numbers, once they are known to lie in RAM. */
  private descriptors = 0;
  private driver = 0;
  private device = 0;
  /** Indices run freely through 16 bits; the place in a ring is the index modulo the size. */
  private nextAvailable = 0;
  private nextUsed = 0;
  /** `nextUsed` when the driver was last considered for an interrupt. */
  private signalled = 0;

  constructor(
    private readonly memory: BusMemory,
    readonly maximum: number,
  ) {
    if (!isPowerOfTwo(maximum) || maximum > MAXIMUM_QUEUE_SIZE) {
      throw new RangeError(
        `virtqueue of ${maximum} entries: the size must be a power of two up to ${MAXIMUM_QUEUE_SIZE}`,
      );
    }
    this.size = maximum;
  }

  get ready(): boolean {
    return this.enabled;
  }

  reset(): void {
    this.size = this.maximum;
    this.descriptorArea = this.driverArea = this.deviceArea = 0n;
    this.nextAvailable = this.nextUsed = this.signalled = 0;
    this.enabled = false;
  }

  /** Stops the queue; the driver may then set it up anew (section 4.2.2.2, QueueReady). */
  disable(): void {
    this.enabled = false;
    this.nextAvailable = this.nextUsed = this.signalled = 0;
  }

  /** @throws VirtioFault unless size, alignment and place of the three areas are right (section 2.7). */
  enable(features: RingFeatures): void {
    if (!isPowerOfTwo(this.size) || this.size > this.maximum) {
      throw new VirtioFault(`queue size ${this.size}`);
    }
    const event = features.eventIndex ? 2 : 0;
    this.descriptors = this.area(this.descriptorArea, 16, 16 * this.size);
    this.driver = this.area(this.driverArea, 2, 4 + 2 * this.size + event);
    this.device = this.area(this.deviceArea, 4, 4 + 8 * this.size + event);
    this.features = features;
    this.enabled = true;
  }

  private area(address: bigint, alignment: number, length: number): number {
    const start = Number(address);
    if (!Number.isSafeInteger(start) || start % alignment !== 0 || !this.memory.contains(start, length)) {
      throw new VirtioFault(`queue area of ${length} bytes at 0x${address.toString(16)}`);
    }
    return start;
  }

  /**
   * Number of buffers that the driver has made available. Take at most that
   * many before looking again: a buffer may overlap the ring itself, so a loop
   * that looks each time need not end.
   */
  waiting(): number {
    const count = (this.memory.readU16(this.driver + 2) - this.nextAvailable) & 0xffff;
    if (count > this.size) throw new VirtioFault(`${count} buffers available in a queue of ${this.size}`);
    return count;
  }

  /** Before a round of work: the rings are there. @throws PageWanted */
  require(): void {
    const { memory, size } = this;
    const event = this.features.eventIndex ? 2 : 0;
    memory.require?.(this.descriptors, 16 * size);
    memory.require?.(this.driver, 4 + 2 * size + event);
    memory.require?.(this.device, 4 + 8 * size + event);
  }

  /** The next available buffer. Call only as often as `waiting()` said. @throws PageWanted, and nothing is taken then */
  take(): Chain {
    const head = this.memory.readU16(this.driver + 4 + 2 * (this.nextAvailable % this.size));
    const readable: Segment[] = [];
    const writable: Segment[] = [];
    this.walk(head, readable, writable);
    for (const { address, length } of [...readable, ...writable]) this.memory.require?.(address, length);
    this.nextAvailable = (this.nextAvailable + 1) & 0xffff;
    return new Chain(head, this.memory, readable, writable);
  }

  /** The last buffer taken waits for something, and is as good as not taken. */
  putBack(): void {
    this.nextAvailable = (this.nextAvailable - 1) & 0xffff;
  }

  private walk(head: number, readable: Segment[], writable: Segment[]): void {
    let table = this.descriptors;
    let entries = this.size;
    let index = head;
    let inIndirect = false;
    let total = 0;
    for (let visited = 0; ;) {
      if (index >= entries) throw new VirtioFault(`descriptor ${index} of a table of ${entries}`);
      if (++visited > entries) throw new VirtioFault('descriptor chain loops');
      const at = table + 16 * index;
      const address = this.memory.readU64(at);
      const length = this.memory.readU32(at + 8);
      const flags = this.memory.readU16(at + 12);
      if (flags & INDIRECT) {
        // Section 2.7.5.3: negotiated, not nested, and the last of its chain.
        if (!this.features.indirect || inIndirect || flags & NEXT) {
          throw new VirtioFault('indirect descriptor where none may be');
        }
        entries = length / 16;
        if (!Number.isInteger(entries) || entries === 0 || entries > MAXIMUM_INDIRECT) {
          throw new VirtioFault(`indirect table of ${length} bytes`);
        }
        if (!this.memory.contains(address, length)) throw new VirtioFault('indirect table outside RAM');
        inIndirect = true;
        table = address;
        index = 0;
        visited = 0;
        continue;
      }
      if (length > 0) {
        if (!this.memory.contains(address, length)) throw new VirtioFault('buffer outside RAM');
        total += length;
        if (total > MAXIMUM_CHAIN_BYTES) throw new VirtioFault('buffer of more than 4 GiB');
      }
      // Section 2.7.4.2: what the device may write comes after what it may read.
      if (flags & WRITE) writable.push({ address, length });
      else if (writable.length > 0) throw new VirtioFault('readable descriptor after a writable one');
      else readable.push({ address, length });
      if (!(flags & NEXT)) return;
      index = this.memory.readU16(at + 14);
    }
  }

  /** Hands a buffer back: ring entry first, index last (section 2.7.8.2). */
  give(chain: Chain): void {
    const entry = this.device + 4 + 8 * (this.nextUsed % this.size);
    this.memory.writeU32(entry, chain.head);
    this.memory.writeU32(entry + 4, Math.min(chain.writable.written, 0xffffffff));
    this.nextUsed = (this.nextUsed + 1) & 0xffff;
    this.memory.writeU16(this.device + 2, this.nextUsed);
  }

  /**
   * After a round of work: asks for a notification of the next available
   * buffer, and tells whether the driver wants an interrupt for what was given
   * back since the last call (sections 2.7.7 and 2.7.10).
   */
  settle(): boolean {
    const before = this.signalled;
    const given = (this.nextUsed - before) & 0xffff;
    this.signalled = this.nextUsed;
    if (!this.features.eventIndex) {
      return given > 0 && !(this.memory.readU16(this.driver) & NO_INTERRUPT);
    }
    const availableEvent = this.device + 4 + 8 * this.size;
    // Only where it changes: an idle queue should leave its page clean.
    if (this.memory.readU16(availableEvent) !== this.nextAvailable) {
      this.memory.writeU16(availableEvent, this.nextAvailable);
    }
    const usedEvent = this.memory.readU16(this.driver + 4 + 2 * this.size);
    return ((this.nextUsed - usedEvent - 1) & 0xffff) < given;
  }

  save() {
    const { size, ready, descriptorArea, driverArea, deviceArea, nextAvailable, nextUsed, signalled } = this;
    return { size, ready, descriptorArea, driverArea, deviceArea, nextAvailable, nextUsed, signalled };
  }

  /** @throws StateError when the queue cannot have been ready with what was saved. */
  restore(state: QueueState, features: RingFeatures): void {
    this.size = state.size;
    this.descriptorArea = state.descriptorArea;
    this.driverArea = state.driverArea;
    this.deviceArea = state.deviceArea;
    this.nextAvailable = state.nextAvailable;
    this.nextUsed = state.nextUsed;
    this.signalled = state.signalled;
    this.enabled = false;
    if (!state.ready) return;
    try {
      this.enable(features);
    } catch (error) {
      if (!(error instanceof VirtioFault)) throw error;
      throw new StateError(`virtqueue: saved as ready, but ${error.message} is not valid in this machine`);
    }
  }
}
