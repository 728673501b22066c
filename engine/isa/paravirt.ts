/**
 * Hypercalls of the paravirtual machine, as instructions of the custom-0
 * opcode: bulk operations on guest memory, served natively. Only harts of
 * that model have them, and only a ported kernel uses them.
 *
 * ```
 * hv.copy rd, rs1, rs2           bytes from rs1 to rd, rs2 of them, ascending
 * hv.move rd, rs1, rs2           the same; the two may overlap
 * hv.fill rd, rs1, rs2           rs2 bytes at rd become the low byte of rs1
 * hv.multiply rd, rs1, rs2, rs3  rs3 words at rs1 times rs3 words at rs2; 2 x rs3 words at rd
 * hv.reduce rd, rs1, rs2, rs3    2 x rs3 words at rs1 modulo rs3 words at rs2; rs3 words at rd
 * ```
 *
 * The first three work on a page at most, write their progress to their
 * registers (pointers advance, rs2 falls to zero) and stand still until all is
 * done. So each is one instruction of bounded time to budgets, interrupts and
 * page faults: whoever resumes at it goes on where it was. `hv.move` does the
 * end first for as long as what is left overlaps so that it must.
 *
 * The other two are for large numbers: 1 to 32 words of 64 bits, least first.
 * They write after all reads, and nothing when they fault. More words or none,
 * and a modulus of zero, are illegal instructions.
 *
 * Registers are in memory when a helper with an effect runs, so the helpers
 * get register numbers.
 */
import type { Emitter } from './emitter';
import { type Semantics, extension, instruction } from './instruction';

const large =
  (helper: string): Semantics =>
  (x: Emitter) =>
    x.perform(helper, [x.field('rd'), x.field('rs1'), x.field('rs2'), x.field('rs3'), x.word]);

const bulk =
  (helper: string): Semantics =>
  (x: Emitter) => {
    x.perform(helper, [x.field('rd'), x.field('rs1'), x.field('rs2')]);
    x.branch(x.ne(x.rs2, x.const(0)));
  };

/** Where the instruction branches to while work is left: itself. */
const HERE = { imm: 0 };

export const paravirt = extension('xhypercall', [
  instruction('hv.copy', '0000000 rs2 rs1 000 rd 0001011', 'rd, rs1, rs2', bulk('bulk_copy'), HERE),
  instruction('hv.move', '0000001 rs2 rs1 000 rd 0001011', 'rd, rs1, rs2', bulk('bulk_move'), HERE),
  instruction('hv.fill', '0000010 rs2 rs1 000 rd 0001011', 'rd, rs1, rs2', bulk('bulk_fill'), HERE),
  instruction('hv.multiply', 'rs3 00 rs2 rs1 001 rd 0001011', 'rd, rs1, rs2, rs3', large('bulk_multiply')),
  instruction('hv.reduce', 'rs3 00 rs2 rs1 010 rd 0001011', 'rd, rs1, rs2, rs3', large('bulk_reduce')),
]);
