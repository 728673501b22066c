// Comparisons, minimum and maximum, and classification. Manual, "F", sections "Single-Precision Floating-Point
// Compare Instructions", "Computational Instructions" (FMIN, FMAX) and "Classify Instruction".

import {
  exponentField,
  fractionField,
  isNaNBits,
  isSignalingNaN,
  propagateNaN,
  signOf,
  specialExponent,
} from './format';
import { NV, raise } from './status';

/** Quiet: only a signaling NaN is invalid. */
export function equal<T, F>(a: T, b: T): u64 {
  if (isSignalingNaN<T>(a) || isSignalingNaN<T>(b)) raise(NV);
  return <u64>(reinterpret<F>(a) == reinterpret<F>(b));
}

/** Signaling: any NaN is invalid. */
export function less<T, F>(a: T, b: T): u64 {
  if (isNaNBits<T>(a) || isNaNBits<T>(b)) raise(NV);
  return <u64>(reinterpret<F>(a) < reinterpret<F>(b));
}

/** Signaling: any NaN is invalid. */
export function lessOrEqual<T, F>(a: T, b: T): u64 {
  if (isNaNBits<T>(a) || isNaNBits<T>(b)) raise(NV);
  return <u64>(reinterpret<F>(a) <= reinterpret<F>(b));
}

/** minimumNumber or maximumNumber (IEEE 754-2019, section 9.6) where one operand is a NaN: the other operand. */
function otherThanNaN<T>(a: T, b: T): T {
  const nan = propagateNaN<T>(a, b);
  if (!isNaNBits<T>(a)) return a;
  return isNaNBits<T>(b) ? nan : b;
}

/** Numbers that compare equal have equal bits or are zeros, so that OR prefers -0 and AND +0. */
export function minimumNumber<T, F>(a: T, b: T): T {
  if (isNaNBits<T>(a) || isNaNBits<T>(b)) return otherThanNaN<T>(a, b);
  if (reinterpret<F>(a) == reinterpret<F>(b)) return a | b;
  return reinterpret<F>(a) < reinterpret<F>(b) ? a : b;
}

export function maximumNumber<T, F>(a: T, b: T): T {
  if (isNaNBits<T>(a) || isNaNBits<T>(b)) return otherThanNaN<T>(a, b);
  if (reinterpret<F>(a) == reinterpret<F>(b)) return a & b;
  return reinterpret<F>(a) > reinterpret<F>(b) ? a : b;
}

/** One bit of ten: -inf, -normal, -subnormal, -0, +0, +subnormal, +normal, +inf, signaling NaN, quiet NaN. */
export function classify<T>(x: T): u64 {
  if (isNaNBits<T>(x)) return isSignalingNaN<T>(x) ? 1 << 8 : 1 << 9;
  const exponent = exponentField<T>(x);
  let distanceFromZero: u64 = 0;
  if (exponent == specialExponent<T>()) distanceFromZero = 3;
  else if (exponent != 0) distanceFromZero = 2;
  else if (fractionField<T>(x) != 0) distanceFromZero = 1;
  const position = signOf<T>(x) != 0 ? 3 - distanceFromZero : 4 + distanceFromZero;
  return (1 as u64) << position;
}
