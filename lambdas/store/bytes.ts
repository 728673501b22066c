/** Numbers, names and places as bytes, little-endian: what the page index is written in. */
import type { FrameLocator } from './pack';
import type { PackId } from './store';

/** u32 generation, u32 fencing, u16 number. */
export const PACK_ID_BYTES = 10;

export class Writer {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(value: number): void {
    this.view.setUint8(this.at, value);
    this.at += 1;
  }
  u16(value: number): void {
    this.view.setUint16(this.at, value, true);
    this.at += 2;
  }
  u32(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }
  name(name: Uint8Array): void {
    this.u8(name.length);
    this.bytes.set(name, this.at);
    this.at += name.length;
  }
  packId(pack: PackId): void {
    this.u32(pack.generation);
    this.u32(pack.fencing);
    this.u16(pack.number);
  }
  frame(at: FrameLocator): void {
    this.packId(at.pack);
    this.u16(at.frame);
  }
}

/** Reads what `Writer` wrote; a DataView throws RangeError past the end. */
export class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    this.at += 1;
    return this.view.getUint8(this.at - 1);
  }
  u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }
  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }
  name(): string {
    const length = this.u8();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
  packId(): PackId {
    return { generation: this.u32(), fencing: this.u32(), number: this.u16() };
  }
  frame(): FrameLocator {
    return { pack: this.packId(), frame: this.u16() };
  }
  list<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.u32(); left > 0; left -= 1) items.push(read());
    return items;
  }
  end(): void {
    if (this.at !== this.bytes.length)
      throw new RangeError(`${this.bytes.length - this.at} bytes are left over`);
  }
}
