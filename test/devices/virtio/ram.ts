/** Guest RAM for tests: notices reads and writes outside, and changes that went around `write`. */
import { BusError, type BusMemory } from '../../../engine/devices/device';

export const RAM_BASE = 0x8000_0000;
const GUARD = 4096;
const GUARD_BYTE = 0xa5;

export class TestRam implements BusMemory {
  private readonly buffer: Uint8Array;
  readonly bytes: Uint8Array;
  private readonly shadow: Uint8Array;
  private readonly data: DataView;
  /** Ranges written since the last `forget()`. */
  written: { address: number; length: number }[] = [];

  constructor(readonly size: number) {
    this.buffer = new Uint8Array(size + 2 * GUARD).fill(GUARD_BYTE);
    this.bytes = this.buffer.subarray(GUARD, GUARD + size);
    this.bytes.fill(0);
    this.shadow = this.bytes.slice();
    this.data = new DataView(this.buffer.buffer, GUARD, size);
  }

  contains(address: number, length: number): boolean {
    return address >= RAM_BASE && length >= 0 && address + length <= RAM_BASE + this.size;
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
    this.shadow.set(bytes, address - RAM_BASE);
    this.written.push({ address, length: bytes.length });
  }
  readU16(address: number): number {
    return this.data.getUint16(this.at(address, 2), true);
  }
  readU32(address: number): number {
    return this.data.getUint32(this.at(address, 4), true);
  }
  readU64(address: number): number {
    const value = this.data.getBigUint64(this.at(address, 8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BusError(Number(value), 8);
    return Number(value);
  }
  writeU16(address: number, value: number): void {
    this.write(address, Uint8Array.of(value, value >> 8));
  }
  writeU32(address: number, value: number): void {
    this.write(address, Uint8Array.of(value, value >> 8, value >> 16, value >> 24));
  }

  /** What the guest's own stores do. */
  poke(address: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at(address, bytes.length));
    this.shadow.set(bytes, address - RAM_BASE);
  }
  forget(): void {
    this.written = [];
  }
  /** Throws when something outside was touched, or RAM changed behind the dirty tracking. */
  check(): void {
    const outside = [this.buffer.subarray(0, GUARD), this.buffer.subarray(GUARD + this.size)];
    if (outside.some((part) => part.some((byte) => byte !== GUARD_BYTE)))
      throw new Error('memory around RAM was changed');
    if (Buffer.compare(this.bytes, this.shadow) !== 0) throw new Error('RAM was changed through a view');
  }
}
