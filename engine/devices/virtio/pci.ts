/**
 * virtio over PCI, modern interface only. OASIS virtio 1.2, section 4.1.
 *
 * BAR 4 (64-bit, prefetchable, as on QEMU) holds four structures, each in a
 * page of its own:
 *
 * ```
 * 0x0000 common configuration   0x1000 interrupt status
 * 0x2000 device configuration   0x3000 notifications, 4 bytes a queue
 * ```
 *
 * Interrupts go by INTx: the board's interrupt controller takes no messages.
 */
import { record } from '../../snapshot/codec';
import type { AccessSize, BusMemory } from '../device';
import { COMMAND, configurationState, PciFunction, type Capability } from '../pci-function';
import type { VirtioDevice } from './device';
import { VirtioTransport, transportState, type QueueArea } from './transport';

const BAR = 4;
const BAR_BYTES = 0x4000;
const REGION_BYTES = 0x1000;
const NOTIFY_MULTIPLIER = 4;
const NO_VECTOR = 0xffff;

/** Section 4.1.4: types of the structures. */
const STRUCTURE = { common: 1, notify: 2, interrupt: 3, device: 4, access: 5 } as const;

/** Where the structures' capabilities come to lie: the first at 0x40, 16 bytes each, notify and access 20. */
const ACCESS_CAPABILITY = 0x84;
const ACCESS_DATA = ACCESS_CAPABILITY + 16;

/** Section 4.1.4, struct virtio_pci_cap: the vendor-specific capability (9) that says where a structure lies. */
const structure = (
  type: number,
  offset: number,
  length: number,
  extra: readonly number[] = [],
): Uint8Array => {
  const bytes = new Uint8Array(16 + 4 * extra.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x09);
  view.setUint8(2, bytes.length);
  view.setUint8(3, type);
  view.setUint8(4, BAR);
  view.setUint32(8, offset, true);
  view.setUint32(12, length, true);
  extra.forEach((value, index) => view.setUint32(16 + 4 * index, value, true));
  return bytes;
};

const CAPABILITIES: readonly Capability[] = [
  { bytes: structure(STRUCTURE.common, 0x0000, REGION_BYTES) },
  { bytes: structure(STRUCTURE.interrupt, 0x1000, REGION_BYTES) },
  { bytes: structure(STRUCTURE.device, 0x2000, REGION_BYTES) },
  { bytes: structure(STRUCTURE.notify, 0x3000, REGION_BYTES, [NOTIFY_MULTIPLIER]) },
  {
    bytes: structure(STRUCTURE.access, 0, 0, [0]),
    writable: [
      [4, 1], // bar
      [8, 12], // offset, length, data
    ],
  },
];

interface Field {
  readonly name: string;
  readonly size: AccessSize;
  readonly read: (transport: VirtioTransport) => number;
  readonly write?: (transport: VirtioTransport, value: number) => void;
}

const addressHalf = (name: string, area: QueueArea, high: 0 | 1): Field => ({
  name: `${name} ${high ? 'high' : 'low'}`,
  size: 4,
  read: (t) => t.queueAddress(area, high),
  write: (t, value) => t.setQueueAddress(area, high, value),
});

/** Section 4.1.4.3, struct virtio_pci_common_cfg. A field answers at its own width only (section 4.1.3.1). */
const COMMON: Readonly<Record<number, Field>> = {
  0x00: {
    name: 'device_feature_select',
    size: 4,
    read: (t) => t.deviceFeaturesSelect,
    write: (t, value) => (t.deviceFeaturesSelect = value),
  },
  0x04: { name: 'device_feature', size: 4, read: (t) => t.deviceFeatures },
  0x08: {
    name: 'driver_feature_select',
    size: 4,
    read: (t) => t.driverFeaturesSelect,
    write: (t, value) => (t.driverFeaturesSelect = value),
  },
  0x0c: {
    name: 'driver_feature',
    size: 4,
    read: (t) => t.acceptedFeatures,
    write: (t, value) => t.acceptFeatures(value),
  },
  0x10: { name: 'config_msix_vector', size: 2, read: () => NO_VECTOR },
  0x12: { name: 'num_queues', size: 2, read: (t) => t.queues.length },
  0x14: { name: 'device_status', size: 1, read: (t) => t.status, write: (t, value) => t.writeStatus(value) },
  0x15: { name: 'config_generation', size: 1, read: (t) => t.configurationGeneration & 0xff },
  0x16: {
    name: 'queue_select',
    size: 2,
    read: (t) => t.queueSelect,
    write: (t, value) => (t.queueSelect = value),
  },
  0x18: {
    name: 'queue_size',
    size: 2,
    read: (t) => t.selected?.size ?? 0,
    write: (t, value) => t.setQueueSize(value),
  },
  0x1a: { name: 'queue_msix_vector', size: 2, read: () => NO_VECTOR },
  0x1c: {
    name: 'queue_enable',
    size: 2,
    read: (t) => (t.selected?.ready ? 1 : 0),
    // Only a reset disables a queue (section 4.1.4.3.2).
    write: (t, value) => value === 1 && t.setQueueReady(true),
  },
  0x1e: { name: 'queue_notify_off', size: 2, read: (t) => (t.selected ? t.queueSelect : 0) },
  0x20: addressHalf('queue_desc', 'descriptorArea', 0),
  0x24: addressHalf('queue_desc', 'descriptorArea', 1),
  0x28: addressHalf('queue_driver', 'driverArea', 0),
  0x2c: addressHalf('queue_driver', 'driverArea', 1),
  0x30: addressHalf('queue_device', 'deviceArea', 0),
  0x34: addressHalf('queue_device', 'deviceArea', 1),
};

