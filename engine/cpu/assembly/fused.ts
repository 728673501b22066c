// Fused multiply-add by ordinary arithmetic, for ordinary numbers: round to nearest even, NX set already.
// S. Boldo, G. Melquiond, "Emulation of FMA and Correctly Rounded Sums: Proved Algorithms Using Rounding to Odd".
import * as soft from './softfloat';
import { NX, RNE, flags } from './softfloat/status';

const SPLITTER: f64 = 134217729; // 2^27 + 1

/** Error of the last `sum`: what was lost to rounding, exactly. */
let lost: f64 = 0;

/** Knuth's two-sum. */
function sum(a: f64, b: f64): f64 {
  const s = a + b;
  const bb = s - a;
  lost = a - (s - bb) + (b - bb);
  return s;
}

/** The sum rounded to odd: where it is not exact, the neighbour whose last bit is set. */
function sumToOdd(a: f64, b: f64): f64 {
  const s = sum(a, b);
  if (lost == 0) return s;
  const bits = reinterpret<u64>(s);
  if ((bits & 1) != 0) return s;
  return reinterpret<f64>((bits ^ reinterpret<u64>(lost)) >> 63 != 0 ? bits - 1 : bits + 1);
}

/** Exponents within so many of the middle: nothing on the way overflows, or is too small to be exact. */
function within(value: u64, distance: u32): bool {
  return (u32(value >> 52) & 0x7ff) - (1023 - distance) <= 2 * distance;
}

/** Dekker's product, then the sum of three without double rounding. */
function fused(a: f64, b: f64, c: f64): f64 {
  const p = SPLITTER * a;
  const aHigh = p - (p - a);
  const aLow = a - aHigh;
  const q = SPLITTER * b;
  const bHigh = q - (q - b);
  const bLow = b - bHigh;
  const product = a * b;
  const rest = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  const high = sum(c, rest);
  const tail = lost;
  const total = sum(product, high);
  return total + sumToOdd(tail, lost);
}

export function f64_fma(a: u64, b: u64, c: u64, rm: u32): u64 {
  if (rm == RNE && (flags & NX) != 0 && within(a, 400) && within(b, 400) && (c << 1 == 0 || within(c, 800))) {
    return reinterpret<u64>(fused(reinterpret<f64>(a), reinterpret<f64>(b), reinterpret<f64>(c)));
  }
  return soft.f64_fma(a, b, c, rm);
}

/** The product of two singles is exact in a double, so that only the sum needs care. */
export function f32_fma(a: u32, b: u32, c: u32, rm: u32): u32 {
  if (rm == RNE && (flags & NX) != 0) {
    const product = f64(reinterpret<f32>(a)) * f64(reinterpret<f32>(b));
    const result = reinterpret<u32>(f32(sumToOdd(product, f64(reinterpret<f32>(c)))));
    // Out of the range where underflow, overflow, infinities and NaN are.
    if (((result >> 23) & 0xff) - 2 < 0xfd) return result;
  }
  return soft.f32_fma(a, b, c, rm);
}
