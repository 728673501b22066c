// More compressed instructions. Unprivileged ISA manual, "Zcb".
import type { Emitter, I64 } from './emitter';
import { type Instruction, extension, instruction } from './instruction';
import { mul } from './m';
import * as i from './rv64i';

const unary = (mnemonic: string, code: string, value: (x: Emitter, a: I64) => I64): Instruction =>
  instruction(mnemonic, `100111 rd'/rs1' 11 ${code} 01`, 'rd', (x) => x.rd(value(x, x.rs1)));

/** Those that abridge an instruction of another extension are there where it is. */
export const zcb = [
  extension('zcb', [
    instruction('c.lbu', "100000 rs1' uimm[0|1] rd' 00", 'rd, imm(rs1)', i.lbu),
    instruction('c.lhu', "100001 rs1' 0 uimm[1] rd' 00", 'rd, imm(rs1)', i.lhu),
    instruction('c.lh', "100001 rs1' 1 uimm[1] rd' 00", 'rd, imm(rs1)', i.lh),
    instruction('c.sb', "100010 rs1' uimm[0|1] rs2' 00", 'rs2, imm(rs1)', i.sb),
    instruction('c.sh', "100011 rs1' 0 uimm[1] rs2' 00", 'rs2, imm(rs1)', i.sh),
    unary('c.zext.b', '000', (x, a) => x.and(a, x.const(0xff))),
    unary('c.not', '101', (x, a) => x.not(a)),
    instruction('c.mul', "100111 rd'/rs1' 10 rs2' 01", 'rd, rs2', mul),
  ]),
  extension('zcb', [unary('c.zext.w', '100', (x, a) => x.zext32(a))], ['zba']),
  extension(
    'zcb',
    [
      unary('c.sext.b', '001', (x, a) => x.sext8(a)),
      unary('c.zext.h', '010', (x, a) => x.and(a, x.const(0xffff))),
      unary('c.sext.h', '011', (x, a) => x.sext16(a)),
    ],
    ['zbb'],
  ),
];
