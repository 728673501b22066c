/** A machine around the devices, for tests: memory, clock and lines that can be looked at. */
import { BusError, type BusMemory, type RandomSource } from '../../../engine/devices/device';
import type { Halt } from '../../../engine/devices/syscon';
import type { MachineContext } from '../../../engine/models/machine/board';
import { RAM_BASE } from '../../../engine/models/machine/memory-map';
import { RecordingLine } from '../../contract/device';

export class TestMemory implements BusMemory {
  readonly bytes: Uint8Array;
  private readonly data: DataView;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.data = new DataView(this.bytes.buffer);
  }
  contains(address: number, length: number): boolean {
    return address >= RAM_BASE && length >= 0 && address + length <= RAM_BASE + this.bytes.length;
  }
  private at(address: number, length: number): number {
    if (!this.contains(address, length)) throw new BusError(address, length);
    return address - RAM_BASE;
  }
  view(address: number, length: number): Uint8Array {
    const at = this.at(address, length);
    return this.bytes.subarray(at, at + length);
  }
  write(address: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at(address, bytes.length));
  }
  readU16(address: number): number {
    return this.data.getUint16(this.at(address, 2), true);
  }
  readU32(address: number): number {
    return this.data.getUint32(this.at(address, 4), true);
  }
  readU64(address: number): number {
    const value = this.data.getBigUint64(this.at(address, 8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BusError(address, 8);
    return Number(value);
  }
  writeU16(address: number, value: number): void {
    this.data.setUint16(this.at(address, 2), value, true);
  }
  writeU32(address: number, value: number): void {
    this.data.setUint32(this.at(address, 4), value, true);
  }
}

class CountingRandom implements RandomSource {
  private next = 0;
  fill(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) bytes[index] = this.next++;
  }
}

export function testMachine(harts = 1, more: Partial<MachineContext> = {}) {
  const hartLines = Array.from({ length: harts }, () => ({
    machineExternal: new RecordingLine(),
    supervisorExternal: new RecordingLine(),
    machineSoftware: new RecordingLine(),
  }));
  const compares = new Array<bigint>(harts).fill(0n);
  const clock = {
    now: 1_800_000_000_000_000_000n,
    ticks: () => clock.now / 100n,
    wallNanoseconds: () => clock.now,
  };
  const output: number[] = [];
  const portOutput: [string | undefined, Uint8Array][] = [];
  const halts: Halt[] = [];
  const ramSize = 16 * 1024 * 1024;
  const memory = new TestMemory(ramSize);
  const context: MachineContext = {
    harts: hartLines,
    timer: { compare: (hart) => compares[hart]!, setCompare: (hart, ticks) => (compares[hart] = ticks) },
    memory,
    ramSize,
    clock,
    random: new CountingRandom(),
    disks: [],
    ports: ['inbox'],
    onConsoleOutput: (byte) => output.push(byte),
    onPortOutput: (port, bytes) => portOutput.push([port, bytes]),
    onHalt: (halt) => halts.push(halt),
    ...more,
  };
  return { context, hartLines, compares, clock, output, portOutput, halts, memory };
}
