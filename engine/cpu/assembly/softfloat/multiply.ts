// Multiplication: IEEE 754-2019, section 5.4.1.

import {
  bias,
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
import { NX, RNE, flags, raise } from './status';
import { multiplyHigh } from './wide';

export function multiplyExactly<T>(a: T, b: T, rm: u32): T {
  const sign = signOf<T>(a) ^ signOf<T>(b);
  if (isNaNBits<T>(a) || isNaNBits<T>(b)) return propagateNaN<T>(a, b);
  const hasZero = magnitude<T>(a) == 0 || magnitude<T>(b) == 0;
  if (magnitude<T>(a) == infinity<T>(0) || magnitude<T>(b) == infinity<T>(0)) {
    return hasZero ? invalid<T>() : infinity<T>(sign);
  }
  if (hasZero) return zero<T>(sign);
  const significandA = significandOf<T>(a);
  const significandB = significandOf<T>(b);
  const product = multiplyHigh(significandA, significandB) | (<u64>(significandA * significandB != 0));
  const leading = <i32>clz<u64>(product);
  return roundPack<T>(sign, exponentOf<T>(a) + exponentOf<T>(b) + 1 - leading, product << leading, rm);
}

/**
 * To nearest even the host's product is exact. With operands and result normal, and the result above the least normal
 * (to which a tiny one may have rounded), the only question is whether bits were dropped. The product of the integer
 * significands has 2p-1 or 2p bits, and the result's exponent tells which; so its low p-1 or p bits were dropped, and
 * those are all in the low 64 bits of the product.
 */
export function multiply<T, F>(a: T, b: T, rm: u32): T {
  if (rm == RNE) {
    const bits = reinterpret<T>(reinterpret<F>(a) * reinterpret<F>(b));
    const exponent = exponentField<T>(bits);
    if (exponent > 1 && exponent < specialExponent<T>()) {
      if (flags & NX) return bits;
      const exponentA = exponentField<T>(a);
      const exponentB = exponentField<T>(b);
      if (exponentA != 0 && exponentB != 0) {
        const dropped = fractionWidth<T>() + exponent - exponentA - exponentB + bias<T>();
        const product = integerSignificand<T>(a) * integerSignificand<T>(b);
        if (product << (64 - dropped) != 0) raise(NX);
        return bits;
      }
    }
  }
  return multiplyExactly<T>(a, b, rm);
}
