/**
 * Floating point by WebAssembly's own arithmetic, where it is provably the
 * same: round to nearest even, operands and result ordinary numbers, and NX in
 * fflags already, so that inexact results change nothing. Everything else (NaN,
 * infinities, what may overflow or underflow) is the soft-float helper's.
 *
 * "Accrued exceptions": NV, DZ and OF show as NaN or infinity in the result,
 * UF as a result below the second smallest exponent. IEEE 754, section 7.
 */
import {
  type Expression,
  type I32,
  type I64,
  binary,
  compare,
  extendSigned,
  extendUnsigned,
  float,
  i32Constant,
  i64Constant,
  wrap,
} from '../../wasm/expression';
import type { ValueType } from '../../wasm/opcodes';

/** What an inline form needs of its emitter. */
export interface FloatContext {
  /** 1 while frm is nearest-even and NX is set. */
  readonly nearestAndInexact: I32;
  let<T extends ValueType>(value: Expression<T>): Expression<T>;
  /** Goes to the helper when the condition holds. */
  unless(condition: I32): void;
  /** Goes to the helper unless frm, should it matter, is nearest-even and NX is set. */
  rounded(): void;
}

type F32 = Expression<'f32'>;
type F64 = Expression<'f64'>;
export type InlineFloat = (x: FloatContext, args: readonly I64[]) => I64;

interface Format<F extends F32 | F64> {
  /** The number in a register; singles that are not boxed are the helper's. */
  number(x: FloatContext, register: I64): F;
  /** As a register holds it. */
  register(value: F): I64;
  /** Out of `exponent`'s range from `low` on, where it is all ones or too small. */
  extreme(bits: I64, low: number): I32;
  readonly name: 'f32' | 'f64';
}

const BOX = i64Constant(0xffffffff00000000n);
const and = <T extends 'i32' | 'i64'>(a: Expression<T>, b: Expression<T>): Expression<T> =>
  binary('and', a, b);

/** `bits >> fraction` without the sign, less `low`, is below `0x7ff - low` or what it is for singles. */
const extremeExponent =
  (fraction: number, ones: number) =>
  (bits: I64, low: number): I32 => {
    const exponent = and(wrap(binary('shr_u', bits, i64Constant(BigInt(fraction)))), i32Constant(ones));
    return compare('ge_u', binary('sub', exponent, i32Constant(low)), i32Constant(ones - low));
  };

const double: Format<F64> = {
  name: 'f64',
  number: (x, register) => x.let(float('f64.reinterpret_i64', register)),
  register: (value) => float('i64.reinterpret_f64', value),
  extreme: extremeExponent(52, 0x7ff),
};
const single: Format<F32> = {
  name: 'f32',
  number: (x, register) => {
    x.unless(compare('ne', and(register, BOX), BOX));
    return x.let(float('f32.reinterpret_i32', wrap(register)));
  },
  register: (value) => binary('or', extendUnsigned(float('i32.reinterpret_f32', value)), BOX),
  extreme: extremeExponent(23, 0xff),
};

/** Smallest exponent of a result that cannot have underflowed; 0 where results cannot be inexact and tiny. */
const SAFE = 2;

type Operation = 'add' | 'sub' | 'mul' | 'div' | 'sqrt';
const arithmetic =
  <F extends F32 | F64>(format: Format<F>, operation: Operation, low: number): InlineFloat =>
  (x, args) => {
    x.rounded();
    const operands = (operation === 'sqrt' ? args.slice(0, 1) : args.slice(0, 2)).map((register) =>
      format.number(x, register),
    );
    const result = x.let(format.register(float(`${format.name}.${operation}`, ...operands) as unknown as F));
    x.unless(format.extreme(result, low));
    return result;
  };

const ordered = <F extends F32 | F64>(x: FloatContext, { name }: Format<F>, a: F, b: F): void =>
  x.unless(
    binary('xor', and(float(`${name}.eq`, a, a) as I32, float(`${name}.eq`, b, b) as I32), i32Constant(1)),
  );

const comparison =
  <F extends F32 | F64>(format: Format<F>, operation: 'eq' | 'lt' | 'le'): InlineFloat =>
  (x, [first, second]) => {
    const a = format.number(x, first!);
    const b = format.number(x, second!);
    ordered(x, format, a, b);
    return extendUnsigned(float(`${format.name}.${operation}`, a, b) as I32);
  };

const extremum =
  <F extends F32 | F64>(format: Format<F>, operation: 'min' | 'max'): InlineFloat =>
  (x, [first, second]) => {
    const a = format.number(x, first!);
    const b = format.number(x, second!);
    ordered(x, format, a, b);
    return format.register(float(`${format.name}.${operation}`, a, b) as unknown as F);
  };

