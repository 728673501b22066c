// Square root: IEEE 754-2019, section 5.4.1.

import {
  atExponent,
  bias,
  exponentField,
  fractionWidth,
  infinity,
  integerSignificand,
  invalid,
  isNaNBits,
  magnitude,
  propagateNaN,
  signOf,
} from './format';
import { NX, RDN, RTZ, RUP, raise } from './status';

/** Subnormal radicands are multiplied by 2 to twice this, which makes them normal; exactly, as is the way back. */
function halfScale<T>(): i32 {
  return sizeof<T>() == 8 ? 27 : 12;
}

/** A power of two that is a normal number. */
function powerOfTwo<T, F>(exponent: i32): F {
  return reinterpret<F>(atExponent<T>(exponent + bias<T>()));
}

/**
 * The host's root is the nearest number, and a root is never a tie nor out of range. The sign of radicand - root^2,
 * which in integer significands is less than 2^54 and so exact in 64 bits, says on which side of it the true root
 * lies: that decides the directed modes and NX.
 */
export function squareRoot<T, F>(a: T, rm: u32): T {
  if (isNaNBits<T>(a)) return propagateNaN<T>(a, a);
  if (magnitude<T>(a) == 0) return a;
  if (signOf<T>(a) != 0) return invalid<T>();
  if (a == infinity<T>(0)) return a;

  const subnormal = exponentField<T>(a) == 0;
  const x = reinterpret<F>(a) * (subnormal ? powerOfTwo<T, F>(2 * halfScale<T>()) : <F>1);
  const radicand = reinterpret<T>(x);
  let root = reinterpret<T>(sqrt<F>(x));
  const shift = exponentField<T>(radicand) - 2 * exponentField<T>(root) + bias<T>() + fractionWidth<T>();
  const integerRoot = integerSignificand<T>(root);
  const residue = <i64>((integerSignificand<T>(radicand) << shift) - integerRoot * integerRoot);
  if (residue != 0) {
    raise(NX);
    if (residue < 0 && (rm == RTZ || rm == RDN)) root--;
    if (residue > 0 && rm == RUP) root++;
  }
  return subnormal ? reinterpret<T>(reinterpret<F>(root) * powerOfTwo<T, F>(-halfScale<T>())) : root;
}
