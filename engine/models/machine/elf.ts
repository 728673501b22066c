/** Firmware as an ELF file, loaded by physical address. System V ABI (gABI), "ELF Header" and "Program Header". */
import { ImageError } from '../image-error';

export interface Segment {
  /** Physical address. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Bytes in memory; what exceeds `bytes` is zero. */
  readonly size: number;
}

export interface Executable {
  readonly entry: number;
  readonly segments: readonly Segment[];
}

const MAGIC = 0x464c457f;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const MACHINE_RISCV = 243;
const LOAD = 1;
const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;

export const isElf = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === MAGIC;

/** @throws ImageError when it is not a 64-bit RISC-V executable or its headers point outside the file. */
export function parseElf(name: string, bytes: Uint8Array): Executable {
  const refuse = (problem: string): never => {
    throw new ImageError(
      `${name}: ${problem}; give a 64-bit little-endian RISC-V executable or a raw binary`,
    );
  };
  if (bytes.length < HEADER_SIZE) refuse('the ELF header is cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint8(4) !== CLASS_64 || view.getUint8(5) !== LITTLE_ENDIAN)
    refuse('not a 64-bit little-endian ELF file');
  const machine = view.getUint16(18, true);
  if (machine !== MACHINE_RISCV) refuse(`for machine ${machine}, not RISC-V (${MACHINE_RISCV})`);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  const table = u64(32);
  const count = view.getUint16(56, true);
  if (table + count * PROGRAM_HEADER_SIZE > bytes.length) refuse('the program headers lie outside the file');
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * PROGRAM_HEADER_SIZE;
    const [offset, address, fileSize, size] = [
      u64(at + 8),
      u64(at + 24),
      u64(at + 32),
      u64(at + 40),
    ] as const;
    if (view.getUint32(at, true) !== LOAD || size === 0) continue;
    if (offset + fileSize > bytes.length || fileSize > size) refuse(`segment ${i} lies outside the file`);
    segments.push({ address, bytes: bytes.subarray(offset, offset + fileSize), size });
  }
  if (segments.length === 0) refuse('nothing to load in it');
  return { entry: u64(24), segments };
}
