/**
 * What both transports have in common: device status, feature negotiation,
 * queues, interrupt status. mmio.ts and pci.ts are register maps over it.
 * OASIS virtio 1.2, sections 2.1 to 2.5 and 3.1.
 */
import { bytes, list, nested, u32, u64, u8 } from '../../snapshot/codec';
import { StateError } from '../../snapshot/errors';
import { BusError, PageWanted, type BusMemory } from '../device';
import { VirtioFault } from './chain';
import type { DriverLink, VirtioDevice } from './device';
import { Virtqueue, queueState, type QueueState, type RingFeatures } from './queue';

/** Device status bits, section 2.1. */
export const STATUS = {
  acknowledge: 0x01,
  driver: 0x02,
  driverOk: 0x04,
  featuresOk: 0x08,
  needsReset: 0x40,
  failed: 0x80,
} as const;
const DRIVER_BITS = STATUS.acknowledge | STATUS.driver | STATUS.driverOk | STATUS.featuresOk | STATUS.failed;

/** Feature bits that belong to the rings and the transport, section 6. */
export const RING_FEATURE = { indirect: 28, eventIndex: 29, version1: 32 } as const;
const RING_FEATURES = Object.values(RING_FEATURE).reduce((set, bit) => set | (1n << BigInt(bit)), 0n);

const has = (features: bigint, bit: number): boolean => ((features >> BigInt(bit)) & 1n) === 1n;
const ringFeatures = (features: bigint): RingFeatures => ({
  indirect: has(features, RING_FEATURE.indirect),
  eventIndex: has(features, RING_FEATURE.eventIndex),
});

/** Interrupt status bits, sections 4.1.4.5 and 4.2.2. */
export const INTERRUPT = { usedBuffer: 1, configuration: 2 } as const;

/** What a queue's addresses are called in section 4.1.4.3 and 4.2.2. */
export type QueueArea = 'descriptorArea' | 'driverArea' | 'deviceArea';

/** Saved state of a transport and the device behind it. */
export const transportState = nested({
  status: u8,
  interruptStatus: u8,
  generation: u32,
  deviceFeaturesSelect: u32,
  driverFeaturesSelect: u32,
  driverFeatures: u64,
  queueSelect: u32,
  queues: list(queueState),
  device: bytes,
});
export type TransportState = ReturnType<VirtioTransport['save']>;

export class VirtioTransport implements DriverLink {
  queues: readonly Virtqueue[];
  /** Selectors are plain registers: any value, checked where they are used. */
  deviceFeaturesSelect = 0;
  driverFeaturesSelect = 0;
  queueSelect = 0;
  /** False while the device may not touch memory (PCI's Bus Master Enable). */
  private busMaster: boolean;
  private driverFeatures = 0n;
  private statusBits = 0;
  private interruptBits = 0;
  private generation = 0;

  constructor(
    readonly device: VirtioDevice,
    private readonly memory: BusMemory,
    /** Told the interrupt status whenever it may have changed. */
    private readonly onInterruptStatus: (status: number) => void,
    private readonly busMasterAtReset = true,
  ) {
    this.busMaster = busMasterAtReset;
    this.queues = device.queueSizes.map((size) => new Virtqueue(memory, size));
    device.connect(this);
  }

  // Features, section 2.2

  /** 32 bits of what the device offers, as `deviceFeaturesSelect` chooses. */
  get deviceFeatures(): number {
    if (this.deviceFeaturesSelect > 1) return 0;
    return this.half(this.device.features | RING_FEATURES, this.deviceFeaturesSelect);
  }
  get acceptedFeatures(): number {
    return this.driverFeaturesSelect > 1 ? 0 : this.half(this.driverFeatures, this.driverFeaturesSelect);
  }
  /** Ignored once FEATURES_OK stands: section 3.1.1 has the driver accept no more. */
  acceptFeatures(value: number): void {
    if (this.driverFeaturesSelect > 1 || this.statusBits & STATUS.featuresOk) return;
    const shift = 32n * BigInt(this.driverFeaturesSelect);
    const kept = this.driverFeatures & ~(0xffffffffn << shift);
    this.driverFeatures = kept | (BigInt(value >>> 0) << shift);
  }
  private half(features: bigint, select: number): number {
    return Number((features >> (32n * BigInt(select))) & 0xffffffffn);
  }
  accepted(bit: number): boolean {
    return has(this.driverFeatures, bit);
  }

  // Status, section 2.1

  get status(): number {
    return this.statusBits;
  }
  get live(): boolean {
    return (this.statusBits & (STATUS.driverOk | STATUS.needsReset)) === STATUS.driverOk && this.busMaster;
  }
  /** Zero resets the device; other writes add bits, since a driver may not clear any (section 2.1.1). */
  writeStatus(value: number): void {
    if (value === 0) return this.resetByDriver();
    const before = this.statusBits;
    let next = before | (value & DRIVER_BITS);
    // Section 2.2.2: what was not offered is not accepted. A driver that leaves out VERSION_1 is served as a
    // modern one all the same: this device has no legacy interface, and small systems do leave it out.
    if (this.driverFeatures & ~(this.device.features | RING_FEATURES)) next &= ~STATUS.featuresOk;
    if (!(next & STATUS.featuresOk)) next &= ~STATUS.driverOk;
    this.statusBits = next;
    if (next & ~before & STATUS.driverOk) this.serviceAll();
  }
  private resetByDriver(): void {
    this.clear();
    this.device.reset();
  }
  /** Power-on. */
  reset(): void {
    this.generation = 0;
    this.busMaster = this.busMasterAtReset;
    this.clear();
    this.device.powerOn();
  }
  private clear(): void {
    this.statusBits = this.interruptBits = 0;
    this.deviceFeaturesSelect = this.driverFeaturesSelect = this.queueSelect = 0;
    this.driverFeatures = 0n;
    for (const queue of this.queues) queue.reset();
    this.onInterruptStatus(0);
  }

