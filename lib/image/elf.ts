import { DeclarationError } from '../declaration-error';
import { ImageFile } from './image-file';

/** Start of RAM of the machine, as on QEMU's `virt`. */
export const RAM_BASE = 0x8000_0000;

const EM_RISCV = 243;
const PT_LOAD = 1;
const ELF64_HEADER_SIZE = 64;
const ELF64_PROGRAM_HEADER_SIZE = 56;

/** e_type of the ELF specification; what is loaded must be linked. */
const linkedTypes: Readonly<Record<number, string>> = { 2: 'ET_EXEC', 3: 'ET_DYN' };

/** e_machine of architectures that are mistaken for ours. */
const machineNames: Readonly<Record<number, string>> = {
  3: 'i386',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC 64',
  22: 's390x',
  40: '32-bit Arm',
  62: 'x86-64',
  183: 'arm64',
  258: 'LoongArch',
};

export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

/**
 * Checks that an ELF file can be loaded by physical address into a 64-bit RISC-V machine.
 *
 * @returns the end of its highest segment in RAM as bytes from the start of RAM; 0 when none lies there.
 * @throws DeclarationError for another class, byte order or machine, and for a damaged file.
 */
export function checkElf(file: ImageFile): number {
  const refuse = (rule: string, fix: string): never => {
    throw new DeclarationError(file.input, rule, fix);
  };
  const rebuild = 'Build it for riscv64, e.g. with riscv64-linux-gnu-gcc -march=rv64gc -mabi=lp64d';
  const header = file.read(0, ELF64_HEADER_SIZE);
  if (header[4] !== 2) refuse('this is an ELF file of 32 bits, and guests are of 64', rebuild);
  if (header[5] !== 1) refuse('this is a big-endian ELF file, and guests are little-endian', rebuild);
  if (header.length < ELF64_HEADER_SIZE) refuse('this ELF file ends within its header', 'Build it again');
  const machine = header.readUInt16LE(18);
  if (machine !== EM_RISCV) {
    refuse(`this is an ELF file of ${machineNames[machine] ?? `machine ${machine}`}, not of RISC-V`, rebuild);
  }
  if (linkedTypes[header.readUInt16LE(16)] === undefined) {
    refuse('this ELF file is not linked (an object or a core file)', 'Name the linked program');
  }
  const tableOffset = Number(header.readBigUInt64LE(32));
  const entrySize = header.readUInt16LE(54);
  const entries = header.readUInt16LE(56);
  const table = file.read(tableOffset, entrySize * entries);
  if (entries === 0 || entrySize < ELF64_PROGRAM_HEADER_SIZE || table.length < entrySize * entries) {
    refuse('this ELF file has no program headers, so there is nothing to load', 'Name the linked program');
  }
  let end = 0;
  let loaded = 0;
  for (let entry = 0; entry < entries; entry++) {
    const segment = table.subarray(entry * entrySize);
    if (segment.readUInt32LE(0) !== PT_LOAD) continue;
    loaded++;
    const [offset, address, fileSize, memorySize] = [8, 24, 32, 40].map((at) =>
      segment.readBigUInt64LE(at),
    ) as [bigint, bigint, bigint, bigint];
    if (offset + fileSize > BigInt(file.size) || fileSize > memorySize) {
      refuse(`segment ${entry} of this ELF file does not lie within the file`, 'Build or fetch it again');
    }
    if (address >= BigInt(RAM_BASE)) end = Math.max(end, Number(address + memorySize) - RAM_BASE);
  }
  if (loaded === 0)
    refuse('this ELF file has no PT_LOAD segment, so there is nothing to load', 'Name the linked program');
  return end;
}
