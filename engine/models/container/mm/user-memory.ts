/** A task's memory as system calls see it: every access checked, EFAULT where the task itself could not. */
import { Errno } from '../errno';
import type { AddressSpace } from './address-space';
import { Prot } from './area';
import type { Frames } from './frames';

const PAGE = 4096;
/** PATH_MAX. */
const LONGEST_STRING = 4096;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

export class UserMemory {
  private readonly scratch = new DataView(new ArrayBuffer(8));
  private readonly bytes = new Uint8Array(this.scratch.buffer);

  constructor(
    private readonly frames: Frames,
    /** Of the task that is making the call. */
    private readonly space: () => AddressSpace,
  ) {}

  /** @throws Errno EFAULT */
  read(address: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    this.each(address, length, Prot.read, (chunk, at) => out.set(chunk, at));
    return out;
  }
  /** @throws Errno EFAULT; what lies before the bad page has been written then */
  write(address: number, bytes: Uint8Array): void {
    this.each(address, bytes.length, Prot.write, (chunk, at) =>
      chunk.set(bytes.subarray(at, at + chunk.length)),
    );
  }
  /** How many of `length` bytes may be accessed, up to the first that may not. */
  reachable(address: number, length: number, access: number): number {
    let done = 0;
    while (done < length) {
      if (this.space().resolve(address + done, access) === undefined) break;
      done += Math.min(length - done, PAGE - ((address + done) % PAGE));
    }
    return Math.min(done, length);
  }
  zero(address: number, length: number): void {
    this.each(address, length, Prot.write, (chunk) => chunk.fill(0));
  }

  u8(address: number): number {
    return this.small(address, 1).getUint8(0);
  }
  u16(address: number): number {
    return this.small(address, 2).getUint16(0, true);
  }
  u32(address: number): number {
    return this.small(address, 4).getUint32(0, true);
  }
  i32(address: number): number {
    return this.small(address, 4).getInt32(0, true);
  }
  u64(address: number): bigint {
    return this.small(address, 8).getBigUint64(0, true);
  }
  /** As a number: above 2^53 it is inexact, and no address or size. */
  word(address: number): number {
    return Number(this.u64(address));
  }
  i64(address: number): bigint {
    return BigInt.asIntN(64, this.u64(address));
  }

  setU32(address: number, value: number): void {
    this.scratch.setUint32(0, value, true);
    this.write(address, this.bytes.subarray(0, 4));
  }
  setU64(address: number, value: bigint): void {
    this.scratch.setBigUint64(0, BigInt.asUintN(64, value), true);
    this.write(address, this.bytes.subarray(0, 8));
  }

  /** Bytes up to a NUL, without it. @throws Errno EFAULT, or `tooLong` when there is none within `limit` */
  stringBytes(
    address: number,
    limit = LONGEST_STRING,
    tooLong: 'ENAMETOOLONG' | 'E2BIG' = 'ENAMETOOLONG',
  ): Uint8Array {
    const parts: number[] = [];
    let at = address;
    while (parts.length < limit) {
      const frame = this.space().resolve(at, Prot.read);
      if (frame === undefined) throw new Errno('EFAULT');
      const page = this.frames.bytes(frame);
      const start = at % PAGE;
      const end = page.indexOf(0, start);
      const stop = end < 0 ? PAGE : end;
      for (let i = start; i < stop; i++) parts.push(page[i] as number);
      if (end >= 0) {
        if (parts.length >= limit) break;
        return Uint8Array.from(parts);
      }
      at += PAGE - start;
    }
    throw new Errno(tooLong);
  }
  string(address: number, limit = LONGEST_STRING): string {
    return decoder.decode(this.stringBytes(address, limit));
  }
  /** A NULL-terminated array of pointers to strings, as execve takes it. @throws Errno EFAULT, E2BIG */
  strings(address: number, limit: number): Uint8Array[] {
    const found: Uint8Array[] = [];
    if (address === 0) return found;
    let room = limit;
    for (let at = address; ; at += 8) {
      const pointer = this.word(at);
      if (pointer === 0) return found;
      const text = this.stringBytes(pointer, 131072, 'E2BIG');
      room -= text.length + 9;
      if (room < 0) throw new Errno('E2BIG');
      found.push(text);
    }
  }

  private small(address: number, size: number): DataView {
    this.each(address, size, Prot.read, (chunk, at) => this.bytes.set(chunk, at));
    return this.scratch;
  }

  private each(
    address: number,
    length: number,
    access: number,
    visit: (chunk: Uint8Array, at: number) => void,
  ): void {
    for (let done = 0; done < length;) {
      const at = address + done;
      const frame = this.space().resolve(at, access);
      if (frame === undefined) throw new Errno('EFAULT');
      const start = at % PAGE;
      const size = Math.min(length - done, PAGE - start);
      visit(this.frames.bytes(frame).subarray(start, start + size), done);
      done += size;
    }
  }
}

export const encodeText = (text: string): Uint8Array => encoder.encode(text);
export const decodeText = (bytes: Uint8Array): string => decoder.decode(bytes);
