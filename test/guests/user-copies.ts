/**
 * A program without a C library that hands the kernel buffers which end in the
 * middle of what it asks for: what the system calls return, and what they
 * wrote, goes to stdout. As an archive that Linux takes before an initrd.
 */
import { assemble } from '../../engine/isa/assembler';
import { writeArchive } from '../../scripts/images/cpio';

const BASE = 0x10000;
const HEADERS = 0x78;

const call = (number: number): string[] => [`addi a7, zero, ${number}`, 'ecall'];
const set = (register: string, value: number): string => `addi ${register}, zero, ${value}`;
const move = (to: string, from: string): string => `addi ${to}, ${from}, 0`;

const [WRITE, READ, OPENAT, GETRANDOM, MMAP, MUNMAP, LSEEK, EXIT] = [
  64, 63, 56, 278, 222, 215, 62, 93,
] as const;
const ZERO = '/dev/zero\0';
const FILE = '/tmp/file\0';
const strings = Buffer.from(ZERO + FILE);

/** s0: two pages of which the second is gone; s1: 100 bytes before its end; s10: where results go. */
const program = (stringsAt: number): string[] => [
  ...[
    set('a0', 0),
    'lui a1, 8192',
    set('a2', 3),
    set('a3', 0x22),
    set('a4', -1),
    set('a5', 0),
    ...call(MMAP),
  ],
  move('s0', 'a0'),
  ...['lui a1, 4096', 'add a0, s0, a1', ...call(MUNMAP)],
  ...['addi s1, s0, 2000', 'addi s1, s1, 1996'],
  move('s10', 's0'),
  `lui s3, ${BASE}`,
  // Bytes that are told from zeros.
  ...[set('t0', 0x5a), 'sb t0, 0(s1)', 'sb t0, 99(s1)'],
  ...[set('a0', -100), `addi a1, s3, ${stringsAt}`, set('a2', 0), ...call(OPENAT), move('s2', 'a0')],
  ...[
    set('a0', -100),
    `addi a1, s3, ${stringsAt + ZERO.length}`,
    set('a2', 0x242),
    set('a3', 0o600),
    ...call(OPENAT),
  ],
  move('s5', 'a0'),
  // To the kernel, up to the end of what is there: 100 bytes; from nowhere: EFAULT.
  ...[move('a0', 's5'), move('a1', 's1'), set('a2', 200), ...call(WRITE), 'sd a0, 0(s10)'],
  ...[move('a0', 's5'), set('a1', 0), set('a2', 1), ...call(WRITE), 'sd a0, 8(s10)'],
  // From the kernel: the file's 100 bytes into a place of its own, then into one that ends.
  ...[move('a0', 's5'), set('a1', 0), set('a2', 0), ...call(LSEEK)],
  ...[move('a0', 's5'), 'addi a1, s0, 512', set('a2', 200), ...call(READ), 'sd a0, 16(s10)'],
  ...[move('a0', 's5'), set('a1', 0), set('a2', 0), ...call(LSEEK)],
  ...[move('a0', 's5'), 'addi a1, s1, 50', set('a2', 200), ...call(READ), 'sd a0, 24(s10)'],
  ...['addi a0, s1, 30', set('a1', 200), set('a2', 0), ...call(GETRANDOM), 'sd a0, 32(s10)'],
  // Cleared by the kernel: up to the end, and nowhere.
  ...[move('a0', 's2'), 'addi a1, s1, 1', set('a2', 200), ...call(READ), 'sd a0, 40(s10)'],
  ...[move('a0', 's2'), set('a1', 8), set('a2', 8), ...call(READ), 'sd a0, 48(s10)'],
  // The results, what was read back of the file, and the last bytes of the page.
  ...[set('a0', 1), move('a1', 's0'), set('a2', 1024), ...call(WRITE)],
  ...[set('a0', 1), move('a1', 's1'), set('a2', 100), ...call(WRITE)],
  ...[set('a0', 0), ...call(EXIT)],
];

function executable(): Uint8Array {
  const stringsAt = HEADERS + 4 * program(0).length;
  const file = new Uint8Array(stringsAt + strings.length);
  const view = new DataView(file.buffer);
  // ELF header: 64 bits, little-endian, executable, RISC-V; one program header, at 0x40.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const halves: readonly (readonly [number, number])[] = [[0x10, 2], [0x12, 243], [0x34, 64], [0x36, 56], [0x38, 1]]; // prettier-ignore
  for (const [at, value] of halves) view.setUint16(at, value, true);
  view.setUint32(0x14, 1, true);
  view.setBigUint64(0x18, BigInt(BASE + HEADERS), true);
  view.setBigUint64(0x20, 0x40n, true);
  view.setUint32(0x40, 1, true); // PT_LOAD
  view.setUint32(0x44, 5, true); // readable, executable
  for (const [at, value] of [[0x48, 0], [0x50, BASE], [0x58, BASE], [0x60, file.length], [0x68, file.length], [0x70, 4096]] as const) {
    view.setBigUint64(at, BigInt(value), true);
  } // prettier-ignore
  program(stringsAt).forEach((line, index) => view.setUint32(HEADERS + 4 * index, assemble(line).word, true));
  file.set(strings, stringsAt);
  return file;
}

/** The initrd with the program at /user-copies. */
export function withUserCopies(initrd: Uint8Array): Uint8Array {
  const archive = writeArchive([{ kind: 'file', path: 'user-copies', mode: 0o755, content: executable() }]);
  return Buffer.concat([archive, Buffer.alloc((4 - (archive.length % 4)) % 4), initrd]);
}

/** What the program prints, taken apart. */
export function readUserCopies(hex: string): {
  readonly results: bigint[];
  readonly file: Buffer;
  readonly tail: Buffer;
} {
  const bytes = Buffer.from(hex, 'hex');
  return {
    results: Array.from({ length: 7 }, (_, index) => bytes.readBigInt64LE(8 * index)),
    file: bytes.subarray(512, 612),
    tail: bytes.subarray(1024, 1124),
  };
}
