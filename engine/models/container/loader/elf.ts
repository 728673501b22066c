/** ELF headers of programs, checked. System V ABI (gABI), "ELF Header", "Program Header"; Linux: fs/binfmt_elf.c. */
import { Errno } from '../errno';
import { TASK_SIZE } from '../mm/address-space';

export const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const MACHINE_RISCV = 243;
const EXECUTABLE = 2;
const DYNAMIC = 3;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
const PAGE = 4096;
const PATH_MAX = 4096;

export interface Segment {
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly size: number;
  /** Prot bits. */
  readonly prot: number;
}

export interface Program {
  /** Position-independent: may be loaded anywhere. */
  readonly relocatable: boolean;
  readonly entry: number;
  readonly segments: readonly Segment[];
  /** Path of the dynamic linker. */
  readonly interpreter: string | undefined;
  /** Where the program headers lie when loaded, relative as `entry` is; 0 when in no segment. */
  readonly headers: number;
  readonly headerCount: number;
  readonly executableStack: boolean;
  /** Range of addresses, page-aligned. */
  readonly low: number;
  readonly high: number;
}

export const isElf = (head: Uint8Array): boolean =>
  head.length >= 4 && head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;

const refuse = (): never => {
  throw new Errno('ENOEXEC');
};
const protOf = (flags: number): number =>
  (flags & PF_R ? 1 : 0) | (flags & PF_W ? 2 : 0) | (flags & PF_X ? 4 : 0);

/** @param read a part of the file, shorter at its end @throws Errno ENOEXEC, EINVAL */
export function parseProgram(read: (offset: number, length: number) => Uint8Array): Program {
  const head = read(0, HEADER_SIZE);
  if (head.length < HEADER_SIZE || !isElf(head)) refuse();
  const header = new DataView(head.buffer, head.byteOffset, head.length);
  if (header.getUint8(4) !== 2 || header.getUint8(5) !== 1) refuse();
  const type = header.getUint16(16, true);
  if (header.getUint16(18, true) !== MACHINE_RISCV || (type !== EXECUTABLE && type !== DYNAMIC)) refuse();
  const count = header.getUint16(56, true);
  if (
    header.getUint16(54, true) !== PROGRAM_HEADER_SIZE ||
    count === 0 ||
    count * PROGRAM_HEADER_SIZE > 65536
  )
    refuse();
  const headersOffset = Number(header.getBigUint64(32, true));
  const bytes = read(headersOffset, count * PROGRAM_HEADER_SIZE);
  if (bytes.length < count * PROGRAM_HEADER_SIZE) refuse();
  const table = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

  const segments: Segment[] = [];
  let interpreter: string | undefined;
  let executableStack = false;
  let headers = 0;
  for (let i = 0; i < count; i++) {
    const at = i * PROGRAM_HEADER_SIZE;
    const field = (offset: number): number => Number(table.getBigUint64(at + offset, true));
    const flags = table.getUint32(at + 4, true);
    const kind = table.getUint32(at, true);
    if (kind === PT_GNU_STACK) executableStack = (flags & PF_X) !== 0;
    if (kind === PT_INTERP) interpreter = interpreterPath(read, field(8), field(32));
    if (kind !== PT_LOAD) continue;
    const segment = {
      offset: field(8),
      address: field(16),
      fileSize: field(32),
      size: field(40),
      prot: protOf(flags),
    };
    checkSegment(segment, segments.at(-1));
    if (headersOffset >= segment.offset && headersOffset < segment.offset + segment.fileSize) {
      headers = headersOffset - segment.offset + segment.address;
    }
    if (segment.size > 0) segments.push(segment);
  }
  const first = segments[0];
  const last = segments.at(-1);
  if (!first || !last) return refuse();
  return {
    relocatable: type === DYNAMIC,
    entry: Number(header.getBigUint64(24, true)),
    segments,
    interpreter,
    headers,
    headerCount: count,
    executableStack,
    low: Math.floor(first.address / PAGE) * PAGE,
    high: Math.ceil((last.address + last.size) / PAGE) * PAGE,
  };
}

function interpreterPath(
  read: (offset: number, length: number) => Uint8Array,
  offset: number,
  length: number,
): string {
  if (length < 2 || length > PATH_MAX) refuse();
  const bytes = read(offset, length);
  if (bytes.length !== length || bytes[length - 1] !== 0) refuse();
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}

/** Ascending, within user space, and file and memory congruent by page, since pages are mapped. */
function checkSegment(segment: Segment, before: Segment | undefined): void {
  const { address, offset, fileSize, size } = segment;
  if (fileSize > size || address % PAGE !== offset % PAGE) throw new Errno('EINVAL');
  if (!(address + size <= TASK_SIZE) || !(offset + fileSize < Number.MAX_SAFE_INTEGER))
    throw new Errno('EINVAL');
  if (before && Math.ceil((before.address + before.size) / PAGE) * PAGE > Math.floor(address / PAGE) * PAGE) {
    // Two segments in one page are mapped one over the other, as Linux does; only disorder is refused.
    if (before.address > address) throw new Errno('EINVAL');
  }
}
