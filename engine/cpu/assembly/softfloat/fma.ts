// Fused multiply-add, a * b + c with a single rounding: IEEE 754-2019, section 5.4.1.

import {
  atExponent,
  bias,
  exponentField,
  exponentOf,
  fractionWidth,
  infinity,
  integerSignificand,
  invalid,
  isNaNBits,
  isSignalingNaN,
  magnitude,
  propagateNaN,
  signBit,
  signOf,
  significandOf,
  specialExponent,
  zero,
} from './format';
import { roundPack, shiftRightJam } from './round';
import { NV, NX, RDN, RNE, raise } from './status';
import { multiplyHigh } from './wide';

/**
 * The product is held in 128 bits, left-aligned below one free bit for the carry, and so is the addend. The operand
 * with the lesser exponent is shifted right, jamming: a shift by one loses nothing, for there are 20 spare bits, and
 * after a longer one cancellation takes at most one leading bit.
 */
export function fuseExactly<T>(a: T, b: T, c: T, rm: u32): T {
  const productIsInvalid =
    (magnitude<T>(a) == infinity<T>(0) && magnitude<T>(b) == 0) ||
    (magnitude<T>(a) == 0 && magnitude<T>(b) == infinity<T>(0));
  // Manual, "F", "Single-Precision Floating-Point Computational Instructions": invalid even when c is a quiet NaN.
  if (productIsInvalid) return invalid<T>();
  if (isNaNBits<T>(a) || isNaNBits<T>(b) || isNaNBits<T>(c)) {
    if (isSignalingNaN<T>(c)) raise(NV);
    return propagateNaN<T>(a, b);
  }
  const productSign = signOf<T>(a) ^ signOf<T>(b);
  const addendSign = signOf<T>(c);
  if (magnitude<T>(a) == infinity<T>(0) || magnitude<T>(b) == infinity<T>(0)) {
    return magnitude<T>(c) == infinity<T>(0) && addendSign != productSign
      ? invalid<T>()
      : infinity<T>(productSign);
  }
  if (magnitude<T>(c) == infinity<T>(0)) return c;
  if (magnitude<T>(a) == 0 || magnitude<T>(b) == 0) {
    if (magnitude<T>(c) != 0) return c;
    return zero<T>(productSign == addendSign ? productSign : <u32>(rm == RDN));
  }

  const significandA = significandOf<T>(a);
  const significandB = significandOf<T>(b);
  let exponent = exponentOf<T>(a) + exponentOf<T>(b);
  let high = multiplyHigh(significandA, significandB);
  let low = significandA * significandB;
  if (high >> 63) {
    low = (low >> 1) | (high << 63);
    high >>= 1;
    exponent++;
  }
  let sign = productSign;
  if (magnitude<T>(c) != 0) {
    let addendHigh = significandOf<T>(c) >> 1;
    let addendLow: u64 = 0;
    const addendExponent = exponentOf<T>(c);
    const distance = exponent - addendExponent;
    if (distance > 0) {
      addendLow = lowAfterShift(addendHigh, 0, distance);
      addendHigh = distance < 64 ? addendHigh >> distance : 0;
    } else if (distance < 0) {
      low = lowAfterShift(high, low, -distance);
      high = distance > -64 ? high >> -distance : 0;
      exponent = addendExponent;
    }
    if (productSign == addendSign) {
      low += addendLow;
      high += addendHigh + <u64>(low < addendLow);
    } else {
      const borrow = <u64>(low < addendLow);
      low -= addendLow;
      high -= addendHigh + borrow;
      if (<i64>high < 0) {
        sign = addendSign;
        low = 0 - low;
        high = ~high + <u64>(low == 0);
      }
      if ((high | low) == 0) return zero<T>(<u32>(rm == RDN));
    }
  }
  exponent++;
  if (high == 0) {
    high = low;
    low = 0;
    exponent -= 64;
  }
  const leading = <i32>clz<u64>(high);
  if (leading != 0) {
    high = (high << leading) | (low >> (64 - leading));
    low <<= leading;
  }
  return roundPack<T>(sign, exponent - leading, high | (<u64>(low != 0)), rm);
}