const SIGN_D = i64Constant(1n << 63n);
const SIGN_S = i64Constant(1n << 31n);
type Sign = (a: I64, b: I64, sign: I64) => I64;
const not = (value: I64): I64 => binary('xor', value, i64Constant(-1n));
const signs: Readonly<Record<'fsgnj' | 'fsgnjn' | 'fsgnjx', Sign>> = {
  fsgnj: (a, b, sign) => binary('or', and(a, not(sign)), and(b, sign)),
  fsgnjn: (a, b, sign) => binary('or', and(a, not(sign)), and(not(b), sign)),
  fsgnjx: (a, b, sign) => binary('xor', a, and(b, sign)),
};
const boxed = (x: FloatContext, value: I64): void => x.unless(compare('ne', and(value, BOX), BOX));

/** fcvt.w.d and fcvt.l.d towards zero, as C has it: other modes are the helper's. */
const TOWARDS_ZERO = 1;
const truncated =
  (width: 'i32' | 'i64', limit: number): InlineFloat =>
  (x, [register]) => {
    const value = double.number(x, register!);
    const bound = (by: number): F64 => float('f64.convert_i64_s', i64Constant(BigInt(by)));
    // Both bounds are exact doubles; NaN fails both.
    const inside = and(float('f64.lt', value, bound(limit)), float('f64.lt', bound(-limit), value));
    x.unless(binary('xor', inside, i32Constant(1)));
    const whole = x.let(
      width === 'i32'
        ? extendSigned(float('i32.trunc_sat_f64_s', value))
        : float('i64.trunc_sat_f64_s', value),
    );
    const exact = float('f64.eq', float('f64.convert_i64_s', whole), value);
    x.unless(binary('xor', binary('or', exact, x.nearestAndInexact), i32Constant(1)));
    return whole;
  };

export const inlineFloats: ReadonlyMap<string, InlineFloat> = new Map<string, InlineFloat>([
  ...([double, single] as Format<F64>[]).flatMap((format): [string, InlineFloat][] => {
    const suffix = format.name === 'f64' ? 'd' : 's';
    return [
      [`fadd_${suffix}`, arithmetic(format, 'add', 0)],
      [`fsub_${suffix}`, arithmetic(format, 'sub', 0)],
      [`fmul_${suffix}`, arithmetic(format, 'mul', SAFE)],
      [`fdiv_${suffix}`, arithmetic(format, 'div', SAFE)],
      [`fsqrt_${suffix}`, arithmetic(format, 'sqrt', 0)],
      [`feq_${suffix}`, comparison(format, 'eq')],
      [`flt_${suffix}`, comparison(format, 'lt')],
      [`fle_${suffix}`, comparison(format, 'le')],
      [`fmin_${suffix}`, extremum(format, 'min')],
      [`fmax_${suffix}`, extremum(format, 'max')],
    ];
  }),
  ...Object.entries(signs).flatMap(([name, sign]): [string, InlineFloat][] => [
    [`${name}_d`, (_x, [a, b]) => sign(a!, b!, SIGN_D)],
    [
      `${name}_s`,
      (x, [a, b]) => {
        boxed(x, a!);
        boxed(x, b!);
        return sign(a!, b!, SIGN_S);
      },
    ],
  ]),
  ['fcvt_d_w', (_x, [a]) => double.register(float('f64.convert_i32_s', wrap(a!)))],
  ['fcvt_d_wu', (_x, [a]) => double.register(float('f64.convert_i32_u', wrap(a!)))],
  [
    'fcvt_d_l',
    (x, [a]) => {
      x.rounded();
      return double.register(float('f64.convert_i64_s', a!));
    },
  ],
  [
    'fcvt_d_lu',
    (x, [a]) => {
      x.rounded();
      return double.register(float('f64.convert_i64_u', a!));
    },
  ],
  [
    'fcvt_d_s',
    (x, [a]) => {
      const value = single.number(x, a!);
      x.unless(binary('xor', float('f32.eq', value, value), i32Constant(1)));
      return double.register(float('f64.promote_f32', value));
    },
  ],
  [
    'fcvt_s_d',
    (x, [a]) => {
      x.rounded();
      const result = x.let(single.register(float('f32.demote_f64', double.number(x, a!))));
      x.unless(single.extreme(result, SAFE));
      return result;
    },
  ],
  ['fcvt_w_d', truncated('i32', 2 ** 31)],
  ['fcvt_l_d', truncated('i64', 2 ** 62)],
]);

/** Whether the inline form of a helper is worth emitting with this rounding mode in the instruction. */
export function hasInlineForm(helper: string, rounding: number | undefined): boolean {
  if (!inlineFloats.has(helper)) return false;
  if (helper === 'fcvt_w_d' || helper === 'fcvt_l_d') return rounding === TOWARDS_ZERO;
  return rounding === undefined || rounding === 0 || rounding === 7;
}
