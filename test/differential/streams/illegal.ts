import type { Draw } from '../draw';
import { plainProfile, type Stream } from '../program';
import type { Random } from '../random';
import { arithmetic } from './integer';

/** Sets bits [low, low + width) of a random word. */
const put = (word: number, low: number, width: number, value: number): number => {
  const mask = width === 32 ? 0xffffffff : ((1 << width) - 1) << low;
  return ((word & ~mask) | ((value << low) & mask)) >>> 0;
};

const encode = (word: number, opcode: number, funct3?: number, funct7?: number): number => {
  let result = put(word, 0, 7, opcode);
  if (funct3 !== undefined) result = put(result, 12, 3, funct3);
  if (funct7 !== undefined) result = put(result, 25, 7, funct7);
  return result;
};

const except = (bound: number, ...taken: number[]): number[] =>
  Array.from({ length: bound }, (_, value) => value).filter((value) => !taken.includes(value));

/** Words that RV64GC with Zba, Zbb and Zbs leaves reserved, by construction: opcode, then what makes them so. */
const reserved: readonly ((random: Random) => number)[] = [
  () => 0xffffffff,
  (random) => encode(random.word(), 0x03, 7), // load of no width
  (random) => encode(random.word(), 0x07, random.pick([0, 1, 4, 5, 6, 7])), // floating-point and vector loads
  (random) => encode(random.word(), 0x0f, random.between(3, 7)), // MISC-MEM
  (random) => encode(random.word(), 0x1b, random.pick([2, 3, 4, 6, 7])), // OP-IMM-32
  (random) => encode(random.word(), 0x1b, 5, random.pick(except(128, 0x00, 0x20, 0x30))),
  (random) => encode(random.word(), 0x13, 1, random.pick(except(64, 0x00, 0x0a, 0x12, 0x18, 0x1a, 0x04, 0x08, 0x0c)) << 1),
  (random) => encode(random.word(), 0x13, 5, random.pick(except(64, 0x00, 0x10, 0x12, 0x18, 0x0a, 0x1a, 0x04)) << 1),
  (random) => encode(random.word(), 0x23, random.between(4, 7)), // store
  (random) => encode(random.word(), 0x27, random.pick([0, 1, 4, 5, 6, 7])),
  (random) => encode(random.word(), 0x2f, random.pick([0, 1, 4, 5, 6, 7])), // AMO of no width
  (random) => encode(random.word(), 0x2f, random.pick([2, 3]), random.pick([0x05, 0x06, 0x07, 0x09, 0x0d, 0x11, 0x1d, 0x1f]) << 2),
  (random) => put(encode(random.word(), 0x2f, random.pick([2, 3]), 0x02 << 2), 20, 5, random.between(1, 31)), // LR with rs2
  (random) => encode(random.word(), 0x33, undefined, random.pick(except(128, 0x00, 0x01, 0x04, 0x05, 0x07, 0x10, 0x14, 0x20, 0x24, 0x30, 0x34))),
  (random) => encode(random.word(), 0x3b, undefined, random.pick(except(128, 0x00, 0x01, 0x04, 0x10, 0x20, 0x30))),
  (random) => encode(random.word(), 0x3b, random.between(2, 3), 0x01), // OP-32 has no MULH
  (random) => put(encode(random.word(), 0x43 + random.below(4) * 4), 25, 2, random.pick([2, 3])), // fused, half and quad
  (random) => encode(put(random.word(), 25, 2, random.below(2)), 0x43 + random.below(4) * 4, random.pick([5, 6])), // rounding mode
  (random) => encode(random.word(), 0x53, random.pick([5, 6]), random.pick([0x00, 0x01, 0x04, 0x05, 0x08, 0x09, 0x0c, 0x0d])),
  (random) => encode(random.word(), 0x53, undefined, (random.below(32) << 2) | 3), // quad
  (random) => encode(random.word(), 0x53, undefined, random.pick([0x18, 0x1c, 0x24, 0x28, 0x30, 0x38, 0x3c, 0x74, 0x7c].map((x) => x | random.below(2)))),
  (random) => encode(random.word(), 0x53, random.between(3, 7), random.pick([0x10, 0x11])), // FSGNJ of no kind
  (random) => encode(random.word(), 0x53, random.between(2, 7), random.pick([0x14, 0x15])), // FMIN/FMAX
  (random) => encode(random.word(), 0x53, random.between(3, 7), random.pick([0x50, 0x51])), // comparison
  (random) => put(encode(random.word(), 0x53, undefined, random.pick([0x2c, 0x2d])), 20, 5, random.between(1, 31)), // FSQRT with rs2
  (random) => put(encode(random.word(), 0x53, undefined, random.pick([0x60, 0x61, 0x68, 0x69])), 20, 5, random.between(4, 31)),
  (random) => encode(random.word(), 0x63, random.between(2, 3)), // branch
  (random) => encode(random.word(), 0x67, random.between(1, 7)), // JALR
  (random) => encode(random.word(), 0x73, 4), // SYSTEM
  (random) => put(encode(random.word(), 0x73, 0), 20, 12, random.pick([0x003, 0x202, 0x302, 0x7b3, 0x200, 0x300, 0x0ff])),
  (random) => put(put(put(random.word(), 7, 5, random.between(1, 31)), 0, 7, 0x73), 12, 3, 0) & 0x000fffff, // ECALL with rd
  (random) => encode(random.word(), random.pick([0x0b, 0x2b, 0x5b, 0x7b, 0x6b, 0x57, 0x77])),
  (random) => encode(random.word(), random.pick([0x1f, 0x3f, 0x5f, 0x7f])), // longer than 32 bits
]; // prettier-ignore

/** The same for 16-bit instructions. Unprivileged ISA manual, "RVC Instruction Set Listings". */
const reservedHalf: readonly ((random: Random) => number)[] = [
  () => 0x0000,
  (random) => (1 + random.below(7)) << 2, // C.ADDI4SPN with immediate 0
  (random) => 0x8000 | (random.below(0x800) << 2), // quadrant 0, funct3 100
  (random) => 0x2001 | (random.below(2) << 12) | (random.below(32) << 2), // C.ADDIW to x0
  (random) => 0x6001 | (random.between(2, 31) << 7), // C.LUI, C.ADDI16SP with immediate 0
  (random) => 0x9c41 | (random.below(8) << 7) | (random.below(16) << 2), // quadrant 1, beyond C.ADDW
  () => 0x8002, // C.JR x0
  (random) => 0x4002 | (random.below(2) << 12) | (random.below(32) << 2), // C.LWSP to x0
  (random) => 0x6002 | (random.below(2) << 12) | (random.below(32) << 2), // C.LDSP to x0
];

const hexadecimal = (value: number): string => `0x${value.toString(16)}`;

export const illegal: Stream = {
  name: 'illegal',
  length: 110,
  profile: (random) => ({ ...plainProfile, mode: random.pick([3, 3, 1, 0]), compressed: true }),
  group(draw: Draw) {
    const { random } = draw;
    const choice = random.below(10);
    if (choice < 1) return [arithmetic(draw)];
    if (choice < 4) return [`.insn 2, ${hexadecimal(random.pick(reservedHalf)(random))}`];
    const word = random.pick(reserved)(random);
    // The assembler takes a word that begins a longer instruction only as data.
    return [(word & 0x1f) === 0x1f ? `.4byte ${hexadecimal(word)}` : `.insn 4, ${hexadecimal(word)}`];
  },
};
