/**
 * PCI Express host with memory-mapped configuration space (ECAM), as QEMU's
 * `virt` has it; device-tree binding "pci-host-ecam-generic". One bus of
 * integrated endpoints, and the host bridge in slot 0.
 *
 * The guest places the functions' registers itself, in three windows. Where
 * nothing answers, reads give all ones and writes are lost.
 */
import { bytes, list, nested, record, text, u8 } from '../snapshot/codec';
import { StateError } from '../snapshot/errors';
import type { AccessSize, Device, InterruptLine } from './device';
import { configurationState, PciFunction, type Mapping } from './pci-function';

/** Addresses of the windows on QEMU's `virt`, CPU side and PCI side alike (the I/O window starts at PCI address 0). */
const MMIO32_BASE = 0x4000_0000;
const MMIO64_BASE = 0x4_0000_0000;

const SLOTS = 32;
const ALL_ONES: Readonly<Record<AccessSize, number>> = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff };

const bridgeLayout = record('pcie-host-bridge', 1, { configuration: configurationState });

/** Function 00:00.0: there to be found, nothing more. */
class HostBridge extends PciFunction {
  readonly kind = bridgeLayout.name;
  constructor() {
    super({
      vendorId: 0x1b36, // Red Hat
      deviceId: 0x0008, // QEMU PCIe host bridge
      revision: 0,
      classCode: 0x060000,
      subsystemVendorId: 0x1af4,
      subsystemId: 0x1100,
      interruptPin: 0,
      baseAddresses: [],
      capabilities: [],
    });
  }
  protected get interruptPending(): boolean {
    return false;
  }
  save(): Uint8Array {
    return bridgeLayout.encode({ configuration: this.saveConfiguration() });
  }
  restore(payload: Uint8Array): void {
    const { configuration } = bridgeLayout.decode(payload);
    this.checkConfiguration(configuration);
    this.restoreConfiguration(configuration);
  }
}

const hostLayout = record('pcie-host', 1, {
  functions: list(nested({ slot: u8, kind: text, state: bytes })),
});
const windowLayout = record('pcie-window', 1, {});

/** A range of the CPU's addresses through which the functions' registers are reached. */
class Window implements Device {
  readonly kind = windowLayout.name;
  constructor(
    private readonly host: PcieHost,
    private readonly io: boolean,
    /** PCI address of the window's first byte. */
    private readonly base: number,
  ) {}

  read(offset: number, size: AccessSize): number {
    const address = this.base + offset;
    const mapping = this.host.find(this.io, address, size);
    return mapping ? mapping.register.read(address - mapping.start, size) >>> 0 : ALL_ONES[size];
  }
  write(offset: number, size: AccessSize, value: number): void {
    const address = this.base + offset;
    const mapping = this.host.find(this.io, address, size);
    mapping?.register.write(address - mapping.start, size, value);
  }
  // The functions hold all that there is to hold.
  reset(): void {}
  save(): Uint8Array {
    return windowLayout.encode({});
  }
  restore(payload: Uint8Array): void {
    windowLayout.decode(payload);
  }
}

/** Configuration space: bus 8 bits, slot 5, function 3, register 12. PCI Express 6.0, section 7.2.2. */
class ConfigurationWindow implements Device {
  readonly kind = hostLayout.name;
  constructor(private readonly host: PcieHost) {}

  /** Slots of bus 0; no other bus and no second function exists. */
  private at(offset: number): PciFunction | undefined {
    const slot = Math.floor(offset / 0x8000);
    return ((offset >>> 12) & 7) === 0 ? this.host.function(slot) : undefined;
  }
  read(offset: number, size: AccessSize): number {
    return this.at(offset)?.readConfiguration(offset & 0xfff, size) ?? ALL_ONES[size];
  }
  write(offset: number, size: AccessSize, value: number): void {
    this.at(offset)?.writeConfiguration(offset & 0xfff, size, value);
  }
  reset(): void {
    this.host.reset();
  }
  save(): Uint8Array {
    return this.host.save();
  }
  restore(payload: Uint8Array): void {
    this.host.restore(payload);
  }
}

