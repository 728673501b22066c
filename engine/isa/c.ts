// Compressed instructions. Unprivileged ISA manual, "C". Each expands to one
// instruction of another extension: it has that one's semantics, and operands
// that its own encoding holds or implies.
import * as d from './d';
import * as i from './rv64i';
import { extension, instruction } from './instruction';

const SP = { rs1: 2 };

export const c = extension('c', [
  // Quadrant 0
  instruction('c.addi4spn', "000 uimm[5:4|9:6|2|3]≠0 rd' 00", 'rd, sp, imm', i.addi, SP),
  instruction('c.fld', "001 uimm[5:3] rs1' uimm[7:6] rd' 00", 'frd, imm(rs1)', d.fld),
  instruction('c.lw', "010 uimm[5:3] rs1' uimm[2|6] rd' 00", 'rd, imm(rs1)', i.lw),
  instruction('c.ld', "011 uimm[5:3] rs1' uimm[7:6] rd' 00", 'rd, imm(rs1)', i.ld),
  instruction('c.fsd', "101 uimm[5:3] rs1' uimm[7:6] rs2' 00", 'frs2, imm(rs1)', d.fsd),
  instruction('c.sw', "110 uimm[5:3] rs1' uimm[2|6] rs2' 00", 'rs2, imm(rs1)', i.sw),
  instruction('c.sd', "111 uimm[5:3] rs1' uimm[7:6] rs2' 00", 'rs2, imm(rs1)', i.sd),
  // Quadrant 1
  instruction('c.addi', '000 imm[5] rd/rs1 imm[4:0] 01', 'rd, imm', i.addi),
  instruction('c.addiw', '001 imm[5] rd/rs1≠0 imm[4:0] 01', 'rd, imm', i.addiw),
  instruction('c.li', '010 imm[5] rd imm[4:0] 01', 'rd, imm', i.addi, { rs1: 0 }),
  instruction('c.addi16sp', '011 imm[9] 00010 imm[4|6|8:7|5]≠0 01', 'sp, imm', i.addi, { rd: 2, rs1: 2 }),
  instruction('c.lui', '011 imm[17] rd≠2 imm[16:12]≠0 01', 'rd, imm', i.lui),
  instruction('c.srli', "100 shamt[5] 00 rd'/rs1' shamt[4:0] 01", 'rd, imm', i.srli),
  instruction('c.srai', "100 shamt[5] 01 rd'/rs1' shamt[4:0] 01", 'rd, imm', i.srai),
  instruction('c.andi', "100 imm[5] 10 rd'/rs1' imm[4:0] 01", 'rd, imm', i.andi),
  instruction('c.sub', "100 0 11 rd'/rs1' 00 rs2' 01", 'rd, rs2', i.sub),
  instruction('c.xor', "100 0 11 rd'/rs1' 01 rs2' 01", 'rd, rs2', i.xor),
  instruction('c.or', "100 0 11 rd'/rs1' 10 rs2' 01", 'rd, rs2', i.or),
  instruction('c.and', "100 0 11 rd'/rs1' 11 rs2' 01", 'rd, rs2', i.and),
  instruction('c.subw', "100 1 11 rd'/rs1' 00 rs2' 01", 'rd, rs2', i.subw),
  instruction('c.addw', "100 1 11 rd'/rs1' 01 rs2' 01", 'rd, rs2', i.addw),
  instruction('c.j', '101 imm[11|4|9:8|10|6|7|3:1|5] 01', 'imm', i.jal, { rd: 0 }),
  instruction('c.beqz', "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", 'rs1, imm', i.beq, { rs2: 0 }),
  instruction('c.bnez', "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", 'rs1, imm', i.bne, { rs2: 0 }),
  // Quadrant 2
  instruction('c.slli', '000 shamt[5] rd/rs1 shamt[4:0] 10', 'rd, imm', i.slli),
  instruction('c.fldsp', '001 uimm[5] rd uimm[4:3|8:6] 10', 'frd, imm(sp)', d.fld, SP),
  instruction('c.lwsp', '010 uimm[5] rd≠0 uimm[4:2|7:6] 10', 'rd, imm(sp)', i.lw, SP),
  instruction('c.ldsp', '011 uimm[5] rd≠0 uimm[4:3|8:6] 10', 'rd, imm(sp)', i.ld, SP),
  instruction('c.jr', '100 0 rs1≠0 00000 10', 'rs1', i.jalr, { rd: 0, imm: 0 }),
  instruction('c.mv', '100 0 rd rs2≠0 10', 'rd, rs2', i.add, { rs1: 0 }),
  instruction('c.ebreak', '100 1 00000 00000 10', '', i.ebreak),
  instruction('c.jalr', '100 1 rs1≠0 00000 10', 'rs1', i.jalr, { rd: 1, imm: 0 }),
  instruction('c.add', '100 1 rd/rs1 rs2≠0 10', 'rd, rs2', i.add),
  instruction('c.fsdsp', '101 uimm[5:3|8:6] rs2 10', 'frs2, imm(sp)', d.fsd, SP),
  instruction('c.swsp', '110 uimm[5:2|7:6] rs2 10', 'rs2, imm(sp)', i.sw, SP),
  instruction('c.sdsp', '111 uimm[5:3|8:6] rs2 10', 'rs2, imm(sp)', i.sd, SP),
]);
