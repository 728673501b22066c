// Carry-less multiplication. Unprivileged ISA manual, "Zbc" and "Zbkc".
import type { I64 } from './emitter';
import { type Semantics, extension, instruction } from './instruction';

const product =
  (helper: string): Semantics =>
  (x) =>
    x.rd(x.call(helper, [x.rs1, x.rs2]) as I64);

const halves = [
  instruction('clmul', '0000101 rs2 rs1 001 rd 0110011', 'rd, rs1, rs2', product('clmul')),
  instruction('clmulh', '0000101 rs2 rs1 011 rd 0110011', 'rd, rs1, rs2', product('clmulh')),
];

export const zbkc = extension('zbkc', halves);

export const zbc = extension('zbc', [
  ...halves,
  instruction('clmulr', '0000101 rs2 rs1 010 rd 0110011', 'rd, rs1, rs2', product('clmulr')),
]);
