// Double-precision floating point. Unprivileged ISA manual, "D".
import { common, computed, float } from './floating-point';
import { type Semantics, extension, instruction } from './instruction';

export const fld: Semantics = float((x) => x.fd(x.load('d', x.add(x.rs1, x.imm))));
export const fsd: Semantics = float((x) => x.store('d', x.add(x.rs1, x.imm), x.fs2));

export const d = extension('d', [
  instruction('fld', 'imm[11:0] rs1 011 rd 0000111', 'frd, imm(rs1)', fld),
  instruction('fsd', 'imm[11:5] rs2 rs1 011 imm[4:0] 0100111', 'frs2, imm(rs1)', fsd),
  instruction(
    'fmv.x.d',
    '1110001 00000 rs1 000 rd 1010011',
    'rd, frs1',
    float((x) => x.rd(x.fs1)),
  ),
  instruction(
    'fmv.d.x',
    '1111001 00000 rs1 000 rd 1010011',
    'frd, rs1',
    float((x) => x.fd(x.rs1)),
  ),
  computed('convert', 'fcvt.s.d', '0100000 00001 rs1 rm rd 1010011'),
  computed('convert', 'fcvt.d.s', '0100001 00000 rs1 rm rd 1010011'),
  ...common({ suffix: 'd', fmt: '01' }),
]);
