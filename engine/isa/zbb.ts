// Basic bit manipulation. Unprivileged ISA manual, "Zbb".
import type { Emitter, I32, I64 } from './emitter';
import { type Instruction, type Semantics, extension, instruction } from './instruction';

const unary =
  (value: (x: Emitter, a: I64) => I64): Semantics =>
  (x) =>
    x.rd(value(x, x.rs1));
const unaryWord =
  (value: (x: Emitter, a: I32) => I32): Semantics =>
  (x) =>
    x.rd(x.sext(value(x, x.wrap(x.rs1))));
const rotateWord =
  (value: (x: Emitter, a: I32, b: I32) => I32, amount: (x: Emitter) => I64): Semantics =>
  (x) =>
    x.rd(x.sext(value(x, x.wrap(x.rs1), x.wrap(amount(x)))));
/** rs1 where the comparison holds, else rs2. */
const choose =
  (condition: (x: Emitter) => I32): Semantics =>
  (x) =>
    x.rd(x.select(condition(x), x.rs1, x.rs2));

/** Swaps neighbouring groups of bits: the classic three-step byte reversal. */
function reverseBytes(x: Emitter, value: I64): I64 {
  let result = value;
  for (const [shift, mask] of [
    [8, 0x00ff00ff00ff00ffn],
    [16, 0x0000ffff0000ffffn],
  ] as const) {
    const v = x.let(result);
    const low = x.shl(x.and(v, x.const(mask)), x.const(shift));
    result = x.or(low, x.and(x.shr(v, x.const(shift)), x.const(mask)));
  }
  return x.rotl(result, x.const(32));
}

/** 0xff for every byte that is not zero: adds 0x7f to seven bits, so that no carry leaves a byte. */
function orCombine(x: Emitter, value: I64): I64 {
  const low = x.const(0x7f7f7f7f7f7f7f7fn);
  const v = x.let(value);
  const nonzero = x.and(x.or(x.add(x.and(v, low), low), v), x.const(0x8080808080808080n));
  const bits = x.let(x.shr(nonzero, x.const(7)));
  return x.mul(bits, x.const(0xff));
}

/** In Zbkb as well. Where there is no Zbb, `zext.h` is but a case of `packw`. */
export const inZbkb: readonly Instruction[] = [
  instruction('andn', '0100000 rs2 rs1 111 rd 0110011', 'rd, rs1, rs2', (x) =>
    x.rd(x.and(x.rs1, x.not(x.rs2))),
  ),
  instruction('orn', '0100000 rs2 rs1 110 rd 0110011', 'rd, rs1, rs2', (x) =>
    x.rd(x.or(x.rs1, x.not(x.rs2))),
  ),
  instruction('xnor', '0100000 rs2 rs1 100 rd 0110011', 'rd, rs1, rs2', (x) =>
    x.rd(x.not(x.xor(x.rs1, x.rs2))),
  ),
  instruction(
    'zext.h',
    '0000100 00000 rs1 100 rd 0111011',
    'rd, rs1',
    unary((x, a) => x.and(a, x.const(0xffff))),
  ),
  instruction('rol', '0110000 rs2 rs1 001 rd 0110011', 'rd, rs1, rs2', (x) => x.rd(x.rotl(x.rs1, x.rs2))),
  instruction('ror', '0110000 rs2 rs1 101 rd 0110011', 'rd, rs1, rs2', (x) => x.rd(x.rotr(x.rs1, x.rs2))),
  instruction('rori', '011000 shamt rs1 101 rd 0010011', 'rd, rs1, imm', (x) => x.rd(x.rotr(x.rs1, x.imm))),
  instruction(
    'rolw',
    '0110000 rs2 rs1 001 rd 0111011',
    'rd, rs1, rs2',
    rotateWord(
      (x, a, b) => x.rotl(a, b),
      (x) => x.rs2,
    ),
  ),
  instruction(
    'rorw',
    '0110000 rs2 rs1 101 rd 0111011',
    'rd, rs1, rs2',
    rotateWord(
      (x, a, b) => x.rotr(a, b),
      (x) => x.rs2,
    ),
  ),
  instruction(
    'roriw',
    '0110000 shamtw rs1 101 rd 0011011',
    'rd, rs1, imm',
    rotateWord(
      (x, a, b) => x.rotr(a, b),
      (x) => x.imm,
    ),
  ),
  instruction('rev8', '011010111000 rs1 101 rd 0010011', 'rd, rs1', unary(reverseBytes)),
];

export const zbb = extension('zbb', [
  ...inZbkb,
  instruction(
    'clz',
    '0110000 00000 rs1 001 rd 0010011',
    'rd, rs1',
    unary((x, a) => x.clz(a)),
  ),
  instruction(
    'ctz',
    '0110000 00001 rs1 001 rd 0010011',
    'rd, rs1',
    unary((x, a) => x.ctz(a)),
  ),
  instruction(
    'cpop',
    '0110000 00010 rs1 001 rd 0010011',
    'rd, rs1',
    unary((x, a) => x.popcnt(a)),
  ),
  instruction(
    'clzw',
    '0110000 00000 rs1 001 rd 0011011',
    'rd, rs1',
    unaryWord((x, a) => x.clz(a)),
  ),
  instruction(
    'ctzw',
    '0110000 00001 rs1 001 rd 0011011',
    'rd, rs1',
    unaryWord((x, a) => x.ctz(a)),
  ),
  instruction(
    'cpopw',
    '0110000 00010 rs1 001 rd 0011011',
    'rd, rs1',
    unaryWord((x, a) => x.popcnt(a)),
  ),
  instruction(
    'max',
    '0000101 rs2 rs1 110 rd 0110011',
    'rd, rs1, rs2',
    choose((x) => x.geS(x.rs1, x.rs2)),
  ),
  instruction(
    'maxu',
    '0000101 rs2 rs1 111 rd 0110011',
    'rd, rs1, rs2',
    choose((x) => x.geU(x.rs1, x.rs2)),
  ),
  instruction(
    'min',
    '0000101 rs2 rs1 100 rd 0110011',
    'rd, rs1, rs2',
    choose((x) => x.ltS(x.rs1, x.rs2)),
  ),
  instruction(
    'minu',
    '0000101 rs2 rs1 101 rd 0110011',
    'rd, rs1, rs2',
    choose((x) => x.ltU(x.rs1, x.rs2)),
  ),
  instruction(
    'sext.b',
    '0110000 00100 rs1 001 rd 0010011',
    'rd, rs1',
    unary((x, a) => x.sext8(a)),
  ),
  instruction(
    'sext.h',
    '0110000 00101 rs1 001 rd 0010011',
    'rd, rs1',
    unary((x, a) => x.sext16(a)),
  ),
  instruction('orc.b', '001010000111 rs1 101 rd 0010011', 'rd, rs1', unary(orCombine)),
]);
