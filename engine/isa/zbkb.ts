// Bit manipulation for cryptography: what Zbb has of it, and more. Unprivileged ISA manual, "Zbkb".
import type { Emitter, I64 } from './emitter';
import { type Semantics, extension, instruction } from './instruction';
import { inZbkb } from './zbb';

const low = (x: Emitter, value: I64, bits: number): I64 => x.and(value, x.const((1n << BigInt(bits)) - 1n));

/** The low halves of two registers side by side. */
const packed = (x: Emitter, bits: number): I64 =>
  x.or(low(x, x.rs1, bits), x.shl(low(x, x.rs2, bits), x.const(bits)));

/** Swaps neighbouring groups of 1, 2 and 4 bits. */
const reverseBitsOfBytes: Semantics = (x) => {
  let value = x.rs1;
  for (const [shift, mask] of [
    [1, 0x5555555555555555n],
    [2, 0x3333333333333333n],
    [4, 0x0f0f0f0f0f0f0f0fn],
  ] as const) {
    const v = x.let(value);
    const lower = x.shl(x.and(v, x.const(mask)), x.const(shift));
    value = x.or(lower, x.and(x.shr(v, x.const(shift)), x.const(mask)));
  }
  x.rd(value);
};

export const zbkb = extension('zbkb', [
  ...inZbkb,
  instruction('pack', '0000100 rs2 rs1 100 rd 0110011', 'rd, rs1, rs2', (x) => x.rd(packed(x, 32))),
  instruction('packh', '0000100 rs2 rs1 111 rd 0110011', 'rd, rs1, rs2', (x) => x.rd(packed(x, 8))),
  instruction('packw', '0000100 rs2 rs1 100 rd 0111011', 'rd, rs1, rs2', (x) =>
    x.rd(x.sext32(packed(x, 16))),
  ),
  instruction('brev8', '011010000111 rs1 101 rd 0010011', 'rd, rs1', reverseBitsOfBytes),
]);
