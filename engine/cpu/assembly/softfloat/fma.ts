// Fused multiply-add, a * b + c with a single rounding: IEEE 754-2019, section 5.4.1.

import {
  exponentField,
  exponentOf,
  infinity,
  invalid,
  isNaNBits,
  isSignalingNaN,
  magnitude,
  propagateNaN,
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
function fuseExactly<T>(a: T, b: T, c: T, rm: u32): T {
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

export function fuse32(a: u32, b: u32, c: u32, rm: u32): u32 {
  return fuseExactly<u32>(a, b, c, rm);
}

export function fuse64(a: u64, b: u64, c: u64, rm: u32): u64 {
  return fuseExactly<u64>(a, b, c, rm);
}
