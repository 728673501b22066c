/**
 * One PCI function as configuration software sees it: a type 0 header, base
 * address registers, capabilities, the INTx pin. PCI Local Bus 3.0, section 6.
 */
import { bytesOf } from '../snapshot/codec';
import { StateError } from '../snapshot/errors';
import type { AccessSize, Stateful } from './device';

export const CONFIGURATION_BYTES = 256;

/** Offsets in the type 0 header, section 6.1. */
const HEADER = {
  vendorId: 0x00,
  deviceId: 0x02,
  command: 0x04,
  status: 0x06,
  revision: 0x08,
  classCode: 0x09,
  cacheLineSize: 0x0c,
  baseAddress: 0x10,
  subsystemVendorId: 0x2c,
  subsystemId: 0x2e,
  capabilities: 0x34,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
} as const;

/** Command register, section 6.2.2. */
export const COMMAND = { io: 0x1, memory: 0x2, busMaster: 0x4, interruptDisable: 0x400 } as const;
const COMMAND_WRITABLE = COMMAND.io | COMMAND.memory | COMMAND.busMaster | COMMAND.interruptDisable;
/** Status register, section 6.2.3. */
const INTERRUPT_STATUS = 0x08;
const CAPABILITIES_LIST = 0x10;

/** Low bits of a base address register, section 6.2.5.1. */
const BAR_TYPE = { io: 0x1, memory32: 0x0, memory64: 0x4 } as const;
const BAR_PREFETCHABLE = 0x8;

export interface BaseAddressRegister {
  /** 0 to 5; a 64-bit one takes the next number as well. */
  readonly index: number;
  readonly space: keyof typeof BAR_TYPE;
  readonly prefetchable?: boolean;
  /** Bytes, a power of two, at least 16. */
  readonly size: number;
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

/** A base address register that decodes now. */
export interface Mapping {
  readonly io: boolean;
  readonly start: number;
  readonly register: BaseAddressRegister;
}

export interface FunctionDescription {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision: number;
  /** Base class, subclass and programming interface, 0xBBSSPP. */
  readonly classCode: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  /** INTx pin: 0 none, 1 INTA. */
  readonly interruptPin: 0 | 1 | 2 | 3 | 4;
  readonly baseAddresses: readonly BaseAddressRegister[];
  /** Capabilities as they stand in the space, with zero where the pointer to the next belongs. */
  readonly capabilities: readonly Capability[];
}

export interface Capability {
  readonly bytes: Uint8Array;
  /** Offset and length in `bytes` of what the guest may write. */
  readonly writable?: readonly (readonly [offset: number, length: number])[];
}

/** What a function tells the bridge that it hangs on. */
export interface FunctionListener {
  interruptChanged(): void;
  mappingChanged(): void;
}

/** Field for the saved state of a function's configuration space. */
export const configurationState = bytesOf(CONFIGURATION_BYTES);

export abstract class PciFunction implements Stateful {
  abstract readonly kind: string;
  private readonly space = new Uint8Array(CONFIGURATION_BYTES);
  /** A one where the guest may write. */
  private readonly mask = new Uint8Array(CONFIGURATION_BYTES);
  private readonly view = new DataView(this.space.buffer);
  private readonly description: FunctionDescription;
  private readonly powerOn: Uint8Array;
  private listener: FunctionListener | undefined;

  protected constructor(description: FunctionDescription) {
    this.description = description;
    const { view } = this;
    view.setUint16(HEADER.vendorId, description.vendorId, true);
    view.setUint16(HEADER.deviceId, description.deviceId, true);
    view.setUint8(HEADER.revision, description.revision);
    view.setUint8(HEADER.classCode, description.classCode & 0xff);
    view.setUint16(HEADER.classCode + 1, description.classCode >>> 8, true);
    view.setUint16(HEADER.subsystemVendorId, description.subsystemVendorId, true);
    view.setUint16(HEADER.subsystemId, description.subsystemId, true);
    view.setUint8(HEADER.interruptPin, description.interruptPin);
    const mask = new DataView(this.mask.buffer);
    mask.setUint16(HEADER.command, COMMAND_WRITABLE, true);
    mask.setUint8(HEADER.cacheLineSize, 0xff);
    mask.setUint8(HEADER.interruptLine, 0xff);
    for (const register of description.baseAddresses) {
      const at = HEADER.baseAddress + 4 * register.index;
      view.setUint32(at, BAR_TYPE[register.space] | (register.prefetchable ? BAR_PREFETCHABLE : 0), true);
      // Address bits below the size stay zero, which is how software finds the size (section 6.2.5.1).
      mask.setUint32(at, -register.size >>> 0, true);
      if (register.space === 'memory64') mask.setUint32(at + 4, 0xffffffff, true);
    }
    this.placeCapabilities(description.capabilities);
    this.powerOn = this.space.slice();
  }

