// Division: IEEE 754-2019, sections 5.4.1 and 7.3.

import {
  bias,
  excessWidth,
  exponentField,
  exponentOf,
  fractionWidth,
  infinity,
  integerSignificand,
  invalid,
  isNaNBits,
  magnitude,
  propagateNaN,
  signOf,
  significandOf,
  specialExponent,
  zero,
} from './format';
import { roundPack } from './round';
import { DZ, NX, RNE, flags, raise } from './status';

/**
 * The jammed quotient, left-aligned, of two integers of p bits with divisor <= dividend < 2 * divisor. The first bit
 * is one; then as many bits a step as the remainder has room for, until there are at least two more than p.
 */
function quotient<T>(dividend: u64, divisor: u64): u64 {
  if (sizeof<T>() <= 4) {
    const scaled = dividend << 39;
    const result = scaled / divisor;
    return (result << 24) | (<u64>(result * divisor != scaled));
  }
  let result: u64 = 1;
  let remainder = dividend - divisor;
  for (let step = 0; step < 5; step++) {
    remainder <<= 11;
    const digits = remainder / divisor;
    remainder -= digits * divisor;
    result = (result << 11) | digits;
  }
  return (result << 8) | (<u64>(remainder != 0));
}

export function divideExactly<T>(a: T, b: T, rm: u32): T {
  const sign = signOf<T>(a) ^ signOf<T>(b);
  if (isNaNBits<T>(a) || isNaNBits<T>(b)) return propagateNaN<T>(a, b);
  if (magnitude<T>(a) == infinity<T>(0)) {
    return magnitude<T>(b) == infinity<T>(0) ? invalid<T>() : infinity<T>(sign);
  }
  if (magnitude<T>(b) == infinity<T>(0)) return zero<T>(sign);
  if (magnitude<T>(b) == 0) {
    if (magnitude<T>(a) == 0) return invalid<T>();
    raise(DZ);
    return infinity<T>(sign);
  }
  if (magnitude<T>(a) == 0) return zero<T>(sign);
  let dividend = significandOf<T>(a) >> excessWidth<T>();
  const divisor = significandOf<T>(b) >> excessWidth<T>();
  let exponent = exponentOf<T>(a) - exponentOf<T>(b);
  if (dividend < divisor) {
    dividend <<= 1;
    exponent--;
  }
  return roundPack<T>(sign, exponent, quotient<T>(dividend, divisor), rm);
}

/**
 * To nearest even the host's quotient is exact; it was not rounded if and only if quotient * divisor = dividend. In
 * integer significands the two sides differ by at most half the divisor, so the low 64 bits of each decide.
 */
export function divide<T, F>(a: T, b: T, rm: u32): T {
  if (rm == RNE) {
    const bits = reinterpret<T>(reinterpret<F>(a) / reinterpret<F>(b));
    const exponent = exponentField<T>(bits);
    // A divisor of zero gives infinity or NaN, and an infinite one zero or NaN: neither passes.
    if (exponent > 1 && exponent < specialExponent<T>()) {
      if (flags & NX) return bits;
      const exponentA = exponentField<T>(a);
      const exponentB = exponentField<T>(b);
      if (exponentA != 0 && exponentB != 0) {
        const shift = exponentA - exponent - exponentB + bias<T>() + fractionWidth<T>();
        const product = integerSignificand<T>(bits) * integerSignificand<T>(b);
        if (product != integerSignificand<T>(a) << shift) raise(NX);
        return bits;
      }
    }
  }
  return divideExactly<T>(a, b, rm);
}
