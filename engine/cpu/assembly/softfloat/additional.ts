// Zfa's arithmetic, on raw bits like the rest. Unprivileged ISA manual, "Zfa".

import { maximumNumber, minimumNumber } from './compare';
import { convertExactly, roundToIntegral, toI32 } from './convert';
import { exponentField, integerSignificand, isNaNBits, isSignalingNaN, propagateNaN, signOf } from './format';
import { embed } from './half';
import { NV, NX, RNE, RTZ, raise } from './status';

// The constants of FLI, in the order of its table; the upper 16 bits of each are enough. The second is the least normal
// number; binary16 has no 2^16, and has infinity in its place.
const halves: StaticArray<u16> = [
  0xbc00, 0x0400, 0x0100, 0x0200, 0x1c00, 0x2000, 0x2c00, 0x3000, 0x3400, 0x3500, 0x3600, 0x3700, 0x3800,
  0x3900, 0x3a00, 0x3b00, 0x3c00, 0x3d00, 0x3e00, 0x3f00, 0x4000, 0x4100, 0x4200, 0x4400, 0x4800, 0x4c00,
  0x5800, 0x5c00, 0x7800, 0x7c00, 0x7c00, 0x7e00,
];
const singles: StaticArray<u16> = [
  0xbf80, 0x0080, 0x3780, 0x3800, 0x3b80, 0x3c00, 0x3d80, 0x3e00, 0x3e80, 0x3ea0, 0x3ec0, 0x3ee0, 0x3f00,
  0x3f20, 0x3f40, 0x3f60, 0x3f80, 0x3fa0, 0x3fc0, 0x3fe0, 0x4000, 0x4020, 0x4040, 0x4080, 0x4100, 0x4180,
  0x4300, 0x4380, 0x4700, 0x4780, 0x7f80, 0x7fc0,
];
const doubles: StaticArray<u16> = [
  0xbff0, 0x0010, 0x3ef0, 0x3f00, 0x3f70, 0x3f80, 0x3fb0, 0x3fc0, 0x3fd0, 0x3fd4, 0x3fd8, 0x3fdc, 0x3fe0,
  0x3fe4, 0x3fe8, 0x3fec, 0x3ff0, 0x3ff4, 0x3ff8, 0x3ffc, 0x4000, 0x4004, 0x4008, 0x4010, 0x4020, 0x4030,
  0x4060, 0x4070, 0x40e0, 0x40f0, 0x7ff0, 0x7ff8,
];

export function f16_constant(index: u32): u16 {
  return unchecked(halves[index]);
}
export function f32_constant(index: u32): u32 {
  return u32(unchecked(singles[index])) << 16;
}
export function f64_constant(index: u32): u64 {
  return u64(unchecked(doubles[index])) << 48;
}

/** minimum or maximum (IEEE 754-2019, section 9.6): a NaN among the operands is the result. */
function minimum<T, F>(a: T, b: T): T {
  return isNaNBits<T>(a) || isNaNBits<T>(b) ? propagateNaN<T>(a, b) : minimumNumber<T, F>(a, b);
}
function maximum<T, F>(a: T, b: T): T {
  return isNaNBits<T>(a) || isNaNBits<T>(b) ? propagateNaN<T>(a, b) : maximumNumber<T, F>(a, b);
}
export function f16_minimum(a: u16, b: u16): u16 {
  return convertExactly<u64, u16>(minimum<u64, f64>(embed(a), embed(b)), RNE);
}
export function f16_maximum(a: u16, b: u16): u16 {
  return convertExactly<u64, u16>(maximum<u64, f64>(embed(a), embed(b)), RNE);
}
export function f32_minimum(a: u32, b: u32): u32 {
  return minimum<u32, f32>(a, b);
}
export function f32_maximum(a: u32, b: u32): u32 {
  return maximum<u32, f32>(a, b);
}
export function f64_minimum(a: u64, b: u64): u64 {
  return minimum<u64, f64>(a, b);
}
export function f64_maximum(a: u64, b: u64): u64 {
  return maximum<u64, f64>(a, b);
}