export interface PcieHostOptions {
  /** The four inputs of the interrupt controller that INTA to INTD of slot 0 go to. */
  readonly interrupts: readonly [InterruptLine, InterruptLine, InterruptLine, InterruptLine];
  /** Address of the 64-bit window; default 0x400000000. */
  readonly mmio64Base?: number;
}

export class PcieHost {
  /** Configuration space. The state of the host and of all functions is saved with this one. */
  readonly ecam: Device;
  readonly pio: Device;
  readonly mmio32: Device;
  readonly mmio64: Device;

  private readonly interrupts: PcieHostOptions['interrupts'];
  private readonly slots = new Map<number, PciFunction>();
  private mappings: readonly Mapping[] = [];

  constructor({ interrupts, mmio64Base = MMIO64_BASE }: PcieHostOptions) {
    this.interrupts = interrupts;
    this.ecam = new ConfigurationWindow(this);
    this.pio = new Window(this, true, 0);
    this.mmio32 = new Window(this, false, MMIO32_BASE);
    this.mmio64 = new Window(this, false, mmio64Base);
    this.place(0, new HostBridge());
  }

  /** @param slot 1 to 31, free */
  attach(slot: number, device: PciFunction): void {
    if (!Number.isInteger(slot) || slot < 1 || slot >= SLOTS || this.slots.has(slot)) {
      throw new RangeError(`PCIe slot ${slot}: use a free one from 1 to ${SLOTS - 1}`);
    }
    this.place(slot, device);
  }
  private place(slot: number, device: PciFunction): void {
    this.slots.set(slot, device);
    device.connect({
      interruptChanged: () => this.updateInterrupt(slot, device),
      mappingChanged: () => this.updateMappings(),
    });
  }
  function(slot: number): PciFunction | undefined {
    return this.slots.get(slot);
  }

  /** The line of a function's pin: pins are turned by the slot's number, so that slots spread over the lines. */
  private line(slot: number, device: PciFunction): number {
    return (slot + device.interruptPin - 1) % 4;
  }
  /** Lines are shared: one is asserted while any of its functions asserts. */
  private updateInterrupt(slot: number, device: PciFunction): void {
    if (device.interruptPin === 0) return;
    const line = this.line(slot, device);
    let asserted = false;
    for (const [other, function_] of this.slots) {
      if (function_.asserted && this.line(other, function_) === line) asserted = true;
    }
    this.interrupts[line]?.set(asserted);
  }

  private updateMappings(): void {
    this.mappings = [...this.slots.values()].flatMap((device) => device.mappings());
  }
  /** The registers at a PCI address, if the whole access falls into one function's. */
  find(io: boolean, address: number, size: number): Mapping | undefined {
    return this.mappings.find(
      ({ io: isIo, start, register }) =>
        isIo === io && address >= start && address + size <= start + register.size,
    );
  }

  reset(): void {
    for (const device of this.slots.values()) device.reset();
  }
  save(): Uint8Array {
    const slots = [...this.slots].sort(([a], [b]) => a - b);
    return hostLayout.encode({
      functions: slots.map(([slot, device]) => ({ slot, kind: device.kind, state: device.save() })),
    });
  }
  /** @throws StateError when other functions sit in the slots. */
  restore(payload: Uint8Array): void {
    const { functions } = hostLayout.decode(payload);
    const slots = [...this.slots.keys()].sort((a, b) => a - b);
    const same = functions.every(
      ({ slot, kind }, index) => slot === slots[index] && this.slots.get(slot)?.kind === kind,
    );
    if (!same || functions.length !== this.slots.size) {
      throw new StateError(
        `${hostLayout.name}: saved with ${functions.map(({ slot, kind }) => `${kind} in slot ${slot}`).join(', ')}; restore into the same machine`,
      );
    }
    // All or none: a function that refuses its state takes back what the others have taken.
    const before = [...this.slots.values()].map((device) => ({ device, state: device.save() }));
    try {
      for (const { slot, state } of functions) this.slots.get(slot)?.restore(state);
    } catch (error) {
      for (const { device, state } of before) device.restore(state);
      throw error;
    }
  }
}
