// Base integer instructions. Unprivileged ISA manual, "RV32I" and "RV64I".
import { Cause } from './causes';
import type { Emitter, I32, I64, LoadKind, StoreKind } from './emitter';
import { type Semantics, extension, instruction } from './instruction';

const address = (x: Emitter): I64 => x.add(x.rs1, x.imm);
const load =
  (kind: LoadKind): Semantics =>
  (x) =>
    x.rd(x.load(kind, address(x)));
const store =
  (kind: StoreKind): Semantics =>
  (x) =>
    x.store(kind, address(x), x.rs2);
const branch =
  (condition: (x: Emitter) => I32): Semantics =>
  (x) =>
    x.branch(condition(x));
const flag = (x: Emitter, condition: I32): I64 => x.zext(condition);

/** Word operations compute in 32 bits and sign-extend. */
const word = (value: (x: Emitter, a: I32, b: I32) => I32, second: (x: Emitter) => I64): Semantics => {
  return (x) => x.rd(x.sext(value(x, x.wrap(x.rs1), x.wrap(second(x)))));
};
const rs2 = (x: Emitter): I64 => x.rs2;
const imm = (x: Emitter): I64 => x.imm;

export const lui: Semantics = (x) => x.rd(x.imm);
export const jal: Semantics = (x) => {
  x.rd(x.next);
  x.jump();
};
export const jalr: Semantics = (x) => {
  const target = x.let(x.and(x.add(x.rs1, x.imm), x.const(-2)));
  x.rd(x.next);
  x.jumpTo(target);
};
export const beq = branch((x) => x.eq(x.rs1, x.rs2));
export const bne = branch((x) => x.ne(x.rs1, x.rs2));
export const lh = load('h');
export const lbu = load('bu');
export const lhu = load('hu');
export const lw = load('w');
export const ld = load('d');
export const sb = store('b');
export const sh = store('h');
export const sw = store('w');
export const sd = store('d');
export const addi: Semantics = (x) => x.rd(x.add(x.rs1, x.imm));
export const andi: Semantics = (x) => x.rd(x.and(x.rs1, x.imm));
export const slli: Semantics = (x) => x.rd(x.shl(x.rs1, x.imm));
export const srli: Semantics = (x) => x.rd(x.shr(x.rs1, x.imm));
export const srai: Semantics = (x) => x.rd(x.sar(x.rs1, x.imm));
export const addiw = word((x, a, b) => x.add(a, b), imm);
export const add: Semantics = (x) => x.rd(x.add(x.rs1, x.rs2));
export const sub: Semantics = (x) => x.rd(x.sub(x.rs1, x.rs2));
export const and: Semantics = (x) => x.rd(x.and(x.rs1, x.rs2));
export const or: Semantics = (x) => x.rd(x.or(x.rs1, x.rs2));
export const xor: Semantics = (x) => x.rd(x.xor(x.rs1, x.rs2));
export const addw = word((x, a, b) => x.add(a, b), rs2);
export const subw = word((x, a, b) => x.sub(a, b), rs2);
export const ebreak: Semantics = (x) => {
  x.perform('raise', [x.const32(Cause.breakpoint), x.pc]);
  x.redirect();
};
const ecall: Semantics = (x) => {
  x.perform('environment_call', []);
  x.redirect();
};

/** One hart sees its own accesses in order, and harts run one at a time: nothing is left to order. */
const fence: Semantics = () => {};