interface Region {
  readonly read: (transport: VirtioTransport, offset: number, size: AccessSize) => number;
  readonly write: (transport: VirtioTransport, offset: number, size: AccessSize, value: number) => void;
}

/** The four pages of the BAR, in order. */
const REGIONS: readonly Region[] = [
  {
    read: (t, offset, size) => (COMMON[offset]?.size === size ? COMMON[offset].read(t) : 0),
    write: (t, offset, size, value) => {
      if (COMMON[offset]?.size === size) COMMON[offset].write?.(t, value);
    },
  },
  {
    // Section 4.1.4.5: reading acknowledges.
    read: (t, offset) => {
      if (offset !== 0) return 0;
      const status = t.interruptStatus;
      t.acknowledge(status);
      return status;
    },
    write: () => {},
  },
  {
    read: (t, offset, size) => t.readConfiguration(offset, size),
    write: (t, offset, size, value) => t.writeConfiguration(offset, size, value),
  },
  {
    read: () => 0,
    // Section 4.1.4.4: the address says which queue; the value repeats it.
    write: (t, offset) => t.service(Math.floor(offset / NOTIFY_MULTIPLIER)),
  },
];

const layout = record('virtio-pci', 1, {
  configuration: configurationState,
  transport: transportState,
});

export interface VirtioPciOptions {
  readonly device: VirtioDevice;
  readonly memory: BusMemory;
}

export class VirtioPci extends PciFunction {
  readonly kind = layout.name;
  private readonly transport: VirtioTransport;

  constructor({ device, memory }: VirtioPciOptions) {
    super({
      vendorId: 0x1af4,
      deviceId: 0x1040 + device.deviceId,
      revision: 1,
      classCode: device.pciClass << 8,
      subsystemVendorId: 0x1af4,
      subsystemId: 0x1100,
      interruptPin: 1,
      baseAddresses: [
        {
          index: BAR,
          space: 'memory64',
          prefetchable: true,
          size: BAR_BYTES,
          read: (offset, size) => this.readBar(offset, size),
          write: (offset, size, value) => this.writeBar(offset, size, value),
        },
      ],
      capabilities: CAPABILITIES,
    });
    this.transport = new VirtioTransport(device, memory, () => this.interruptChanged(), false);
  }

  protected get interruptPending(): boolean {
    return this.transport.interruptStatus !== 0;
  }

  private readBar(offset: number, size: AccessSize): number {
    const region = REGIONS[Math.floor(offset / REGION_BYTES)];
    return region?.read(this.transport, offset % REGION_BYTES, size) ?? 0;
  }
  private writeBar(offset: number, size: AccessSize, value: number): void {
    REGIONS[Math.floor(offset / REGION_BYTES)]?.write(this.transport, offset % REGION_BYTES, size, value);
  }

  // Section 4.1.4.9: the BAR through the configuration space, for software that has not mapped it yet.

  override readConfiguration(offset: number, size: AccessSize): number {
    const access = this.access(offset, size);
    if (access) {
      const value = this.readBar(access.offset, access.size);
      for (let index = 0; index < access.size; index++) access.data[index] = value >>> (8 * index);
    }
    return super.readConfiguration(offset, size);
  }
  override writeConfiguration(offset: number, size: AccessSize, value: number): void {
    super.writeConfiguration(offset, size, value);
    const access = this.access(offset, size);
    if (!access) return;
    let written = 0;
    for (let index = access.size - 1; index >= 0; index--)
      written = written * 256 + (access.data[index] ?? 0);
    this.writeBar(access.offset, access.size, written);
  }
  /** What the access capability asks for, when [offset, offset + size) touches its data and it is valid. */
  private access(offset: number, size: number) {
    if (offset + size <= ACCESS_DATA || offset >= ACCESS_DATA + 4) return undefined;
    const bytes = this.capabilityBytes(ACCESS_CAPABILITY, 20);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const target = view.getUint32(8, true);
    const length = view.getUint32(12, true);
    if (bytes[4] !== BAR || (length !== 1 && length !== 2 && length !== 4)) return undefined;
    if (target % length !== 0 || target + length > BAR_BYTES) return undefined;
    const width: AccessSize = length;
    return { offset: target, size: width, data: bytes.subarray(16, 20) };
  }

  protected override commandChanged(): void {
    super.commandChanged();
    // A function may not touch memory before software lets it.
    this.transport.setBusMaster((this.command & COMMAND.busMaster) !== 0);
  }

  override reset(): void {
    super.reset();
    this.transport.reset();
  }
  save(): Uint8Array {
    return layout.encode({ configuration: this.saveConfiguration(), transport: this.transport.save() });
  }
  restore(payload: Uint8Array): void {
    const { configuration, transport } = layout.decode(payload);
    this.checkConfiguration(configuration);
    this.transport.restore(transport, (this.commandOf(configuration) & COMMAND.busMaster) !== 0);
    this.restoreConfiguration(configuration);
  }
}
