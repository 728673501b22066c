/** Guest code for tests: the few RV64 instructions that they need, as words. Unprivileged ISA manual, chapter "RV32/64G Instruction Set Listings". */

/** Registers by their number; `zero` is wired to zero. */
export const reg = { zero: 0, ra: 1, t0: 5, t1: 6, t2: 7, a0: 10, a1: 11, s10: 26, s11: 27, t6: 31 } as const;

const field = (value: number, bits: number, at: number): number => (value & (2 ** bits - 1)) << at;
const iType = (opcode: number, funct3: number, rd: number, rs1: number, immediate: number): number =>
  opcode | field(rd, 5, 7) | field(funct3, 3, 12) | field(rs1, 5, 15) | field(immediate, 12, 20);

export const addi = (rd: number, rs1: number, immediate: number): number =>
  iType(0x13, 0, rd, rs1, immediate);
export const slli = (rd: number, rs1: number, amount: number): number => iType(0x13, 1, rd, rs1, amount);
export const auipc = (rd: number, upper: number): number => 0x17 | field(rd, 5, 7) | field(upper, 20, 12);
export const jalr = (rd: number, rs1: number, offset = 0): number => iType(0x67, 0, rd, rs1, offset);
export const jal = (rd: number, offset: number): number =>
  0x6f |
  field(rd, 5, 7) |
  field(offset >> 12, 8, 12) |
  field(offset >> 11, 1, 20) |
  field(offset >> 1, 10, 21) |
  field(offset >> 20, 1, 31);
/** Branches by funct3: 0 beq, 1 bne, 4 blt, 5 bge, 6 bltu, 7 bgeu. */
export const branch = (funct3: number, rs1: number, rs2: number, offset: number): number =>
  0x63 |
  field(offset >> 11, 1, 7) |
  field(offset >> 1, 4, 8) |
  field(funct3, 3, 12) |
  field(rs1, 5, 15) |
  field(rs2, 5, 20) |
  field(offset >> 5, 6, 25) |
  field(offset >> 12, 1, 31);
/** Loads by funct3: 0 lb, 1 lh, 2 lw, 3 ld, 4 lbu, 5 lhu, 6 lwu. */
export const load = (funct3: number, rd: number, rs1: number, offset = 0): number =>
  iType(0x03, funct3, rd, rs1, offset);
/** Stores by funct3: 0 sb, 1 sh, 2 sw, 3 sd. */
export const store = (funct3: number, rs2: number, rs1: number, offset = 0): number =>
  0x23 |
  field(offset, 5, 7) |
  field(funct3, 3, 12) |
  field(rs1, 5, 15) |
  field(rs2, 5, 20) |
  field(offset >> 5, 7, 25);
/** Atomic memory operations by funct5: 0 amoadd, 1 amoswap, 2 lr (rs2 zero), 3 sc, ...; funct3 2 for words, 3 for doublewords. */
export const atomic = (funct5: number, funct3: number, rd: number, rs1: number, rs2: number): number =>
  iType(0x2f, funct3, rd, rs1, (funct5 << 7) | rs2);
/** CSR instructions by funct3: 1 csrrw, 2 csrrs, 3 csrrc. */
export const csr = (funct3: number, rd: number, number: number, rs1: number): number =>
  iType(0x73, funct3, rd, rs1, number);
export const xor = (rd: number, rs1: number, rs2: number): number => iType(0x33, 4, rd, rs1, rs2);

export const ecall = 0x00000073;
export const mret = 0x30200073;
export const sret = 0x10200073;
export const wfi = 0x10500073;
export const fenceI = 0x0000100f;
export const sfenceVma = 0x12000073;

/** Any 64-bit constant, in 1 to 12 instructions. */
export function li(rd: number, constant: bigint | number): number[] {
  const value = BigInt.asIntN(64, BigInt(constant));
  const low = BigInt.asIntN(12, value);
  if (low === value) return [addi(rd, reg.zero, Number(low))];
  const rest = li(rd, (value - low) >> 12n);
  return [...rest, slli(rd, rd, 12), ...(low === 0n ? [] : [addi(rd, rd, Number(low))])];
}

/** Words as they lie in memory. */
export function assemble(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(4 * index, word >>> 0, true));
  return bytes;
}
