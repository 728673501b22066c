/** A miniature driver, written from the specification and sharing nothing with the device's side. */
import type { Device } from '../../../engine/devices/device';
import { PcieHost } from '../../../engine/devices/pcie';
import type { VirtioDevice } from '../../../engine/devices/virtio/device';
import { VirtioMmio } from '../../../engine/devices/virtio/mmio';
import { VirtioPci } from '../../../engine/devices/virtio/pci';
import { RecordingLine } from '../../contract/device';
import { RAM_BASE, TestRam } from './ram';

/** How a driver reaches the registers of a device. */
export interface Port {
  deviceId(): number;
  offered(): bigint;
  accept(features: bigint): void;
  getStatus(): number;
  setStatus(value: number): void;
  queueMaximum(queue: number): number;
  enable(queue: number, size: number, descriptors: bigint, driver: bigint, device: bigint): void;
  notify(queue: number): void;
  /** Reads and acknowledges. */
  interruptStatus(): number;
  config(offset: number, size: 1 | 2 | 4): number;
  setConfig(offset: number, size: 1 | 2 | 4, value: number): void;
}

const low = (value: bigint): number => Number(value & 0xffffffffn);
const high = (value: bigint): number => Number(value >> 32n);

export class MmioPort implements Port {
  constructor(readonly window: Device) {}
  private get(offset: number): number {
    return this.window.read(offset, 4);
  }
  private set(offset: number, value: number): void {
    this.window.write(offset, 4, value);
  }
  deviceId(): number {
    if (this.get(0) !== 0x74726976 || this.get(4) !== 2) throw new Error('not virtio-mmio version 2');
    return this.get(8);
  }
  offered(): bigint {
    this.set(0x14, 1);
    const top = BigInt(this.get(0x10));
    this.set(0x14, 0);
    return (top << 32n) | BigInt(this.get(0x10));
  }
  accept(features: bigint): void {
    this.set(0x24, 0);
    this.set(0x20, low(features));
    this.set(0x24, 1);
    this.set(0x20, high(features));
  }
  getStatus(): number {
    return this.get(0x70);
  }
  setStatus(value: number): void {
    this.set(0x70, value);
  }
  queueMaximum(queue: number): number {
    this.set(0x30, queue);
    return this.get(0x34);
  }
  enable(queue: number, size: number, ...areas: bigint[]): void {
    this.set(0x30, queue);
    this.set(0x38, size);
    [0x80, 0x90, 0xa0].forEach((offset, index) => {
      this.set(offset, low(areas[index]!));
      this.set(offset + 4, high(areas[index]!));
    });
    this.set(0x44, 1);
  }
  notify(queue: number): void {
    this.set(0x50, queue);
  }
  interruptStatus(): number {
    const status = this.get(0x60);
    this.set(0x64, status);
    return status;
  }
  config(offset: number, size: 1 | 2 | 4): number {
    return this.window.read(0x100 + offset, size);
  }
  setConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    this.window.write(0x100 + offset, size, value);
  }
}

export class PciPort implements Port {
  private readonly regions = new Map<number, { offset: number; multiplier: number }>();
  private readonly base: number;

