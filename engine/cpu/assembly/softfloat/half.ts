// binary16. It is rare and small: the exact ways do, and where one would need more, binary64 holds the result so
// closely that rounding it again does no harm.

import { addExactly } from './add';
import { classify, equal, less, lessOrEqual, maximumNumber, minimumNumber } from './compare';
import { convertExactly, toI32, toI64, toU32, toU64, fromSigned, fromUnsigned } from './convert';
import { divideExactly } from './divide';
import { fuseExactly } from './fma';
import {
  fractionField,
  fractionWidth,
  infinity,
  invalid,
  isNaNBits,
  magnitude,
  propagateNaN,
  signBit,
  signOf,
} from './format';
import { multiplyExactly } from './multiply';
import { RNE } from './status';

/** The number as binary64, which holds it exactly. A NaN stays what it was, signaling or quiet. */
export function embed(x: u16): u64 {
  if (!isNaNBits<u16>(x)) return convertExactly<u16, u64>(x, RNE);
  const gap = fractionWidth<u64>() - fractionWidth<u16>();
  return infinity<u64>(signOf<u16>(x)) | (fractionField<u16>(x) << gap);
}
function value(x: u16): f64 {
  return reinterpret<f64>(embed(x));
}

export function f16_add(a: u16, b: u16, rm: u32): u16 {
  return addExactly<u16>(a, b, rm);
}
export function f16_sub(a: u16, b: u16, rm: u32): u16 {
  return addExactly<u16>(a, b ^ signBit<u16>(), rm);
}
export function f16_mul(a: u16, b: u16, rm: u32): u16 {
  return multiplyExactly<u16>(a, b, rm);
}
export function f16_div(a: u16, b: u16, rm: u32): u16 {
  return divideExactly<u16>(a, b, rm);
}
export function f16_fma(a: u16, b: u16, c: u16, rm: u32): u16 {
  return fuseExactly<u16>(a, b, c, rm);
}

/**
 * A root of eleven bits has six of its own or infinitely many, so that the nearest number of 53 bits lies on the same
 * side of every number of twelve as the root does.
 */
export function f16_sqrt(a: u16, rm: u32): u16 {
  if (isNaNBits<u16>(a)) return propagateNaN<u16>(a, a);
  if (signOf<u16>(a) != 0 && magnitude<u16>(a) != 0) return invalid<u16>();
  return convertExactly<u64, u16>(reinterpret<u64>(sqrt<f64>(value(a))), rm);
}

export function f16_min(a: u16, b: u16): u16 {
  return convertExactly<u64, u16>(minimumNumber<u64, f64>(embed(a), embed(b)), RNE);
}
export function f16_max(a: u16, b: u16): u16 {
  return convertExactly<u64, u16>(maximumNumber<u64, f64>(embed(a), embed(b)), RNE);
}
export function f16_eq(a: u16, b: u16): u64 {
  return equal<u64, f64>(embed(a), embed(b));
}
export function f16_lt(a: u16, b: u16): u64 {
  return less<u64, f64>(embed(a), embed(b));
}
export function f16_le(a: u16, b: u16): u64 {
  return lessOrEqual<u64, f64>(embed(a), embed(b));
}
export function f16_class(a: u16): u64 {
  return classify<u16>(a);
}

export function f16_to_i32(a: u16, rm: u32): u64 {
  return toI32(value(a), rm);
}
export function f16_to_u32(a: u16, rm: u32): u64 {
  return toU32(value(a), rm);
}
export function f16_to_i64(a: u16, rm: u32): u64 {
  return toI64(value(a), rm);
}
export function f16_to_u64(a: u16, rm: u32): u64 {
  return toU64(value(a), rm);
}
export function i32_to_f16(a: i32, rm: u32): u16 {
  return fromSigned<u16>(a, rm);
}
export function u32_to_f16(a: u32, rm: u32): u16 {
  return fromUnsigned<u16>(a, rm);
}
export function i64_to_f16(a: i64, rm: u32): u16 {
  return fromSigned<u16>(a, rm);
}
export function u64_to_f16(a: u64, rm: u32): u16 {
  return fromUnsigned<u16>(a, rm);
}
export function f16_to_f32(a: u16, rm: u32): u32 {
  return convertExactly<u16, u32>(a, rm);
}
export function f16_to_f64(a: u16, rm: u32): u64 {
  return convertExactly<u16, u64>(a, rm);
}
export function f32_to_f16(a: u32, rm: u32): u16 {
  return convertExactly<u32, u16>(a, rm);
}
export function f64_to_f16(a: u64, rm: u32): u16 {
  return convertExactly<u64, u16>(a, rm);
}
