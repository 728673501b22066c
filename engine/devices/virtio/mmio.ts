/**
 * virtio over memory-mapped registers, version 2. OASIS virtio 1.2, section
 * 4.2; device-tree binding "virtio,mmio". The window is 0x200 bytes or more.
 *
 * QEMU's `virt` has eight such slots, and an empty one shows device id 0,
 * which makes the driver pass it over (section 4.2.3.1.1).
 */
import { optional, record } from '../../snapshot/codec';
import { StateError } from '../../snapshot/errors';
import type { AccessSize, BusMemory, Device, InterruptLine } from '../device';
import { RegisterMap, type Register } from '../registers';
import type { VirtioDevice } from './device';
import { VirtioTransport, transportState } from './transport';

const MAGIC = 0x74726976; // "virt"
const VERSION = 2;
const VENDOR = 0x554d4551; // "QEMU", whose machine this is compatible with

/** First offset of the device's own configuration space. */
const CONFIGURATION = 0x100;

/** What an empty slot has too. */
const IDENTITY: readonly Register<unknown>[] = [
  { offset: 0x000, name: 'MagicValue', read: () => MAGIC },
  { offset: 0x004, name: 'Version', read: () => VERSION },
  { offset: 0x00c, name: 'VendorID', read: () => VENDOR },
];
const EMPTY_SLOT = new RegisterMap<undefined>(4, IDENTITY);

/** Section 4.2.2, table 4.1. */
const REGISTERS = new RegisterMap<VirtioTransport>(4, [
  ...IDENTITY,
  { offset: 0x008, name: 'DeviceID', read: (t) => t.device.deviceId },
  { offset: 0x010, name: 'DeviceFeatures', read: (t) => t.deviceFeatures },
  { offset: 0x014, name: 'DeviceFeaturesSel', write: (t, value) => (t.deviceFeaturesSelect = value) },
  { offset: 0x020, name: 'DriverFeatures', write: (t, value) => t.acceptFeatures(value) },
  { offset: 0x024, name: 'DriverFeaturesSel', write: (t, value) => (t.driverFeaturesSelect = value) },
  { offset: 0x030, name: 'QueueSel', write: (t, value) => (t.queueSelect = value) },
  { offset: 0x034, name: 'QueueSizeMax', read: (t) => t.selected?.maximum ?? 0 },
  { offset: 0x038, name: 'QueueSize', write: (t, value) => t.setQueueSize(value) },
  {
    offset: 0x044,
    name: 'QueueReady',
    read: (t) => (t.selected?.ready ? 1 : 0),
    write: (t, value) => t.setQueueReady((value & 1) === 1),
  },
  { offset: 0x050, name: 'QueueNotify', write: (t, value) => t.service(value) },
  { offset: 0x060, name: 'InterruptStatus', read: (t) => t.interruptStatus },
  { offset: 0x064, name: 'InterruptACK', write: (t, value) => t.acknowledge(value) },
  { offset: 0x070, name: 'Status', read: (t) => t.status, write: (t, value) => t.writeStatus(value & 0xff) },
  { offset: 0x080, name: 'QueueDescLow', write: (t, value) => t.setQueueAddress('descriptorArea', 0, value) },
  {
    offset: 0x084,
    name: 'QueueDescHigh',
    write: (t, value) => t.setQueueAddress('descriptorArea', 1, value),
  },
  { offset: 0x090, name: 'QueueDriverLow', write: (t, value) => t.setQueueAddress('driverArea', 0, value) },
  { offset: 0x094, name: 'QueueDriverHigh', write: (t, value) => t.setQueueAddress('driverArea', 1, value) },
  { offset: 0x0a0, name: 'QueueDeviceLow', write: (t, value) => t.setQueueAddress('deviceArea', 0, value) },
  { offset: 0x0a4, name: 'QueueDeviceHigh', write: (t, value) => t.setQueueAddress('deviceArea', 1, value) },
  // No shared memory regions: a length of -1 says that the one selected does not exist (section 4.2.2.1).
  { offset: 0x0b0, name: 'SHMLenLow', read: () => 0xffffffff },
  { offset: 0x0b4, name: 'SHMLenHigh', read: () => 0xffffffff },
  { offset: 0x0b8, name: 'SHMBaseLow', read: () => 0xffffffff },
  { offset: 0x0bc, name: 'SHMBaseHigh', read: () => 0xffffffff },
  { offset: 0x0fc, name: 'ConfigGeneration', read: (t) => t.configurationGeneration },
]);

const layout = record('virtio-mmio', 1, { transport: optional(transportState) });

export interface VirtioMmioOptions {
  /** What is plugged in; undefined for an empty slot. */
  readonly device: VirtioDevice | undefined;
  readonly memory: BusMemory;
  readonly interrupt: InterruptLine;
}

export class VirtioMmio implements Device {
  readonly kind = layout.name;
  private readonly transport: VirtioTransport | undefined;

  constructor({ device, memory, interrupt }: VirtioMmioOptions) {
    this.transport = device && new VirtioTransport(device, memory, (status) => interrupt.set(status !== 0));
  }

  reset(): void {
    this.transport?.reset();
  }

  read(offset: number, size: AccessSize): number {
    if (!this.transport) return EMPTY_SLOT.read(undefined, offset, size);
    if (offset < CONFIGURATION) return REGISTERS.read(this.transport, offset, size);
    return this.transport.readConfiguration(offset - CONFIGURATION, size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (!this.transport) return;
    if (offset < CONFIGURATION) REGISTERS.write(this.transport, offset, size, value);
    else this.transport.writeConfiguration(offset - CONFIGURATION, size, value);
  }

  save(): Uint8Array {
    return layout.encode({ transport: this.transport?.save() });
  }

  restore(payload: Uint8Array): void {
    const { transport } = layout.decode(payload);
    if ((transport === undefined) !== (this.transport === undefined)) {
      throw new StateError(
        'virtio-mmio: one of the saved slot and this slot is empty; restore into the same machine',
      );
    }
    if (transport) this.transport?.restore(transport);
  }
}