  /** Finds the structures by their capabilities and places the BAR `place` bytes into the 64-bit window. */
  constructor(
    readonly host: PcieHost,
    readonly slot: number,
    place = slot * 0x10000,
  ) {
    const space = (offset: number, size: 1 | 2 | 4): number => host.ecam.read(slot * 0x8000 + offset, size);
    const setSpace = (offset: number, value: number): void =>
      host.ecam.write(slot * 0x8000 + offset, 4, value);
    let bar = -1;
    for (let at = space(0x34, 1); at !== 0; at = space(at + 1, 1)) {
      if (space(at, 1) !== 0x09) continue;
      const type = space(at + 3, 1);
      if (type > 4) continue;
      bar = space(at + 4, 1);
      this.regions.set(type, {
        offset: space(at + 8, 4),
        multiplier: type === 2 ? space(at + 16, 4) : 0,
      });
    }
    const register = 0x10 + 4 * bar;
    const address = 0x4_0000_0000 + place;
    setSpace(register, address % 2 ** 32);
    setSpace(register + 4, Math.floor(address / 2 ** 32));
    setSpace(0x04, 0x6);
    this.base = place;
  }
  private get(type: number, offset: number, size: 1 | 2 | 4): number {
    return this.host.mmio64.read(this.base + this.regions.get(type)!.offset + offset, size);
  }
  private set(type: number, offset: number, size: 1 | 2 | 4, value: number): void {
    this.host.mmio64.write(this.base + this.regions.get(type)!.offset + offset, size, value);
  }
  deviceId(): number {
    return this.host.ecam.read(this.slot * 0x8000 + 2, 2) - 0x1040;
  }
  offered(): bigint {
    this.set(1, 0, 4, 1);
    const top = BigInt(this.get(1, 4, 4));
    this.set(1, 0, 4, 0);
    return (top << 32n) | BigInt(this.get(1, 4, 4));
  }
  accept(features: bigint): void {
    this.set(1, 8, 4, 0);
    this.set(1, 12, 4, low(features));
    this.set(1, 8, 4, 1);
    this.set(1, 12, 4, high(features));
  }
  getStatus(): number {
    return this.get(1, 0x14, 1);
  }
  setStatus(value: number): void {
    this.set(1, 0x14, 1, value);
  }
  queueMaximum(queue: number): number {
    this.set(1, 0x16, 2, queue);
    return this.get(1, 0x18, 2);
  }
  enable(queue: number, size: number, ...areas: bigint[]): void {
    this.set(1, 0x16, 2, queue);
    this.set(1, 0x18, 2, size);
    areas.forEach((area, index) => {
      this.set(1, 0x20 + 8 * index, 4, low(area));
      this.set(1, 0x24 + 8 * index, 4, high(area));
    });
    this.set(1, 0x1c, 2, 1);
  }
  notify(queue: number): void {
    this.set(1, 0x16, 2, queue);
    const { multiplier } = this.regions.get(2)!;
    this.set(2, this.get(1, 0x1e, 2) * multiplier, 2, queue);
  }
  interruptStatus(): number {
    return this.get(3, 0, 1);
  }
  config(offset: number, size: 1 | 2 | 4): number {
    return this.get(4, offset, size);
  }
  setConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    this.set(4, offset, size, value);
  }
}

/** A device behind one of the transports, with its RAM and line. */
export interface Bench {
  readonly ram: TestRam;
  readonly line: RecordingLine;
  readonly port: Port;
  readonly device: VirtioDevice;
  /** What saves the whole. */
  readonly saved: Device;
}

export const RAM_SIZE = 1 << 20;

export const onMmio = (device: VirtioDevice, ram = new TestRam(RAM_SIZE)): Bench => {
  const line = new RecordingLine();
  const slot = new VirtioMmio({ device, memory: ram, interrupt: line });
  return { ram, line, port: new MmioPort(slot), device, saved: slot };
};
export const onPci = (device: VirtioDevice, ram = new TestRam(RAM_SIZE)): Bench => {
  const lines = [0, 1, 2, 3].map(() => new RecordingLine());
  const host = new PcieHost({ interrupts: lines as never });
  host.attach(3, new VirtioPci({ device, memory: ram }));
  return { ram, line: lines[3]!, port: new PciPort(host, 3), device, saved: host.ecam };
};
export const TRANSPORTS = [
  ['mmio', onMmio],
  ['pci', onPci],
] as const;

export const FEATURE = { indirect: 1n << 28n, eventIndex: 1n << 29n, version1: 1n << 32n };

export type Part = { readonly out: Uint8Array } | { readonly in: number };

/** One queue in RAM, as the driver keeps it. */
export class DriverQueue {
  readonly size: number;
  readonly descriptors: number;
  readonly driver: number;
  readonly device: number;
  private data: number;
  private free = 0;
  private available = 0;
  private seen = 0;

  /** @param at start of 64 KiB of RAM that belong to the queue */
  constructor(
    private readonly bench: Bench,
    private readonly index: number,
    at: number,
    private readonly features: bigint,
    size = 16,
  ) {
    this.size = size;
    this.descriptors = at;
    this.driver = at + 0x1000;
    this.device = at + 0x2000;
    this.data = at + 0x3000;
    bench.port.enable(index, size, BigInt(this.descriptors), BigInt(this.driver), BigInt(this.device));
  }

  private poke(address: number, width: 2 | 4 | 8, value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    this.bench.ram.poke(address, bytes.subarray(0, width));
  }
  private descriptor(at: number, address: number, length: number, flags: number, next: number): void {
    this.poke(at, 8, address);
    this.poke(at + 8, 4, length);
    this.poke(at + 12, 2, flags);
    this.poke(at + 14, 2, next);
  }

