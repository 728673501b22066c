/** Kinds of system call arguments: how a register becomes a value, and how the log shows it. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import { type ByteString, fromBytes } from '../vfs/name';

export interface Argument<T> {
  readonly name: string;
  /** @throws Errno EFAULT and others */
  decode(raw: bigint, kernel: Kernel): T;
  format(raw: bigint, kernel: Kernel): string;
}

const signed =
  (bits: number) =>
  (raw: bigint): number =>
    Number(BigInt.asIntN(bits, raw));
const unsigned =
  (bits: number) =>
  (raw: bigint): number =>
    Number(BigInt.asUintN(bits, raw));

const simple =
  <T extends number | bigint>(decode: (raw: bigint) => T, show: (value: T) => string = String) =>
  (name: string): Argument<T> => ({ name, decode, format: (raw) => show(decode(raw)) });

const AT_FDCWD = -100;
const hexadecimal = (value: number | bigint): string =>
  value === 0 || value === 0n ? 'NULL' : `0x${value.toString(16)}`;

/** A file descriptor. */
export const fd = simple(signed(32), (value) => (value === AT_FDCWD ? 'AT_FDCWD' : String(value)));
export const int = simple(signed(32));
export const uint = simple(unsigned(32));
/** A number of bytes; above 2^53 inexact, and too much for anything. */
export const size = simple(unsigned(64));
/** Signed, 64 bits. */
export const offset = simple(signed(64));
/** Of user memory. What no number holds exactly is far beyond it: one such address stands for all. */
export const address = simple(
  (raw: bigint) => Math.min(unsigned(64)(raw), Number.MAX_SAFE_INTEGER),
  hexadecimal,
);
/** All 64 bits as they are. */
export const word = simple((raw: bigint) => raw, hexadecimal);
/** A user or group, or -1: as it is. */
export const owner = simple((raw: bigint) => {
  const id = unsigned(32)(raw);
  return id === 0xffffffff ? -1 : id;
});
export const mode = simple(unsigned(32), (value) => `0${value.toString(8)}`);
export const signal = simple(signed(32), (value) => `signal ${value}`);

/** A path in user memory. */
export const path = (name: string): Argument<ByteString> => ({
  name,
  decode: (raw, kernel) => fromBytes(kernel.memory.stringBytes(Number(raw))),
  format: (raw, kernel) => {
    try {
      return JSON.stringify(fromBytes(kernel.memory.stringBytes(Number(raw))));
    } catch (error) {
      if (error instanceof Errno) return hexadecimal(raw);
      throw error;
    }
  },
});

/** A set of named bits. */
export const flags = (name: string, bits: Readonly<Record<string, number>>): Argument<number> => ({
  name,
  decode: unsigned(32),
  format: (raw) => {
    const value = unsigned(32)(raw);
    const names: string[] = [];
    let rest = value;
    for (const [bit, mask] of Object.entries(bits)) {
      if (mask === 0 || (rest & mask) >>> 0 !== mask) continue;
      names.push(bit);
      rest = (rest & ~mask) >>> 0;
    }
    if (rest !== 0 || names.length === 0) names.push(rest === 0 ? '0' : hexadecimal(rest));
    return names.join('|');
  },
});