  // Queues

  /** The queue that `queueSelect` names; undefined when there is none of that number. */
  get selected(): Virtqueue | undefined {
    return this.queues[this.queueSelect];
  }
  setQueueSize(value: number): void {
    const queue = this.selected;
    if (queue && !queue.ready) queue.size = value & 0xffff;
  }
  /** Half of an address; `high` 0 or 1. Ignored while the queue is in use, as the driver must not (4.2.2.2). */
  setQueueAddress(area: QueueArea, high: 0 | 1, value: number): void {
    const queue = this.selected;
    if (!queue || queue.ready) return;
    const shift = 32n * BigInt(high);
    queue[area] = (queue[area] & ~(0xffffffffn << shift)) | (BigInt(value >>> 0) << shift);
  }
  queueAddress(area: QueueArea, high: 0 | 1): number {
    return this.half(this.selected?.[area] ?? 0n, high);
  }
  setQueueReady(ready: boolean): void {
    const queue = this.selected;
    if (!queue || queue.ready === ready) return;
    if (ready) this.guard(() => queue.enable(ringFeatures(this.driverFeatures)));
    else queue.disable();
  }

  // Work

  /** The driver, or the host's side, has something for queue `index`. Any number is taken. */
  service(index: number): void {
    const queue = this.queues[index];
    if (!queue?.ready || !this.live) return;
    this.guard(() => {
      for (const each of this.queues) if (each.ready) each.require();
      this.device.process(index);
      // One queue's work may give back buffers of another (control messages of a console).
      for (const each of this.queues) {
        if (each.ready && each.settle()) this.interruptBits |= INTERRUPT.usedBuffer;
      }
    }, index);
    this.onInterruptStatus(this.interruptBits);
  }
  private serviceAll(): void {
    this.queues.forEach((_, index) => this.service(index));
  }
  setBusMaster(enabled: boolean): void {
    const before = this.busMaster;
    this.busMaster = enabled;
    if (enabled && !before) this.serviceAll();
  }

  /**
   * The one place where a driver's mistake ends: the device asks to be reset (section 2.1.2).
   * Work on a queue that needs an absent page is done again when the page is there.
   */
  private guard(work: () => void, queue?: number): void {
    try {
      work();
    } catch (error) {
      if (error instanceof PageWanted && queue !== undefined) {
        this.memory.later?.(() => this.service(queue));
        return;
      }
      if (!(error instanceof VirtioFault || error instanceof BusError)) throw error;
      this.statusBits |= STATUS.needsReset;
      this.notifyConfiguration();
    }
  }

  // Interrupts and configuration

  get interruptStatus(): number {
    return this.interruptBits;
  }
  acknowledge(bits: number): void {
    this.interruptBits &= ~bits;
    this.onInterruptStatus(this.interruptBits);
  }
  configurationChanged(): void {
    this.generation = (this.generation + 1) >>> 0;
    this.notifyConfiguration();
  }
  private notifyConfiguration(): void {
    if (!(this.statusBits & STATUS.driverOk)) return;
    this.interruptBits |= INTERRUPT.configuration;
    this.onInterruptStatus(this.interruptBits);
  }
  get configurationGeneration(): number {
    return this.generation;
  }
  /** Little-endian; zero beyond the end. */
  readConfiguration(offset: number, size: number): number {
    const space = this.device.configuration();
    let value = 0;
    for (let index = size - 1; index >= 0; index--) value = value * 256 + (space[offset + index] ?? 0);
    return value;
  }
  writeConfiguration(offset: number, size: number, value: number): void {
    this.device.writeConfiguration(offset, size, value);
  }

  // Checkpoints

  save() {
    return {
      status: this.statusBits,
      interruptStatus: this.interruptBits,
      generation: this.generation,
      deviceFeaturesSelect: this.deviceFeaturesSelect,
      driverFeaturesSelect: this.driverFeaturesSelect,
      driverFeatures: this.driverFeatures,
      queueSelect: this.queueSelect,
      queues: this.queues.map((queue) => queue.save()),
      device: this.device.save(),
    };
  }
  /**
   * Interrupt lines stay as they are.
   * @param busMaster whether the device may touch memory, which the bus knows
   * @throws StateError when the state is not one of this device; nothing has changed then
   */
  restore(state: TransportState, busMaster = true): void {
    if (state.queues.length !== this.queues.length) {
      throw new StateError(
        `${this.device.kind}: ${state.queues.length} saved queues for a device of ${this.queues.length}`,
      );
    }
    const features = ringFeatures(state.driverFeatures);
    const queues = this.queues.map(({ maximum }, index) => {
      const queue = new Virtqueue(this.memory, maximum);
      queue.restore(state.queues[index] as QueueState, features);
      return queue;
    });
    this.device.restore(state.device);
    this.queues = queues;
    this.busMaster = busMaster;
    this.statusBits = state.status;
    this.interruptBits = state.interruptStatus;
    this.generation = state.generation;
    this.deviceFeaturesSelect = state.deviceFeaturesSelect;
    this.driverFeaturesSelect = state.driverFeaturesSelect;
    this.driverFeatures = state.driverFeatures;
    this.queueSelect = state.queueSelect;
  }
}
