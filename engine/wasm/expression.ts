/**
 * Typed expressions: a value and the code that leaves it on the stack. An
 * expression is pure text; using it twice computes it twice, so semantics
 * that need a value again bind it to a local first.
 */
import { signed, signed32, unsigned } from './encoding';
import {
  type Arithmetic,
  type Comparison,
  type Conversion,
  type IntegerType,
  type MemoryOperator,
  type FloatOperator,
  type ValueType,
  arithmeticOperator,
  comparison,
  control,
  conversion,
  floating,
  memory,
} from './opcodes';

/** Bytes as a tree: expressions nest without copying, whoever writes them out flattens once. */
export type Code = readonly (number | Code)[];

export class Expression<T extends ValueType = ValueType> {
  constructor(
    readonly type: T,
    readonly code: Code,
    readonly number: Numbers = {},
  ) {}
}

/** An i64 as floating point, where its bits come as that: then nothing has to be converted. */
interface Numbers {
  /** All 64 bits. */
  readonly double?: F64;
  /** The lower half, whatever is above. */
  readonly half?: F32;
  /** The lower half, where all bits above are ones ("NaN boxing"). */
  readonly single?: F32;
}

export type I32 = Expression<'i32'>;
export type I64 = Expression<'i64'>;
export type F32 = Expression<'f32'>;
export type F64 = Expression<'f64'>;
export type Integer = Expression<IntegerType>;

const known32 = new Map<number, I32>();
const KNOWN_MOST = 4096;

export function i32Constant(value: number): I32 {
  const known = known32.get(value);
  if (known) return known;
  const fresh = new Expression('i32', [0x41, ...signed32(value)]);
  if (known32.size < KNOWN_MOST) known32.set(value, fresh);
  return fresh;
}

export const i64Constant = (value: bigint): I64 =>
  new Expression('i64', [0x42, ...signed(BigInt.asIntN(64, value))]);

export const f64Constant = (value: number): F64 =>
  new Expression('f64', [0x44, ...new Uint8Array(new Float64Array([value]).buffer)]);

export const binary = <T extends IntegerType>(
  operator: Arithmetic,
  left: Expression<T>,
  right: Expression<T>,
): Expression<T> =>
  new Expression(left.type, [left.code, right.code, arithmeticOperator(left.type, operator)]);

export const unary = <T extends IntegerType>(operator: Arithmetic, operand: Expression<T>): Expression<T> =>
  new Expression(operand.type, [operand.code, arithmeticOperator(operand.type, operator)]);

export const compare = <T extends IntegerType>(
  operator: Comparison,
  left: Expression<T>,
  right: Expression<T>,
): I32 => new Expression('i32', [left.code, right.code, comparison(left.type, operator)]);

export const isZero = (operand: Integer): I32 =>
  new Expression('i32', [operand.code, comparison(operand.type, 'eqz')]);

export const convert = (operator: Conversion, operand: Integer): Integer =>
  new Expression(operator.slice(0, 3) as IntegerType, [operand.code, conversion[operator]]);

export const wrap = (operand: I64): I32 => convert('i32.wrap_i64', operand) as I32;
export const extendSigned = (operand: I32): I64 => convert('i64.extend_i32_s', operand) as I64;
export const extendUnsigned = (operand: I32): I64 => convert('i64.extend_i32_u', operand) as I64;

export const select = <T extends ValueType>(
  condition: I32,
  whenTrue: Expression<T>,
  whenFalse: Expression<T>,
): Expression<T> =>
  new Expression(whenTrue.type, [whenTrue.code, whenFalse.code, condition.code, control.select]);

/** `address + offset` is the byte read; `offset` is unsigned. The alignment hint is 1: guests need not align. */
export const load = (operator: MemoryOperator, address: I32, offset = 0): Integer => {
  const from = <T extends ValueType>(which: MemoryOperator): Expression<T> =>
    new Expression(which.slice(0, 3) as T, [address.code, memory[which][0], 0, ...unsigned(offset)]);
  const { type, code } = from<IntegerType>(operator);
  return new Expression(type, code, {
    ...(operator === 'i64.load' && { double: from('f64.load') }),
    ...(operator === 'i64.load32_u' && { half: from('f32.load') }),
  });
};

export const storeCode = (operator: MemoryOperator, address: I32, value: Expression, offset = 0): Code => [
  address.code,
  value.code,
  memory[operator][0],
  0,
  ...unsigned(offset),
];

/** A floating-point operator on its operands. */
export const float = <N extends FloatOperator>(
  operator: N,
  ...operands: readonly Expression[]
): Expression<(typeof floating)[N][0]> => {
  const [type, ...opcode] = floating[operator];
  return new Expression(type, [operands.map(({ code }) => code), ...opcode]);
};

/** The 64 bits of a floating-point register, and the other way round. */
export const bitsOf = (double: F64): I64 =>
  new Expression('i64', float('i64.reinterpret_f64', double).code, { double });
export const doubleOf = (bits: I64): F64 => bits.number.double ?? float('f64.reinterpret_i64', bits);

const BOX = 0xffffffffn << 32n;
/** A register with a single in its lower half, and ones above. */
export const boxOf = (single: F32): I64 => box(extendUnsigned(float('i32.reinterpret_f32', single)), single);
/** Sets the upper half of bits whose lower half is a single. */
export const box = (bits: I64, single = bits.number.half ?? float('f32.reinterpret_i32', wrap(bits))): I64 =>
  new Expression('i64', binary('or', bits, i64Constant(BOX)).code, { single });
