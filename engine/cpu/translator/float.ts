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
  type F64,
  type I32,
  type I64,
  binary,
  compare,
  extendSigned,
  extendUnsigned,
  f64Constant,
  float,
  i32Constant,
  i64Constant,
  isZero,
  wrap,
} from '../../wasm/expression';
import { type FloatContext, type Format, double, single, unlessOrdered } from './float-format';
import { multiplyAdd, multiplyAddIsFused } from './fused';

/** The result: an i64 for integer registers, or one that has a number's form for floating-point ones. */
export type InlineFloat = (x: FloatContext, args: readonly I64[]) => Expression;

type FloatType = 'f32' | 'f64';

/** Smallest exponent of a result that cannot have underflowed; 0 where results cannot be inexact and tiny. */
const SAFE = 2;

/** `value`, unless it is one that may have raised more than NX. */
const settled = <T extends FloatType>(
  x: FloatContext,
  format: Format<T>,
  value: Expression<T>,
  low: number,
): Expression => {
  const result = x.let(value);
  x.unless(format.extreme(x, result, low));
  return result;
};

type Operation = 'add' | 'sub' | 'mul' | 'div' | 'sqrt';
const arithmetic =
  <T extends FloatType>(format: Format<T>, operation: Operation, low: number): InlineFloat =>
  (x, args) => {
    const operands = (operation === 'sqrt' ? args.slice(0, 1) : args.slice(0, 2)).map((register) =>
      format.number(x, register),
    );
    return settled(x, format, float(`${format.type}.${operation}`, ...operands) as Expression<T>, low);
  };

const fused =
  <T extends FloatType>(format: Format<T>, product: 1 | -1, addend: 1 | -1): InlineFloat =>
  (x, [first, second, third]) => {
    const [a, b, c] = [first!, second!, third!].map((register) => format.number(x, register)) as [
      Expression<T>,
      Expression<T>,
      Expression<T>,
    ];
    const added = addend === 1 ? c : (float(`${format.type}.neg`, c) as Expression<T>);
    return settled(x, format, multiplyAdd(format.type, product === -1, [a, b, added]), SAFE);
  };

/** Each comparison with one that holds where it does not, unless one operand is a NaN. */
const opposites = { lt: 'ge', le: 'gt' } as const;
const comparison =
  <T extends FloatType>(format: Format<T>, operation: 'lt' | 'le'): InlineFloat =>
  (x, [first, second]) => {
    const [a, b] = [format.number(x, first!), format.number(x, second!)];
    const holds = x.let(float(`${format.type}.${operation}`, a, b) as I32);
    unlessOrdered(x, holds, float(`${format.type}.${opposites[operation]}`, a, b) as I32);
    return extendUnsigned(holds);
  };

const equality =
  <T extends FloatType>(format: Format<T>): InlineFloat =>
  (x, [first, second]) => {
    const [a, b] = [format.number(x, first!), format.number(x, second!)];
    const atMost = x.let(float(`${format.type}.le`, a, b) as I32);
    const atLeast = x.let(float(`${format.type}.ge`, a, b) as I32);
    unlessOrdered(x, atMost, atLeast);
    return extendUnsigned(binary('and', atMost, atLeast));
  };

const extremum =
  <T extends FloatType>(format: Format<T>, operation: 'min' | 'max'): InlineFloat =>
  (x, [first, second]) => {
    const [a, b] = [format.number(x, first!), format.number(x, second!)];
    unlessOrdered(x, float(`${format.type}.le`, a, b) as I32, float(`${format.type}.ge`, a, b) as I32);
    return float(`${format.type}.${operation}`, a, b);
  };

/** Sign of the second operand, its opposite, or its product with the first one's. NaNs are moved like numbers. */
type Sign = <T extends FloatType>(type: T, a: Expression<T>, b: Expression<T>) => Expression;
const SIGN = { f32: 0x80000000 | 0, f64: 1n << 63n };
const signs: Readonly<Record<'fsgnj' | 'fsgnjn' | 'fsgnjx', Sign>> = {
  fsgnj: (type, a, b) => (a === b ? a : float(`${type}.copysign`, a, b)),
  fsgnjn: (type, a, b) =>
    a === b ? float(`${type}.neg`, a) : float(`${type}.copysign`, a, float(`${type}.neg`, b)),
  fsgnjx: (type, a, b) => {
    if (a === b) return float(`${type}.abs`, a);
    if (type === 'f32') {
      const sign = binary('and', float('i32.reinterpret_f32', b), i32Constant(SIGN.f32));
      return float('f32.reinterpret_i32', binary('xor', float('i32.reinterpret_f32', a), sign));
    }
    const sign = binary('and', float('i64.reinterpret_f64', b), i64Constant(SIGN.f64));
    return float('f64.reinterpret_i64', binary('xor', float('i64.reinterpret_f64', a), sign));
  },
};

