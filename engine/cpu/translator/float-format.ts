/** The two formats of floating-point numbers as translated code has them: in registers, and as results that may need care. */
import {
  type Expression,
  type F32,
  type F64,
  type I32,
  type I64,
  binary,
  bitsOf,
  boxOf,
  compare,
  doubleOf,
  float,
  i32Constant,
  i64Constant,
  wrap,
} from '../../wasm/expression';
import type { ValueType } from '../../wasm/opcodes';

/** What an inline form needs of its emitter. */
export interface FloatContext {
  /** 0 while frm is nearest-even and NX is set in fflags; -1 otherwise. */
  readonly special: I32;
  let<T extends ValueType>(value: Expression<T>): Expression<T>;
  /** Goes to the helper when the condition holds. */
  unless(condition: I32): void;
  /** To be called where nothing is rounded, and `special` not looked at: a reserved frm is illegal all the same. */
  checkRounding(): void;
}

/** What a register of 64 bits holds as a number, and the other way round. */
export interface Format<T extends 'f32' | 'f64'> {
  readonly type: T;
  number(x: FloatContext, register: I64): Expression<T>;
  register(value: Expression<T>): I64;
  /**
   * Where the exponent is all ones (NaN, infinities) or below `low`, or arithmetic is special: then the flags may be
   * others than NX, which is set already.
   */
  extreme(x: FloatContext, value: Expression<T>, low: number): I32;
}

/** `upper` has the sign, the exponent at `shift` when the sign is gone, and perhaps more. */
const extreme = (x: FloatContext, upper: I32, low: number, ones: number, shift: number): I32 => {
  const magnitude = binary('shl', upper, i32Constant(1));
  const distance = low === 0 ? magnitude : binary('sub', magnitude, i32Constant(low << shift));
  return compare('ge_u', binary('or', distance, x.special), i32Constant((ones - low) << shift));
};

export const double: Format<'f64'> = {
  type: 'f64',
  number: (_, register) => doubleOf(register),
  register: bitsOf,
  extreme: (x, value, low) =>
    extreme(x, wrap(binary('shr_u', bitsOf(value), i64Constant(32n))), low, 0x7ff, 21),
};

const BOX = i64Constant(0xffffffffn << 32n);

export const single: Format<'f32'> = {
  type: 'f32',
  // What is not boxed is a NaN, and the helper's.
  number: (x, register) => {
    if (register.number.single) return register.number.single;
    const bits = x.let(register);
    x.unless(compare('ne', binary('and', bits, BOX), BOX));
    return x.let(float('f32.reinterpret_i32', wrap(bits)));
  },
  register: boxOf,
  extreme: (x, value, low) => extreme(x, float('i32.reinterpret_f32', value), low, 0xff, 24),
};

/** The helper's, where a and b are not ordered: one of them is a NaN. */
export const unlessOrdered = (x: FloatContext, oneWay: I32, theOther: I32): void =>
  x.unless(binary('xor', binary('or', oneWay, theOther), i32Constant(1)));

export type { F32, F64 };