  private placeCapabilities(capabilities: readonly Capability[]): void {
    let pointer: number = HEADER.capabilities;
    let at = 0x40;
    for (const { bytes, writable = [] } of capabilities) {
      this.space.set(bytes, at);
      this.space[pointer] = at;
      this.view.setUint16(HEADER.status, CAPABILITIES_LIST, true);
      for (const [offset, length] of writable) this.mask.fill(0xff, at + offset, at + offset + length);
      pointer = at + 1;
      at += (bytes.length + 3) & ~3;
    }
  }

  /** Called once, by the bridge. */
  connect(listener: FunctionListener): void {
    if (this.listener) throw new Error('a PCI function sits in one slot; make another one');
    this.listener = listener;
  }

  get command(): number {
    return this.view.getUint16(HEADER.command, true);
  }
  /** The command register of a saved space. */
  protected commandOf(saved: Uint8Array): number {
    return new DataView(saved.buffer, saved.byteOffset).getUint16(HEADER.command, true);
  }
  get interruptPin(): number {
    return this.description.interruptPin;
  }
  /** Whether the function pulls its INTx line. */
  get asserted(): boolean {
    return this.interruptPending && !(this.command & COMMAND.interruptDisable);
  }
  /** Whether the device has cause for an interrupt, masked or not. */
  protected abstract get interruptPending(): boolean;
  protected interruptChanged(): void {
    this.listener?.interruptChanged();
  }

  /** Zero behind the 256 bytes: no extended capabilities. */
  readConfiguration(offset: number, size: AccessSize): number {
    let value = 0;
    for (let index = size - 1; index >= 0; index--) {
      let byte = this.space[offset + index] ?? 0;
      if (offset + index === HEADER.status && this.interruptPending) byte |= INTERRUPT_STATUS;
      value = value * 256 + byte;
    }
    return value;
  }

  writeConfiguration(offset: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size && offset + index < CONFIGURATION_BYTES; index++) {
      const at = offset + index;
      const mask = this.mask[at] as number;
      this.space[at] = ((this.space[at] as number) & ~mask) | ((value >>> (8 * index)) & mask);
    }
    if (offset < HEADER.baseAddress + 24) this.commandChanged();
  }

  /** Command or base addresses may have changed. */
  protected commandChanged(): void {
    this.listener?.mappingChanged();
    this.listener?.interruptChanged();
  }

  /** Where the base address registers decode, as command and addresses stand. */
  mappings(): Mapping[] {
    const { command } = this;
    return this.description.baseAddresses.flatMap((register) => {
      const io = register.space === 'io';
      if (!(command & (io ? COMMAND.io : COMMAND.memory))) return [];
      const at = HEADER.baseAddress + 4 * register.index;
      const low = this.view.getUint32(at, true);
      const high = register.space === 'memory64' ? this.view.getUint32(at + 4, true) : 0;
      const start = high * 2 ** 32 + ((low & (io ? ~0x3 : ~0xf)) >>> 0);
      return [{ io, start, register }];
    });
  }

  /** Back to power-on. */
  reset(): void {
    this.space.set(this.powerOn);
    this.commandChanged();
  }

  protected saveConfiguration(): Uint8Array {
    return this.space.slice();
  }
  /** @throws StateError when the space is of another function. */
  protected checkConfiguration(saved: Uint8Array): void {
    const differs = saved.some(
      (byte, at) => ((byte ^ (this.powerOn[at] as number)) & ~(this.mask[at] as number)) !== 0,
    );
    if (differs)
      throw new StateError(`${this.kind}: the saved configuration space is of another PCI function`);
  }
  /** Puts a checked space back. Interrupt lines stay as they are. */
  protected restoreConfiguration(saved: Uint8Array): void {
    this.space.set(saved);
    this.listener?.mappingChanged();
  }
  abstract save(): Uint8Array;
  /** @throws StateError, and then nothing has changed. */
  abstract restore(payload: Uint8Array): void;

  /** Bytes of the space that a capability keeps for the guest. */
  protected capabilityBytes(offset: number, length: number): Uint8Array {
    return this.space.subarray(offset, offset + length);
  }
}
