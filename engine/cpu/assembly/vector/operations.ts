// Operations of integers that more than one file knows, by funct6. "Vector Instruction Listing".

/** Those of OPI; those of OPM have the bit above funct6 set. */
export const enum Operation {
  add = 0b000000,
  sub = 0b000010,
  rsub = 0b000011,
  minu = 0b000100,
  min = 0b000101,
  maxu = 0b000110,
  max = 0b000111,
  and = 0b001001,
  or = 0b001010,
  xor = 0b001011,
  sll = 0b100101,
  srl = 0b101000,
  sra = 0b101001,
  divu = 64 + 0b100000,
  div = 64 + 0b100001,
  remu = 64 + 0b100010,
  rem = 64 + 0b100011,
  mulhu = 64 + 0b100100,
  mul = 64 + 0b100101,
  mulhsu = 64 + 0b100110,
  mulh = 64 + 0b100111,
  madd = 64 + 0b101001,
  nmsub = 64 + 0b101011,
  macc = 64 + 0b101101,
  nmsac = 64 + 0b101111,
}

export const enum Comparison {
  eq = 0b011000,
  ne = 0b011001,
  ltu = 0b011010,
  lt = 0b011011,
  leu = 0b011100,
  le = 0b011101,
  gtu = 0b011110,
}
