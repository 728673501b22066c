// Conversions between formats, and between them and integers. IEEE 754-2019, sections 5.4.1, 5.4.2 and 5.8; manual,
// "F", section "Single-Precision Floating-Point Conversion and Move Instructions" and its table of invalid results.

import {
  canonicalNaN,
  exponentField,
  exponentOf,
  infinity,
  isNaNBits,
  magnitude,
  propagateNaN,
  signOf,
  significandOf,
  specialExponent,
  zero,
} from './format';
import { roundPack } from './round';
import { NV, NX, RDN, RNE, RTZ, RUP, raise } from './status';

/** Rounds to an integral value, which is exact in each mode: the host's own operations are, and so is x - trunc(x). */
export function roundToIntegral(x: f64, rm: u32): f64 {
  if (rm == RTZ) return trunc<f64>(x);
  if (rm == RNE) return nearest<f64>(x);
  if (rm == RDN) return floor<f64>(x);
  if (rm == RUP) return ceil<f64>(x);
  const whole = trunc<f64>(x);
  return abs<f64>(x - whole) >= 0.5 ? whole + copysign<f64>(1, x) : whole;
}

/**
 * Whether x, rounded to an integral value, is from `least` up to but not `bound`, both exact as doubles; raises NX then
 * if due, and NV alone otherwise. A NaN is never in range, and is to be treated like what is too great.
 */
function inRange(x: f64, integral: f64, least: f64, bound: f64): bool {
  if (integral >= least && integral < bound) {
    if (integral != x) raise(NX);
    return true;
  }
  raise(NV);
  return false;
}

export function toI32(x: f64, rm: u32): u64 {
  const integral = roundToIntegral(x, rm);
  if (inRange(x, integral, -2147483648.0, 2147483648.0)) return <u64>(<i64>integral);
  return <u64>(<i64>(integral < 0 ? i32.MIN_VALUE : i32.MAX_VALUE));
}

/** The result is sign-extended, as RISC-V keeps every 32-bit integer in a 64-bit register. */
export function toU32(x: f64, rm: u32): u64 {
  const integral = roundToIntegral(x, rm);
  if (inRange(x, integral, 0, 4294967296.0)) return <u64>(<i64>(<i32>(<i64>integral)));
  return integral < 0 ? 0 : u64.MAX_VALUE;
}

export function toI64(x: f64, rm: u32): u64 {
  const integral = roundToIntegral(x, rm);
  if (inRange(x, integral, -9223372036854775808.0, 9223372036854775808.0)) return <u64>(<i64>integral);
  return <u64>(integral < 0 ? i64.MIN_VALUE : i64.MAX_VALUE);
}

export function toU64(x: f64, rm: u32): u64 {
  const integral = roundToIntegral(x, rm);
  if (inRange(x, integral, 0, 18446744073709551616.0)) return <u64>integral;
  return integral < 0 ? 0 : u64.MAX_VALUE;
}

export function fromUnsigned<T>(x: u64, rm: u32): T {
  return fromMagnitude<T>(0, x, rm);
}

export function fromSigned<T>(x: i64, rm: u32): T {
  return x < 0 ? fromMagnitude<T>(1, 0 - <u64>x, rm) : fromMagnitude<T>(0, <u64>x, rm);
}

function fromMagnitude<T>(sign: u32, x: u64, rm: u32): T {
  if (x == 0) return zero<T>(0);
  const leading = <i32>clz<u64>(x);
  return roundPack<T>(sign, 63 - leading, x << leading, rm);
}

/** Between formats, by way of the number itself: exact where `To` is the wider one. */
export function convertExactly<From, To>(x: From, rm: u32): To {
  if (isNaNBits<From>(x)) {
    propagateNaN<From>(x, x);
    return canonicalNaN<To>();
  }
  const sign = signOf<From>(x);
  if (magnitude<From>(x) == infinity<From>(0)) return infinity<To>(sign);
  if (magnitude<From>(x) == 0) return zero<To>(sign);
  return roundPack<To>(sign, exponentOf<From>(x), significandOf<From>(x), rm);
}

/** Exact, but for NaNs. */
export function widen(x: u32): u64 {
  if (isNaNBits<u32>(x)) return convertExactly<u32, u64>(x, RNE);
  return reinterpret<u64>(<f64>reinterpret<f32>(x));
}

/** To nearest even the host's own conversion is exact, and tininess is out of the question above the least normal. */
export function narrow(x: u64, rm: u32): u32 {
  if (rm == RNE) {
    const wide = reinterpret<f64>(x);
    const narrowed = <f32>wide;
    const bits = reinterpret<u32>(narrowed);
    const exponent = exponentField<u32>(bits);
    if (exponent > 1 && exponent < specialExponent<u32>()) {
      if (<f64>narrowed != wide) raise(NX);
      return bits;
    }
  }
  return convertExactly<u64, u32>(x, rm);
}
