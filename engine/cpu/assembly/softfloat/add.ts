// Addition, and by way of it subtraction: IEEE 754-2019, sections 5.4.1, 6.1 and 6.3.

import {
  bias,
  exponentField,
  fractionField,
  fractionWidth,
  infinity,
  integerSignificand,
  invalid,
  isNaNBits,
  magnitude,
  propagateNaN,
  signOf,
  specialExponent,
  zero,
} from './format';
import { roundPack, shiftRightJam } from './round';
import { NX, RDN, RNE, flags, raise } from './status';

/** Fixed point with the leading one of a normal number at bit 62: leaves a bit for the carry, and ten or more below. */
function aligned<T>(x: T): u64 {
  const integer = exponentField<T>(x) == 0 ? fractionField<T>(x) : integerSignificand<T>(x);
  return integer << (62 - fractionWidth<T>());
}

export function addExactly<T>(a: T, b: T, rm: u32): T {
  const signA = signOf<T>(a);
  const signB = signOf<T>(b);
  if (isNaNBits<T>(a) || isNaNBits<T>(b)) return propagateNaN<T>(a, b);
  if (magnitude<T>(a) == infinity<T>(0)) {
    return magnitude<T>(b) == infinity<T>(0) && signA != signB ? invalid<T>() : a;
  }
  if (magnitude<T>(b) == infinity<T>(0)) return b;

  // The greater magnitude first, so that its sign is the result's.
  const swapped = magnitude<T>(b) > magnitude<T>(a);
  const large = swapped ? b : a;
  const small = swapped ? a : b;
  const exponent = max<i32>(exponentField<T>(large), 1);
  const shifted = shiftRightJam(aligned<T>(small), exponent - max<i32>(exponentField<T>(small), 1));
  const sum = signA == signB ? aligned<T>(large) + shifted : aligned<T>(large) - shifted;
  // Section 6.3: an exact zero of unlike signs is +0, but -0 when rounding down.
  if (sum == 0) return zero<T>(signA == signB ? signA : <u32>(rm == RDN));
  const leading = <i32>clz<u64>(sum);
  return roundPack<T>(signOf<T>(large), exponent - bias<T>() + 1 - leading, sum << leading, rm);
}

/**
 * T is the bits' type and F the host's float of the same width. To nearest even the host's own addition is exact, and
 * Knuth's TwoSum gives its rounding error exactly, subnormals included (a sum never underflows inexactly). Sums in
 * the topmost binade, infinities and NaNs are left to the exact way: elsewhere an intermediate result of TwoSum
 * differs from an operand by less than what could round it to infinity.
 */
export function add<T, F>(a: T, b: T, rm: u32): T {
  if (rm == RNE) {
    const x = reinterpret<F>(a);
    const y = reinterpret<F>(b);
    const sum = x + y;
    const bits = reinterpret<T>(sum);
    if (exponentField<T>(bits) < specialExponent<T>() - 1) {
      if (flags & NX) return bits;
      const fromY = sum - x;
      const error = x - (sum - fromY) + (y - fromY);
      if (error != 0) raise(NX);
      return bits;
    }
  }
  return addExactly<T>(a, b, rm);
}
