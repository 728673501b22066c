// Single-bit instructions. Unprivileged ISA manual, "Zbs".
import type { Emitter, I64 } from './emitter';
import { type Instruction, extension, instruction } from './instruction';

type Operation = (x: Emitter, value: I64, index: I64) => I64;

const bit = (x: Emitter, index: I64): I64 => x.shl(x.const(1), index);
const clear: Operation = (x, value, index) => x.and(value, x.not(bit(x, index)));
const test: Operation = (x, value, index) => x.and(x.shr(value, index), x.const(1));
const invert: Operation = (x, value, index) => x.xor(value, bit(x, index));
const set: Operation = (x, value, index) => x.or(value, bit(x, index));

/** The register form and the immediate form. */
const pair = (name: string, funct6: string, funct3: string, operation: Operation): Instruction[] => [
  instruction(name, `${funct6}0 rs2 rs1 ${funct3} rd 0110011`, 'rd, rs1, rs2', (x) =>
    x.rd(operation(x, x.rs1, x.rs2)),
  ),
  instruction(`${name}i`, `${funct6} shamt rs1 ${funct3} rd 0010011`, 'rd, rs1, imm', (x) =>
    x.rd(operation(x, x.rs1, x.imm)),
  ),
];

export const zbs = extension('zbs', [
  ...pair('bclr', '010010', '001', clear),
  ...pair('bext', '010010', '101', test),
  ...pair('binv', '011010', '001', invert),
  ...pair('bset', '001010', '001', set),
]);
