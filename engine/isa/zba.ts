// Address generation. Unprivileged ISA manual, "Zba".
import type { Emitter, I64 } from './emitter';
import { type Semantics, extension, instruction } from './instruction';

const shiftAdd =
  (amount: number, index: (x: Emitter) => I64): Semantics =>
  (x) =>
    x.rd(x.add(x.shl(index(x), x.const(amount)), x.rs2));
const whole = (x: Emitter): I64 => x.rs1;
const word = (x: Emitter): I64 => x.zext32(x.rs1);

export const zba = extension('zba', [
  instruction('sh1add', '0010000 rs2 rs1 010 rd 0110011', 'rd, rs1, rs2', shiftAdd(1, whole)),
  instruction('sh2add', '0010000 rs2 rs1 100 rd 0110011', 'rd, rs1, rs2', shiftAdd(2, whole)),
  instruction('sh3add', '0010000 rs2 rs1 110 rd 0110011', 'rd, rs1, rs2', shiftAdd(3, whole)),
  instruction('add.uw', '0000100 rs2 rs1 000 rd 0111011', 'rd, rs1, rs2', shiftAdd(0, word)),
  instruction('sh1add.uw', '0010000 rs2 rs1 010 rd 0111011', 'rd, rs1, rs2', shiftAdd(1, word)),
  instruction('sh2add.uw', '0010000 rs2 rs1 100 rd 0111011', 'rd, rs1, rs2', shiftAdd(2, word)),
  instruction('sh3add.uw', '0010000 rs2 rs1 110 rd 0111011', 'rd, rs1, rs2', shiftAdd(3, word)),
  instruction('slli.uw', '000010 shamt rs1 001 rd 0011011', 'rd, rs1, imm', (x) =>
    x.rd(x.shl(word(x), x.imm)),
  ),
]);
