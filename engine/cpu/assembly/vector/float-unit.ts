// Floating-point elements: which widths there are, and arithmetic by width. "Vector Floating-Point Instructions".
// A width is the logarithm of bytes: 1 is binary16, 2 binary32, 3 binary64.
import * as at from '../../layout';
import * as soft from '../softfloat';
import * as half from '../softfloat/half';
import { canonicalNaN } from '../softfloat/format';
import { flags } from '../softfloat/status';
import { FS, cell, setCell, status } from '../state';
import { begin, bitsOf, finish, hasFeature, maskOf } from './unit';

/** The dynamic rounding mode: vector instructions have no field for it. */
export let rm: u32 = 0;

/** Whether this hart computes with elements of this width. */
export function isFloat(width: u32): bool {
  if (width == 1) return hasFeature(at.FEATURE_VECTOR_HALF);
  if (width == 2) return hasFeature(at.FEATURE_VECTOR_SINGLE);
  return width == 3 && hasFeature(at.FEATURE_VECTOR_DOUBLE);
}

/** As `begin`, and floating point is on, and frm names a mode: even where nothing is rounded. */
export function beginFloat(word: u32): bool {
  if ((status() & FS) == 0) return false;
  rm = u32(cell(at.FRM));
  return rm <= 4 && begin(word);
}

/** As `finish`; the flags raised are in fflags. */
export function finishFloat(): void {
  setCell(at.FFLAGS, flags);
  setCell(at.MSTATUS, status() | FS);
  finish();
}

/** A scalar out of its box: what is not boxed reads as the canonical NaN. */
export function unbox(scalar: u64, width: u32): u64 {
  if (width == 3) return scalar;
  const mask = maskOf(width);
  if ((scalar | mask) == u64.MAX_VALUE) return scalar & mask;
  return width == 1 ? u64(canonicalNaN<u16>()) : u64(canonicalNaN<u32>());
}
export function box(value: u64, width: u32): u64 {
  return width == 3 ? value : value | ~maskOf(width);
}

export function signBit(width: u32): u64 {
  return u64(1) << (bitsOf(width) - 1);
}

export function add(a: u64, b: u64, width: u32): u64 {
  if (width == 3) return soft.f64_add(a, b, rm);
  if (width == 1) return half.f16_add(u16(a), u16(b), rm);
  return soft.f32_add(u32(a), u32(b), rm);
}
export function subtract(a: u64, b: u64, width: u32): u64 {
  if (width == 3) return soft.f64_sub(a, b, rm);
  if (width == 1) return half.f16_sub(u16(a), u16(b), rm);
  return soft.f32_sub(u32(a), u32(b), rm);
}
export function multiply(a: u64, b: u64, width: u32): u64 {
  if (width == 3) return soft.f64_mul(a, b, rm);
  if (width == 1) return half.f16_mul(u16(a), u16(b), rm);
  return soft.f32_mul(u32(a), u32(b), rm);
}
export function divide(a: u64, b: u64, width: u32): u64 {
  if (width == 3) return soft.f64_div(a, b, rm);
  if (width == 1) return half.f16_div(u16(a), u16(b), rm);
  return soft.f32_div(u32(a), u32(b), rm);
}
export function squareRoot(a: u64, width: u32): u64 {
  if (width == 3) return soft.f64_sqrt(a, rm);
  if (width == 1) return half.f16_sqrt(u16(a), rm);
  return soft.f32_sqrt(u32(a), rm);
}
export function fuse(a: u64, b: u64, c: u64, width: u32): u64 {
  if (width == 3) return soft.f64_fma(a, b, c, rm);
  if (width == 1) return half.f16_fma(u16(a), u16(b), u16(c), rm);
  return soft.f32_fma(u32(a), u32(b), u32(c), rm);
}
export function minimumNumber(a: u64, b: u64, width: u32): u64 {
  if (width == 3) return soft.f64_min(a, b);
  if (width == 1) return half.f16_min(u16(a), u16(b));
  return soft.f32_min(u32(a), u32(b));
}
export function maximumNumber(a: u64, b: u64, width: u32): u64 {
  if (width == 3) return soft.f64_max(a, b);
  if (width == 1) return half.f16_max(u16(a), u16(b));
  return soft.f32_max(u32(a), u32(b));
}
export function equal(a: u64, b: u64, width: u32): bool {
  if (width == 3) return soft.f64_eq(a, b) != 0;
  if (width == 1) return half.f16_eq(u16(a), u16(b)) != 0;
  return soft.f32_eq(u32(a), u32(b)) != 0;
}
export function less(a: u64, b: u64, width: u32): bool {
  if (width == 3) return soft.f64_lt(a, b) != 0;
  if (width == 1) return half.f16_lt(u16(a), u16(b)) != 0;
  return soft.f32_lt(u32(a), u32(b)) != 0;
}
export function lessOrEqual(a: u64, b: u64, width: u32): bool {
  if (width == 3) return soft.f64_le(a, b) != 0;
  if (width == 1) return half.f16_le(u16(a), u16(b)) != 0;
  return soft.f32_le(u32(a), u32(b)) != 0;
}
export function classify(a: u64, width: u32): u64 {
  if (width == 3) return soft.f64_class(a);
  if (width == 1) return half.f16_class(u16(a));
  return soft.f32_class(u32(a));
}
/** To the next wider format: exact. */
export function widen(a: u64, width: u32): u64 {
  return width == 1 ? half.f16_to_f32(u16(a), rm) : soft.f32_to_f64(u32(a));
}
/** To the next narrower format than `width`, in a mode of its own. */
export function narrow(a: u64, width: u32, mode: u32): u64 {
  return width == 2 ? half.f32_to_f16(u32(a), mode) : soft.f64_to_f32(a, mode);
}
