// May-be-operations: they write zero, or nothing, until an extension gives them a meaning. Unprivileged ISA manual,
// "Zimop" and "Zcmop".
import { extension, instruction } from './instruction';

export const zimop = extension('zimop', [
  instruction('mop.r', '1 n[4] 00 n[3:2] 0111 n[1:0] rs1 100 rd 1110011', 'n, rd, rs1', (x) =>
    x.rd(x.const(0)),
  ),
  instruction('mop.rr', '1 n[2] 00 n[1:0] 1 rs2 rs1 100 rd 1110011', 'n, rd, rs1, rs2', (x) =>
    x.rd(x.const(0)),
  ),
]);

/** n is odd, 1 to 15. */
export const zcmop = extension('zcmop', [instruction('c.mop', '01100 n[3:1] 1 00000 01', 'n', () => {})]);
