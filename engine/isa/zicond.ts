// Conditional zeroing. Unprivileged ISA manual, "Zicond".
import { extension, instruction } from './instruction';

export const zicond = extension('zicond', [
  instruction('czero.eqz', '0000111 rs2 rs1 101 rd 0110011', 'rd, rs1, rs2', (x) =>
    x.rd(x.select(x.isZero(x.rs2), x.const(0), x.rs1)),
  ),
  instruction('czero.nez', '0000111 rs2 rs1 111 rd 0110011', 'rd, rs1, rs2', (x) =>
    x.rd(x.select(x.isZero(x.rs2), x.rs1, x.const(0))),
  ),
]);