/** Quiet: only a signaling NaN is invalid. */
function lessQuietly<T, F>(a: T, b: T): u64 {
  if (isSignalingNaN<T>(a) || isSignalingNaN<T>(b)) raise(NV);
  return <u64>(reinterpret<F>(a) < reinterpret<F>(b));
}
function lessOrEqualQuietly<T, F>(a: T, b: T): u64 {
  if (isSignalingNaN<T>(a) || isSignalingNaN<T>(b)) raise(NV);
  return <u64>(reinterpret<F>(a) <= reinterpret<F>(b));
}
export function f16_ltq(a: u16, b: u16): u64 {
  return lessQuietly<u64, f64>(embed(a), embed(b));
}
export function f16_leq(a: u16, b: u16): u64 {
  return lessOrEqualQuietly<u64, f64>(embed(a), embed(b));
}
export function f32_ltq(a: u32, b: u32): u64 {
  return lessQuietly<u32, f32>(a, b);
}
export function f32_leq(a: u32, b: u32): u64 {
  return lessOrEqualQuietly<u32, f32>(a, b);
}
export function f64_ltq(a: u64, b: u64): u64 {
  return lessQuietly<u64, f64>(a, b);
}
export function f64_leq(a: u64, b: u64): u64 {
  return lessOrEqualQuietly<u64, f64>(a, b);
}

/** Rounds to an integral value in binary64; `exceptions` says what is raised where that is another one. */
function round(x: f64, rm: u32, exceptions: u32): f64 {
  const integral = roundToIntegral(x, rm);
  if (integral != x) raise(exceptions);
  return integral;
}
function round16(a: u16, rm: u32, exceptions: u32): u16 {
  if (isNaNBits<u16>(a)) return propagateNaN<u16>(a, a);
  const integral = round(reinterpret<f64>(embed(a)), rm, exceptions);
  return convertExactly<u64, u16>(reinterpret<u64>(integral), RNE);
}
function round32(a: u32, rm: u32, exceptions: u32): u32 {
  if (isNaNBits<u32>(a)) return propagateNaN<u32>(a, a);
  return reinterpret<u32>(<f32>round(<f64>reinterpret<f32>(a), rm, exceptions));
}
function round64(a: u64, rm: u32, exceptions: u32): u64 {
  if (isNaNBits<u64>(a)) return propagateNaN<u64>(a, a);
  return reinterpret<u64>(round(reinterpret<f64>(a), rm, exceptions));
}
export function f16_round(a: u16, rm: u32): u16 {
  return round16(a, rm, 0);
}
export function f16_roundnx(a: u16, rm: u32): u16 {
  return round16(a, rm, NX);
}
export function f32_round(a: u32, rm: u32): u32 {
  return round32(a, rm, 0);
}
export function f32_roundnx(a: u32, rm: u32): u32 {
  return round32(a, rm, NX);
}
export function f64_round(a: u64, rm: u32): u64 {
  return round64(a, rm, 0);
}
export function f64_roundnx(a: u64, rm: u32): u64 {
  return round64(a, rm, NX);
}

/** Truncated and modulo 2^32, as JavaScript converts; exceptions are those of `f64_to_i32`. */
export function f64_to_i32_modular(a: u64): u64 {
  const x = reinterpret<f64>(a);
  toI32(x, RTZ);
  if (abs<f64>(x) < 9223372036854775808.0) return <u64>(<i64>(<i32>(<i64>x)));
  // Infinities and NaNs have a shift of 972, and zero comes of it.
  const shift = exponentField<u64>(a) - 1075;
  if (shift > 31) return 0;
  const low = <i32>(integerSignificand<u64>(a) << shift);
  return <u64>(<i64>(signOf<u64>(a) != 0 ? -low : low));
}
