// The layouts of binary16, binary32 and binary64 (IEEE 754-2019, section 3.4). A number is handled as its raw bits; the
// type parameter T of every function is the unsigned integer that holds them: u16, u32 or u64.

import { NV, raise } from './status';

/** Bits of the significand, the implicit leading one included: IEEE's p. */
export function precision<T>(): i32 {
  return sizeof<T>() == 8 ? 53 : sizeof<T>() == 4 ? 24 : 11;
}

/** Bits of the trailing significand field. */
export function fractionWidth<T>(): i32 {
  return precision<T>() - 1;
}

/** Bits of a left-aligned 64-bit significand that do not fit in the format. */
export function excessWidth<T>(): i32 {
  return 64 - precision<T>();
}

/** The greatest exponent of a finite number; also the exponent's bias. */
export function bias<T>(): i32 {
  return sizeof<T>() == 8 ? 1023 : sizeof<T>() == 4 ? 127 : 15;
}

/** The exponent field of infinities and NaNs. */
export function specialExponent<T>(): i32 {
  return sizeof<T>() == 8 ? 2047 : sizeof<T>() == 4 ? 255 : 31;
}

/** The bit of weight 2^position. */
export function bit(position: i32): u64 {
  return (1 as u64) << position;
}

export function signBit<T>(): T {
  return bit(sizeof<T>() * 8 - 1) as T;
}

export function signOf<T>(x: T): u32 {
  return <u32>((x as u64) >> (sizeof<T>() * 8 - 1));
}

/** An exponent field in its place. */
export function atExponent<T>(field: i32): T {
  const position = fractionWidth<T>();
  return (field as T) << (position as T);
}

export function exponentField<T>(x: T): i32 {
  return (<i32>((x as u64) >> fractionWidth<T>())) & specialExponent<T>();
}

export function fractionField<T>(x: T): u64 {
  return (x as u64) & (bit(fractionWidth<T>()) - 1);
}

/** The significand of a normal number as an integer, its leading one made explicit. */
export function integerSignificand<T>(x: T): u64 {
  return fractionField<T>(x) | bit(fractionWidth<T>());
}

export function magnitude<T>(x: T): T {
  return x & ~signBit<T>();
}

export function zero<T>(sign: u32): T {
  return sign != 0 ? signBit<T>() : <T>0;
}

export function infinity<T>(sign: u32): T {
  return zero<T>(sign) | atExponent<T>(specialExponent<T>());
}

export function isNaNBits<T>(x: T): bool {
  return magnitude<T>(x) > infinity<T>(0);
}

function quietBit<T>(): u64 {
  return bit(fractionWidth<T>() - 1);
}

export function isSignalingNaN<T>(x: T): bool {
  return isNaNBits<T>(x) && ((x as u64) & quietBit<T>()) == 0;
}

/** The only NaN that an operation returns: manual, "F", section "NaN Generation and Propagation". */
export function canonicalNaN<T>(): T {
  return infinity<T>(0) | (quietBit<T>() as T);
}

/** The result of an operation that has no useful one. */
export function invalid<T>(): T {
  raise(NV);
  return canonicalNaN<T>();
}

/** The result of an operation with a NaN among its two operands. */
export function propagateNaN<T>(a: T, b: T): T {
  if (isSignalingNaN<T>(a) || isSignalingNaN<T>(b)) raise(NV);
  return canonicalNaN<T>();
}

/**
 * The significand of a finite number other than zero, left-aligned: bit 63 is its leading one, also for subnormals.
 * With `exponentOf` the number's magnitude is significand * 2^(exponent - 63).
 */
export function significandOf<T>(x: T): u64 {
  if (exponentField<T>(x) != 0) return integerSignificand<T>(x) << excessWidth<T>();
  const fraction = fractionField<T>(x);
  return fraction << clz<u64>(fraction);
}

/** The unbiased exponent of a finite number other than zero, as if subnormals were normalised. */
export function exponentOf<T>(x: T): i32 {
  const field = exponentField<T>(x);
  if (field != 0) return field - bias<T>();
  return 1 - bias<T>() + excessWidth<T>() - <i32>clz<u64>(fractionField<T>(x));
}
