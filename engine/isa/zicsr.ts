// Control and status register instructions. Unprivileged ISA manual, "Zicsr".
// Reads have no side effects here, so that only the write can be left out.
import type { Emitter, I32, I64 } from './emitter';
import { type Semantics, extension, instruction } from './instruction';

/** What the `csr` helper does besides reading. Shared with cpu/assembly/csr.ts. */
export const CsrOperation = { read: 0, write: 1, set: 2, clear: 3 } as const;

const csr =
  (operation: (x: Emitter) => I32, operand: (x: Emitter) => I64): Semantics =>
  (x) =>
    x.rd(x.call('csr', [x.field('csr'), operation(x), operand(x), x.word]) as I64);

const write = (x: Emitter): I32 => x.const32(CsrOperation.write);
/** Set and clear with x0, or a zero immediate, do not write at all. */
const unlessZero =
  (operation: number) =>
  (x: Emitter): I32 =>
    x.select(x.isZero(x.field('rs1')), x.const32(CsrOperation.read), x.const32(operation));

const register = (x: Emitter): I64 => x.rs1;
const immediate = (x: Emitter): I64 => x.zext(x.field('rs1'));

export const zicsr = extension('zicsr', [
  instruction('csrrw', 'csr rs1 001 rd 1110011', 'rd, csr, rs1', csr(write, register)),
  instruction('csrrs', 'csr rs1 010 rd 1110011', 'rd, csr, rs1', csr(unlessZero(CsrOperation.set), register)),
  instruction(
    'csrrc',
    'csr rs1 011 rd 1110011',
    'rd, csr, rs1',
    csr(unlessZero(CsrOperation.clear), register),
  ),
  instruction('csrrwi', 'csr rs1 101 rd 1110011', 'rd, csr, zimm', csr(write, immediate)),
  instruction(
    'csrrsi',
    'csr rs1 110 rd 1110011',
    'rd, csr, zimm',
    csr(unlessZero(CsrOperation.set), immediate),
  ),
  instruction(
    'csrrci',
    'csr rs1 111 rd 1110011',
    'rd, csr, zimm',
    csr(unlessZero(CsrOperation.clear), immediate),
  ),
]);