export const rv64i = extension('i', [
  instruction('lui', 'imm[31:12] rd 0110111', 'rd, imm', lui),
  instruction('auipc', 'imm[31:12] rd 0010111', 'rd, imm', (x) => x.rd(x.add(x.pc, x.imm))),
  instruction('jal', 'imm[20|10:1|11|19:12] rd 1101111', 'rd, imm', jal),
  instruction('jalr', 'imm[11:0] rs1 000 rd 1100111', 'rd, imm(rs1)', jalr),

  instruction('beq', 'imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011', 'rs1, rs2, imm', beq),
  instruction('bne', 'imm[12|10:5] rs2 rs1 001 imm[4:1|11] 1100011', 'rs1, rs2, imm', bne),
  instruction(
    'blt',
    'imm[12|10:5] rs2 rs1 100 imm[4:1|11] 1100011',
    'rs1, rs2, imm',
    branch((x) => x.ltS(x.rs1, x.rs2)),
  ),
  instruction(
    'bge',
    'imm[12|10:5] rs2 rs1 101 imm[4:1|11] 1100011',
    'rs1, rs2, imm',
    branch((x) => x.geS(x.rs1, x.rs2)),
  ),
  instruction(
    'bltu',
    'imm[12|10:5] rs2 rs1 110 imm[4:1|11] 1100011',
    'rs1, rs2, imm',
    branch((x) => x.ltU(x.rs1, x.rs2)),
  ),
  instruction(
    'bgeu',
    'imm[12|10:5] rs2 rs1 111 imm[4:1|11] 1100011',
    'rs1, rs2, imm',
    branch((x) => x.geU(x.rs1, x.rs2)),
  ),

  instruction('lb', 'imm[11:0] rs1 000 rd 0000011', 'rd, imm(rs1)', load('b')),
  instruction('lh', 'imm[11:0] rs1 001 rd 0000011', 'rd, imm(rs1)', lh),
  instruction('lw', 'imm[11:0] rs1 010 rd 0000011', 'rd, imm(rs1)', lw),
  instruction('ld', 'imm[11:0] rs1 011 rd 0000011', 'rd, imm(rs1)', ld),
  instruction('lbu', 'imm[11:0] rs1 100 rd 0000011', 'rd, imm(rs1)', lbu),
  instruction('lhu', 'imm[11:0] rs1 101 rd 0000011', 'rd, imm(rs1)', lhu),
  instruction('lwu', 'imm[11:0] rs1 110 rd 0000011', 'rd, imm(rs1)', load('wu')),
  instruction('sb', 'imm[11:5] rs2 rs1 000 imm[4:0] 0100011', 'rs2, imm(rs1)', sb),
  instruction('sh', 'imm[11:5] rs2 rs1 001 imm[4:0] 0100011', 'rs2, imm(rs1)', sh),
  instruction('sw', 'imm[11:5] rs2 rs1 010 imm[4:0] 0100011', 'rs2, imm(rs1)', sw),
  instruction('sd', 'imm[11:5] rs2 rs1 011 imm[4:0] 0100011', 'rs2, imm(rs1)', sd),

  instruction('addi', 'imm[11:0] rs1 000 rd 0010011', 'rd, rs1, imm', addi),
  instruction('slti', 'imm[11:0] rs1 010 rd 0010011', 'rd, rs1, imm', (x) =>
    x.rd(flag(x, x.ltS(x.rs1, x.imm))),
  ),
  instruction('sltiu', 'imm[11:0] rs1 011 rd 0010011', 'rd, rs1, imm', (x) =>
    x.rd(flag(x, x.ltU(x.rs1, x.imm))),
  ),
  instruction('xori', 'imm[11:0] rs1 100 rd 0010011', 'rd, rs1, imm', (x) => x.rd(x.xor(x.rs1, x.imm))),
  instruction('ori', 'imm[11:0] rs1 110 rd 0010011', 'rd, rs1, imm', (x) => x.rd(x.or(x.rs1, x.imm))),
  instruction('andi', 'imm[11:0] rs1 111 rd 0010011', 'rd, rs1, imm', andi),
  instruction('slli', '000000 shamt rs1 001 rd 0010011', 'rd, rs1, imm', slli),
  instruction('srli', '000000 shamt rs1 101 rd 0010011', 'rd, rs1, imm', srli),
  instruction('srai', '010000 shamt rs1 101 rd 0010011', 'rd, rs1, imm', srai),

  instruction('add', '0000000 rs2 rs1 000 rd 0110011', 'rd, rs1, rs2', add),
  instruction('sub', '0100000 rs2 rs1 000 rd 0110011', 'rd, rs1, rs2', sub),
  instruction('sll', '0000000 rs2 rs1 001 rd 0110011', 'rd, rs1, rs2', (x) => x.rd(x.shl(x.rs1, x.rs2))),
  instruction('slt', '0000000 rs2 rs1 010 rd 0110011', 'rd, rs1, rs2', (x) =>
    x.rd(flag(x, x.ltS(x.rs1, x.rs2))),
  ),
  instruction('sltu', '0000000 rs2 rs1 011 rd 0110011', 'rd, rs1, rs2', (x) =>
    x.rd(flag(x, x.ltU(x.rs1, x.rs2))),
  ),
  instruction('xor', '0000000 rs2 rs1 100 rd 0110011', 'rd, rs1, rs2', xor),
  instruction('srl', '0000000 rs2 rs1 101 rd 0110011', 'rd, rs1, rs2', (x) => x.rd(x.shr(x.rs1, x.rs2))),
  instruction('sra', '0100000 rs2 rs1 101 rd 0110011', 'rd, rs1, rs2', (x) => x.rd(x.sar(x.rs1, x.rs2))),
  instruction('or', '0000000 rs2 rs1 110 rd 0110011', 'rd, rs1, rs2', or),
  instruction('and', '0000000 rs2 rs1 111 rd 0110011', 'rd, rs1, rs2', and),

  instruction('addiw', 'imm[11:0] rs1 000 rd 0011011', 'rd, rs1, imm', addiw),
  instruction(
    'slliw',
    '0000000 shamtw rs1 001 rd 0011011',
    'rd, rs1, imm',
    word((x, a, b) => x.shl(a, b), imm),
  ),
  instruction(
    'srliw',
    '0000000 shamtw rs1 101 rd 0011011',
    'rd, rs1, imm',
    word((x, a, b) => x.shr(a, b), imm),
  ),
  instruction(
    'sraiw',
    '0100000 shamtw rs1 101 rd 0011011',
    'rd, rs1, imm',
    word((x, a, b) => x.sar(a, b), imm),
  ),
  instruction('addw', '0000000 rs2 rs1 000 rd 0111011', 'rd, rs1, rs2', addw),
  instruction('subw', '0100000 rs2 rs1 000 rd 0111011', 'rd, rs1, rs2', subw),
  instruction(
    'sllw',
    '0000000 rs2 rs1 001 rd 0111011',
    'rd, rs1, rs2',
    word((x, a, b) => x.shl(a, b), rs2),
  ),
  instruction(
    'srlw',
    '0000000 rs2 rs1 101 rd 0111011',
    'rd, rs1, rs2',
    word((x, a, b) => x.shr(a, b), rs2),
  ),
  instruction(
    'sraw',
    '0100000 rs2 rs1 101 rd 0111011',
    'rd, rs1, rs2',
    word((x, a, b) => x.sar(a, b), rs2),
  ),

  instruction('fence', 'fm pred succ rs1 000 rd 0001111', 'pred, succ', fence),
  instruction('ecall', '000000000000 00000 000 00000 1110011', '', ecall),
  instruction('ebreak', '000000000001 00000 000 00000 1110011', '', ebreak),
]);
