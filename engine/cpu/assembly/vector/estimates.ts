// Estimates of 1/x and 1/sqrt(x) to seven bits. "Vector Floating-Point Reciprocal Square-Root Estimate Instruction"
// and "Vector Floating-Point Reciprocal Estimate Instruction".
import { DZ, NV, NX, OF, RDN, RTZ, RUP, raise } from '../softfloat/status';
import { classify, rm, signBit } from './float-unit';
import { bitsOf } from './unit';

function fractionWidth(width: u32): u32 {
  return width == 3 ? 52 : width == 2 ? 23 : 10;
}
/** All bits of an exponent field. */
function specialExponent(width: u32): u64 {
  return (u64(1) << (bitsOf(width) - 1 - fractionWidth(width))) - 1;
}
function infinity(width: u32): u64 {
  return specialExponent(width) << fractionWidth(width);
}
function canonicalNaN(width: u32): u64 {
  return infinity(width) | (u64(1) << (fractionWidth(width) - 1));
}

/** Seven bits of a fraction: those behind the leading one of `x`, from 1 up to 2, to the nearest. */
function sevenBits(x: f64): u64 {
  return u64(nearest<f64>((x - 1) * 128));
}

/** An entry of the manual's table: the estimate for the middle of one of 128 intervals between 1 and 2. */
function reciprocalOf(index: u64): u64 {
  return sevenBits(2 / (1 + (f64(index) + 0.5) / 128));
}
/** The same for the root: 64 intervals between 2 and 4, then 64 between 1 and 2. */
function reciprocalRootOf(index: u64): u64 {
  const middle = 1 + (f64(index & 63) + 0.5) / 64;
  return sevenBits(2 / sqrt<f64>(index < 64 ? 2 * middle : middle));
}

// As `classify` numbers them.
const MINUS_INFINITY: u64 = 1 << 0;
const NEGATIVE: u64 = (1 << 1) | (1 << 2);
const SUBNORMAL: u64 = (1 << 2) | (1 << 5);
const MINUS_ZERO: u64 = 1 << 3;
const ZERO: u64 = (1 << 3) | (1 << 4);
const INFINITE: u64 = (1 << 0) | (1 << 7);
const SIGNALING: u64 = 1 << 8;
const NAN: u64 = (1 << 8) | (1 << 9);

/** The exponent of a subnormal number, were it normalised, and its fraction then. */
let exponent: i64 = 0;
let fraction: u64 = 0;
function takeApart(x: u64, width: u32, subnormal: bool): void {
  const bits = fractionWidth(width);
  const mask = (u64(1) << bits) - 1;
  exponent = i64((x >> bits) & specialExponent(width));
  fraction = x & mask;
  if (!subnormal) return;
  const shift = clz(fraction) - (63 - bits);
  exponent = 1 - i64(shift);
  fraction = (fraction << shift) & mask;
}

export function estimateReciprocal(x: u64, width: u32): u64 {
  const kind = classify(x, width);
  const sign = x & signBit(width);
  if ((kind & NAN) != 0) {
    if (kind == SIGNALING) raise(NV);
    return canonicalNaN(width);
  }
  if ((kind & INFINITE) != 0) return sign;
  if ((kind & ZERO) != 0) {
    raise(DZ);
    return sign | infinity(width);
  }
  takeApart(x, width, (kind & SUBNORMAL) != 0);
  if (exponent < -1) {
    raise(NX | OF);
    const toFinite = rm == RTZ || (rm == RDN && sign == 0) || (rm == RUP && sign != 0);
    return sign | (infinity(width) - (toFinite ? 1 : 0));
  }
  const bits = fractionWidth(width);
  let out = reciprocalOf(fraction >> (bits - 7)) << (bits - 7);
  let outExponent = i64(specialExponent(width)) - 2 - exponent; // 2 * bias - 1 - exponent
  if (outExponent <= 0) {
    out = (out | (u64(1) << bits)) >> u64(1 - outExponent);
    outExponent = 0;
  }
  return sign | (u64(outExponent) << bits) | out;
}

export function estimateReciprocalRoot(x: u64, width: u32): u64 {
  const kind = classify(x, width);
  if ((kind & (NAN | NEGATIVE | MINUS_INFINITY)) != 0) {
    if (kind != NAN - SIGNALING) raise(NV);
    return canonicalNaN(width);
  }
  if ((kind & ZERO) != 0) {
    raise(DZ);
    return infinity(width) | (kind == MINUS_ZERO ? signBit(width) : 0);
  }
  if ((kind & INFINITE) != 0) return 0;
  takeApart(x, width, (kind & SUBNORMAL) != 0);
  const bits = fractionWidth(width);
  const index = (u64(exponent & 1) << 6) | (fraction >> (bits - 6));
  const bias = i64(specialExponent(width) >> 1);
  const outExponent = (3 * bias - 1 - exponent) >> 1;
  return (u64(outExponent) << bits) | (reciprocalRootOf(index) << (bits - 7));
}