/** fcvt.w and fcvt.l towards zero, as C has it: other modes are the helper's. */
const TOWARDS_ZERO = 1;
const truncated =
  (width: 'i32' | 'i64', number: (x: FloatContext, register: I64) => F64): InlineFloat =>
  (x, [register]) => {
    const value = number(x, register!);
    // Both bounds are exact doubles; NaN fails both.
    const limit = f64Constant(2 ** (width === 'i32' ? 31 : 62));
    x.unless(isZero(float('f64.lt', float('f64.abs', value), limit)));
    const whole = x.let(
      width === 'i32'
        ? extendSigned(float('i32.trunc_sat_f64_s', value))
        : float('i64.trunc_sat_f64_s', value),
    );
    const exact = float('f64.eq', float('f64.convert_i64_s', whole), value);
    x.unless(binary('and', isZero(exact), x.special));
    return whole;
  };

const promoted = (x: FloatContext, register: I64): F64 =>
  float('f64.promote_f32', single.number(x, register));

/** From an integer: never inexact. */
const exact =
  (convert: (integer: I64) => Expression): InlineFloat =>
  (x, [integer]) => {
    x.checkRounding();
    return convert(integer!);
  };

/** From an integer: at most inexact. */
const rounded =
  (convert: (integer: I64) => Expression): InlineFloat =>
  (x, [integer]) => {
    x.unless(x.special);
    return convert(integer!);
  };

const forms = <T extends FloatType>(format: Format<T>): [string, InlineFloat][] => [
  ['fadd', arithmetic(format, 'add', 0)],
  ['fsub', arithmetic(format, 'sub', 0)],
  ['fmul', arithmetic(format, 'mul', SAFE)],
  ['fdiv', arithmetic(format, 'div', SAFE)],
  ['fsqrt', arithmetic(format, 'sqrt', 0)],
  ['feq', equality(format)],
  ['flt', comparison(format, 'lt')],
  ['fle', comparison(format, 'le')],
  ['fmin', extremum(format, 'min')],
  ['fmax', extremum(format, 'max')],
  ...Object.entries(signs).map(([name, sign]): [string, InlineFloat] => [
    name,
    (x, [a, b]) => sign(format.type, format.number(x, a!), format.number(x, b!)),
  ]),
];

const fusedForms = <T extends FloatType>(format: Format<T>): [string, InlineFloat][] => [
  ['fmadd', fused(format, 1, 1)],
  ['fmsub', fused(format, 1, -1)],
  ['fnmsub', fused(format, -1, 1)],
  ['fnmadd', fused(format, -1, -1)],
];

const named = (suffix: string, list: readonly [string, InlineFloat][]): [string, InlineFloat][] =>
  list.map(([name, form]) => [`${name}_${suffix}`, form]);

const conversions: readonly [string, InlineFloat][] = [
  ['fcvt_d_w', exact((a) => float('f64.convert_i32_s', wrap(a)))],
  ['fcvt_d_wu', exact((a) => float('f64.convert_i32_u', wrap(a)))],
  ['fcvt_d_l', rounded((a) => float('f64.convert_i64_s', a))],
  ['fcvt_d_lu', rounded((a) => float('f64.convert_i64_u', a))],
  ['fcvt_s_w', rounded((a) => float('f32.convert_i32_s', wrap(a)))],
  ['fcvt_s_wu', rounded((a) => float('f32.convert_i32_u', wrap(a)))],
  ['fcvt_s_l', rounded((a) => float('f32.convert_i64_s', a))],
  ['fcvt_s_lu', rounded((a) => float('f32.convert_i64_u', a))],
  [
    'fcvt_d_s',
    (x, [a]) => {
      x.checkRounding();
      const value = single.number(x, a!);
      x.unless(compare('ne', float('f32.eq', value, value), i32Constant(1)));
      return float('f64.promote_f32', value);
    },
  ],
  ['fcvt_s_d', (x, [a]) => settled(x, single, float('f32.demote_f64', double.number(x, a!)), SAFE)],
  ['fcvt_w_d', truncated('i32', double.number)],
  ['fcvt_l_d', truncated('i64', double.number)],
  ['fcvt_w_s', truncated('i32', promoted)],
  ['fcvt_l_s', truncated('i64', promoted)],
];

const inlineFloats: ReadonlyMap<string, InlineFloat> = new Map([
  ...named('d', forms(double)),
  ...named('s', forms(single)),
  ...conversions,
]);
const inlineFused: ReadonlyMap<string, InlineFloat> = new Map([
  ...named('d', fusedForms(double)),
  ...named('s', fusedForms(single)),
]);

const toInteger = new Set(['fcvt_w_d', 'fcvt_l_d', 'fcvt_w_s', 'fcvt_l_s']);

/** The inline form of a helper, where there is one for the rounding mode in the instruction. */
export function inlineFloat(helper: string, rounding: number | undefined): InlineFloat | undefined {
  const nearest = rounding === undefined || rounding === 0 || rounding === 7;
  if (toInteger.has(helper) ? rounding !== TOWARDS_ZERO : !nearest) return undefined;
  return inlineFloats.get(helper) ?? (multiplyAddIsFused() ? inlineFused.get(helper) : undefined);
}

/** Whether WebAssembly's own arithmetic does what a helper does, in some rounding mode, on some processor. */
export const canBeInline = (helper: string): boolean => inlineFloats.has(helper) || inlineFused.has(helper);
