// Single-precision floating point. Unprivileged ISA manual, "F".
import { boxed, common, float } from './floating-point';
import { extension, instruction } from './instruction';

export const f = extension('f', [
  instruction(
    'flw',
    'imm[11:0] rs1 010 rd 0000111',
    'frd, imm(rs1)',
    float((x) => x.fd(boxed(x, x.load('wu', x.add(x.rs1, x.imm)), 32))),
  ),
  instruction(
    'fsw',
    'imm[11:5] rs2 rs1 010 imm[4:0] 0100111',
    'frs2, imm(rs1)',
    float((x) => x.store('w', x.add(x.rs1, x.imm), x.fs2)),
  ),
  instruction(
    'fmv.x.w',
    '1110000 00000 rs1 000 rd 1010011',
    'rd, frs1',
    float((x) => x.rd(x.sext32(x.fs1))),
  ),
  instruction(
    'fmv.w.x',
    '1111000 00000 rs1 000 rd 1010011',
    'frd, rs1',
    float((x) => x.fd(boxed(x, x.zext32(x.rs1), 32))),
  ),
  ...common({ suffix: 's', fmt: '00' }),
]);
