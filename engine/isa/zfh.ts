// Half precision. Unprivileged ISA manual, "Zfh" and "Zfhmin".
import { boxed, common, computed, float } from './floating-point';
import { extension, instruction } from './instruction';

/** Enough to keep halves in memory and compute in single precision. */
export const zfhmin = extension('zfhmin', [
  instruction(
    'flh',
    'imm[11:0] rs1 001 rd 0000111',
    'frd, imm(rs1)',
    float((x) => x.fd(boxed(x, x.load('hu', x.add(x.rs1, x.imm)), 16))),
  ),
  instruction(
    'fsh',
    'imm[11:5] rs2 rs1 001 imm[4:0] 0100111',
    'frs2, imm(rs1)',
    float((x) => x.store('h', x.add(x.rs1, x.imm), x.fs2)),
  ),
  instruction(
    'fmv.x.h',
    '1110010 00000 rs1 000 rd 1010011',
    'rd, frs1',
    float((x) => x.rd(x.sext16(x.fs1))),
  ),
  instruction(
    'fmv.h.x',
    '1111010 00000 rs1 000 rd 1010011',
    'frd, rs1',
    float((x) => x.fd(boxed(x, x.and(x.rs1, x.const(0xffff)), 16))),
  ),
  computed('convert', 'fcvt.s.h', '0100000 00010 rs1 rm rd 1010011'),
  computed('convert', 'fcvt.h.s', '0100010 00000 rs1 rm rd 1010011'),
  computed('convert', 'fcvt.d.h', '0100001 00010 rs1 rm rd 1010011'),
  computed('convert', 'fcvt.h.d', '0100010 00001 rs1 rm rd 1010011'),
]);

export const zfh = extension('zfh', common({ suffix: 'h', fmt: '10' }));
