/**
 * WebAssembly opcodes by their text-format names, the numeric ones in the
 * order of the core specification's index of instructions.
 */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64';

export const valueTypeCode: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
};

export const control = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  emptyBlockType: 0x40,
} as const;

/** Loads and stores: opcode and natural alignment (log2 of bytes). */
export const memory = {
  'i32.load': [0x28, 2],
  'i64.load': [0x29, 3],
  'i32.load8_u': [0x2d, 0],
  'i32.load16_u': [0x2f, 1],
  'i64.load8_s': [0x30, 0],
  'i64.load8_u': [0x31, 0],
  'i64.load16_s': [0x32, 1],
  'i64.load16_u': [0x33, 1],
  'i64.load32_s': [0x34, 2],
  'i64.load32_u': [0x35, 2],
  'i32.store': [0x36, 2],
  'i64.store': [0x37, 3],
  'i32.store8': [0x3a, 0],
  'i32.store16': [0x3b, 1],
  'i64.store8': [0x3c, 0],
  'i64.store16': [0x3d, 1],
  'i64.store32': [0x3e, 2],
} as const satisfies Record<string, readonly [number, number]>;

export type MemoryOperator = keyof typeof memory;

const comparisons = [
  'eqz',
  'eq',
  'ne',
  'lt_s',
  'lt_u',
  'gt_s',
  'gt_u',
  'le_s',
  'le_u',
  'ge_s',
  'ge_u',
] as const;
// prettier-ignore
const arithmetic = [
  'clz', 'ctz', 'popcnt', 'add', 'sub', 'mul', 'div_s', 'div_u', 'rem_s', 'rem_u',
  'and', 'or', 'xor', 'shl', 'shr_s', 'shr_u', 'rotl', 'rotr',
] as const;

export type Comparison = (typeof comparisons)[number];
export type Arithmetic = (typeof arithmetic)[number];

/** First opcode of each type's run; within a run the order above is the specification's. */
const comparisonBase = { i32: 0x45, i64: 0x50 } as const;
const arithmeticBase = { i32: 0x67, i64: 0x79 } as const;

export type IntegerType = 'i32' | 'i64';

export const comparison = (type: IntegerType, operator: Comparison): number =>
  comparisonBase[type] + comparisons.indexOf(operator);

export const arithmeticOperator = (type: IntegerType, operator: Arithmetic): number =>
  arithmeticBase[type] + arithmetic.indexOf(operator);

export const conversion = {
  'i32.wrap_i64': 0xa7,
  'i64.extend_i32_s': 0xac,
  'i64.extend_i32_u': 0xad,
  'i32.extend8_s': 0xc0,
  'i32.extend16_s': 0xc1,
  'i64.extend8_s': 0xc2,
  'i64.extend16_s': 0xc3,
  'i64.extend32_s': 0xc4,
} as const;

export type Conversion = keyof typeof conversion;