/** The lower half of a 128-bit number shifted right by at least one, jammed. */
function lowAfterShift(high: u64, low: u64, distance: i32): u64 {
  if (distance < 64) return (high << (64 - distance)) | shiftRightJam(low, distance);
  return shiftRightJam(high, distance - 64) | (<u64>(low != 0));
}

/** Knuth's TwoSum: what rounding took from x + y. */
function sumError(x: f64, y: f64, sum: f64): f64 {
  const fromY = sum - x;
  return x - (sum - fromY) + (y - fromY);
}

/**
 * x + y rounded to odd, given its rounding to nearest and that one's error: of the two neighbours of an inexact
 * result the one whose last bit is set. Being jammed, in effect, it can be rounded again without harm.
 */
function roundToOdd(sum: f64, error: f64): f64 {
  const bits = reinterpret<u64>(sum);
  if (error == 0 || (bits & 1) != 0) return sum;
  return reinterpret<f64>(error > 0 == sum > 0 ? bits + 1 : bits - 1);
}

/**
 * To nearest even, binary64 holds the product exactly, and their sum rounded to odd has more than the two extra bits
 * that make the second rounding right. Where it may be tiny or overflow, the exact way decides.
 */
export function fuse32(a: u32, b: u32, c: u32, rm: u32): u32 {
  if (rm == RNE) {
    const product = <f64>reinterpret<f32>(a) * <f64>reinterpret<f32>(b);
    const addend = <f64>reinterpret<f32>(c);
    const sum = product + addend;
    const error = sumError(product, addend, sum);
    const result = <f32>roundToOdd(sum, error);
    const bits = reinterpret<u32>(result);
    const exponent = exponentField<u32>(bits);
    if (exponent > 1 && exponent < specialExponent<u32>()) {
      if (error != 0 || <f64>result != sum) raise(NX);
      return bits;
    }
  }
  return fuseExactly<u32>(a, b, c, rm);
}

/** Whether 2^-limit <= |x| < 2^limit. */
function isModerate(x: u64, limit: i32): bool {
  return <u32>(exponentField<u64>(x) - (bias<u64>() - limit)) < <u32>(2 * limit);
}

/** x * y - product, exactly, product being x * y to nearest and all of them moderate: compare `multiply`. */
function productError(x: u64, y: u64, product: u64): f64 {
  const exponents = exponentField<u64>(x) + exponentField<u64>(y);
  const dropped = fractionWidth<u64>() + exponentField<u64>(product) - exponents + bias<u64>();
  const exact = integerSignificand<u64>(x) * integerSignificand<u64>(y);
  const residue = <i64>(exact - (integerSignificand<u64>(product) << dropped));
  const scale = atExponent<u64>(exponents - bias<u64>() - 2 * fractionWidth<u64>());
  return <f64>residue * reinterpret<f64>(scale | (product & signBit<u64>()));
}

/**
 * To nearest even with operands so moderate that nothing on the way overflows or underflows: S. Boldo and G.
 * Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd". The result is
 * exact just when both of the last two sums are: were the one to odd inexact but the result representable, then the
 * result would be within a factor of two of `high`, and their difference, which is that sum, representable too. Zero
 * comes from cancellation alone, and is +0 on the host as well.
 */
export function fuse64(a: u64, b: u64, c: u64, rm: u32): u64 {
  if (rm == RNE && isModerate(a, 400) && isModerate(b, 400) && isModerate(c, 900)) {
    const product = reinterpret<f64>(a) * reinterpret<f64>(b);
    const productLow = productError(a, b, reinterpret<u64>(product));
    const addend = reinterpret<f64>(c);
    const middle = addend + productLow;
    const middleLow = sumError(addend, productLow, middle);
    const high = product + middle;
    const highLow = sumError(product, middle, high);
    const low = middleLow + highLow;
    const lowError = sumError(middleLow, highLow, low);
    const jammed = roundToOdd(low, lowError);
    const result = high + jammed;
    if (lowError != 0 || sumError(high, jammed, result) != 0) raise(NX);
    return reinterpret<u64>(result);
  }
  return fuseExactly<u64>(a, b, c, rm);
}