  /** Makes a buffer available; gives where its writable parts lie. */
  add(parts: readonly Part[], indirect = false): { head: number; places: number[] } {
    const places: number[] = [];
    const table = indirect ? this.allocate(16 * parts.length) : this.descriptors;
    const first = indirect ? 0 : this.free;
    parts.forEach((part, index) => {
      const length = 'out' in part ? part.out.length : part.in;
      const address = this.allocate(length);
      if ('out' in part) this.bench.ram.poke(address, part.out);
      else places.push(address);
      const last = index === parts.length - 1;
      const slot = indirect ? index : (first + index) % this.size;
      const next = indirect ? index + 1 : (first + index + 1) % this.size;
      this.descriptor(
        table + 16 * slot,
        address,
        length,
        ('in' in part ? 2 : 0) | (last ? 0 : 1),
        last ? 0 : next,
      );
    });
    const head = this.free;
    if (indirect) this.descriptor(this.descriptors + 16 * head, table, 16 * parts.length, 4, 0);
    this.free = (this.free + (indirect ? 1 : parts.length)) % this.size;
    this.poke(this.driver + 4 + 2 * (this.available % this.size), 2, head);
    this.available = (this.available + 1) & 0xffff;
    this.poke(this.driver + 2, 2, this.available);
    return { head, places };
  }
  private allocate(length: number): number {
    const limit = this.descriptors + 0x10000;
    if (this.data + length > limit) this.data = this.descriptors + 0x3000;
    const address = this.data;
    this.data += (length + 15) & ~15;
    return address;
  }

  /** Notifies if the device wants to hear of the last buffer, as section 2.7.10 has it. */
  kick(): void {
    const { ram, port } = this.bench;
    const event = ram.readU16(this.device + 4 + 8 * this.size);
    const wanted = this.features & FEATURE.eventIndex ? event === ((this.available - 1) & 0xffff) : true;
    if (!wanted) return;
    port.notify(this.index);
  }
  /** Asks for an interrupt when `count` more buffers have come back. */
  wantInterruptAfter(count: number): void {
    this.poke(this.driver + 4 + 2 * this.size, 2, (this.seen + count - 1) & 0xffff);
  }
  forbidInterrupts(): void {
    this.poke(this.driver, 2, 1);
  }

  /** Buffers that came back. */
  used(): { head: number; length: number }[] {
    const { ram } = this.bench;
    const found = [];
    for (const end = ram.readU16(this.device + 2); this.seen !== end; this.seen = (this.seen + 1) & 0xffff) {
      const entry = this.device + 4 + 8 * (this.seen % this.size);
      found.push({ head: ram.readU32(entry), length: ram.readU32(entry + 4) });
    }
    if (this.features & FEATURE.eventIndex) this.wantInterruptAfter(1);
    return found;
  }

  /** One buffer there and back: the bytes that the device wrote, and the length that it reports. */
  exchange(parts: readonly Part[], indirect = false): { bytes: Uint8Array; length: number } {
    const { ram } = this.bench;
    const { head, places } = this.add(parts, indirect);
    this.kick();
    const used = this.used();
    if (used.length !== 1 || used[0]!.head !== head) throw new Error('the buffer did not come back');
    const writable = parts.filter((part): part is { in: number } => 'in' in part);
    const bytes = writable.flatMap((part, index) => [...ram.view(places[index]!, part.in)]);
    return { bytes: Uint8Array.from(bytes), length: used[0]!.length };
  }
}

/** Section 3.1.1: from reset to DRIVER_OK. */
export function start(
  bench: Bench,
  queues: number,
  { without = 0n, size = 16 }: { without?: bigint; size?: number } = {},
): DriverQueue[] {
  const { port } = bench;
  port.setStatus(0);
  port.setStatus(1);
  port.setStatus(3);
  const features = port.offered() & ~without;
  port.accept(features);
  port.setStatus(11);
  if (port.getStatus() !== 11) throw new Error('features refused');
  const made = [];
  for (let index = 0; index < queues; index++) {
    const queueSize = Math.min(size, port.queueMaximum(index));
    made.push(new DriverQueue(bench, index, RAM_BASE + 0x10000 * (index + 1), features, queueSize));
  }
  port.setStatus(15);
  return made;
}
