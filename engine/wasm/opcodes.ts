/**
 * WebAssembly opcodes by their text-format names, the numeric ones in the
 * order of the core specification's index of instructions.
 */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export const valueTypeCode: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
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
  'f32.load': [0x2a, 2],
  'f64.load': [0x2b, 3],
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
  'f32.store': [0x38, 2],
  'f64.store': [0x39, 3],
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

/** Floating-point operators: result type and opcode. `trunc_sat` never traps. */
export const floating = {
  'f32.eq': ['i32', 0x5b],
  'f32.lt': ['i32', 0x5d],
  'f32.gt': ['i32', 0x5e],
  'f32.le': ['i32', 0x5f],
  'f32.ge': ['i32', 0x60],
  'f64.eq': ['i32', 0x61],
  'f64.lt': ['i32', 0x63],
  'f64.gt': ['i32', 0x64],
  'f64.le': ['i32', 0x65],
  'f64.ge': ['i32', 0x66],
  'f32.abs': ['f32', 0x8b],
  'f32.neg': ['f32', 0x8c],
  'f32.sqrt': ['f32', 0x91],
  'f32.add': ['f32', 0x92],
  'f32.sub': ['f32', 0x93],
  'f32.mul': ['f32', 0x94],
  'f32.div': ['f32', 0x95],
  'f32.min': ['f32', 0x96],
  'f32.max': ['f32', 0x97],
  'f32.copysign': ['f32', 0x98],
  'f64.abs': ['f64', 0x99],
  'f64.neg': ['f64', 0x9a],
  'f64.sqrt': ['f64', 0x9f],
  'f64.add': ['f64', 0xa0],
  'f64.sub': ['f64', 0xa1],
  'f64.mul': ['f64', 0xa2],
  'f64.div': ['f64', 0xa3],
  'f64.min': ['f64', 0xa4],
  'f64.max': ['f64', 0xa5],
  'f64.copysign': ['f64', 0xa6],
  'f32.convert_i32_s': ['f32', 0xb2],
  'f32.convert_i32_u': ['f32', 0xb3],
  'f32.convert_i64_s': ['f32', 0xb4],
  'f32.convert_i64_u': ['f32', 0xb5],
  'f32.demote_f64': ['f32', 0xb6],
  'f64.convert_i32_s': ['f64', 0xb7],
  'f64.convert_i32_u': ['f64', 0xb8],
  'f64.convert_i64_s': ['f64', 0xb9],
  'f64.convert_i64_u': ['f64', 0xba],
  'f64.promote_f32': ['f64', 0xbb],
  'i32.reinterpret_f32': ['i32', 0xbc],
  'i64.reinterpret_f64': ['i64', 0xbd],
  'f32.reinterpret_i32': ['f32', 0xbe],
  'f64.reinterpret_i64': ['f64', 0xbf],
  'i32.trunc_sat_f64_s': ['i32', 0xfc, 0x02],
  'i64.trunc_sat_f64_s': ['i64', 0xfc, 0x06],
  'f32x4.splat': ['v128', 0xfd, 0x13],
  'f64x2.splat': ['v128', 0xfd, 0x14],
  // Lane 0.
  'f32x4.extract_lane': ['f32', 0xfd, 0x1f, 0x00],
  'f64x2.extract_lane': ['f64', 0xfd, 0x21, 0x00],
  // a * b + c and -(a * b) + c, rounded once or twice: that is the engine's choice.
  'f32x4.relaxed_madd': ['v128', 0xfd, 0x85, 0x02],
  'f32x4.relaxed_nmadd': ['v128', 0xfd, 0x86, 0x02],
  'f64x2.relaxed_madd': ['v128', 0xfd, 0x87, 0x02],
  'f64x2.relaxed_nmadd': ['v128', 0xfd, 0x88, 0x02],
} as const satisfies Record<string, readonly [ValueType, ...number[]]>;

export type FloatOperator = keyof typeof floating;
