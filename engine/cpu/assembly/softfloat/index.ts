// RISC-V's floating-point arithmetic on raw bits. Each function returns the bits of its result and adds its exceptions to
// `flags`, which the caller reads and clears. `rm` is a static rounding mode, 0 to 4: the caller has resolved the
// dynamic one and refused those that are reserved. NaN-boxing is the caller's too, as are the negated forms of fused
// multiply-add (by flipping sign bits of a or c). 32-bit integer results are sign-extended.

import { add } from './add';
import { classify, equal, less, lessOrEqual, maximumNumber, minimumNumber } from './compare';
import { fromSigned, fromUnsigned, narrow, toI32, toI64, toU32, toU64, widen } from './convert';
import { divide } from './divide';
import { fuse32, fuse64 } from './fma';
import { signBit } from './format';
import { multiply } from './multiply';
import { squareRoot } from './sqrt';

export { flags } from './status';
export * from './half';
export * from './additional';

export function f32_add(a: u32, b: u32, rm: u32): u32 {
  return add<u32, f32>(a, b, rm);
}

export function f32_sub(a: u32, b: u32, rm: u32): u32 {
  return add<u32, f32>(a, b ^ signBit<u32>(), rm);
}

export function f32_mul(a: u32, b: u32, rm: u32): u32 {
  return multiply<u32, f32>(a, b, rm);
}

export function f32_div(a: u32, b: u32, rm: u32): u32 {
  return divide<u32, f32>(a, b, rm);
}

export function f32_sqrt(a: u32, rm: u32): u32 {
  return squareRoot<u32, f32>(a, rm);
}

export function f32_fma(a: u32, b: u32, c: u32, rm: u32): u32 {
  return fuse32(a, b, c, rm);
}

export function f32_min(a: u32, b: u32): u32 {
  return minimumNumber<u32, f32>(a, b);
}

export function f32_max(a: u32, b: u32): u32 {
  return maximumNumber<u32, f32>(a, b);
}

export function f32_eq(a: u32, b: u32): u64 {
  return equal<u32, f32>(a, b);
}

export function f32_lt(a: u32, b: u32): u64 {
  return less<u32, f32>(a, b);
}

export function f32_le(a: u32, b: u32): u64 {
  return lessOrEqual<u32, f32>(a, b);
}

export function f32_class(a: u32): u64 {
  return classify<u32>(a);
}

export function f32_to_i32(a: u32, rm: u32): u64 {
  return toI32(<f64>reinterpret<f32>(a), rm);
}

export function f32_to_u32(a: u32, rm: u32): u64 {
  return toU32(<f64>reinterpret<f32>(a), rm);
}

export function f32_to_i64(a: u32, rm: u32): u64 {
  return toI64(<f64>reinterpret<f32>(a), rm);
}

export function f32_to_u64(a: u32, rm: u32): u64 {
  return toU64(<f64>reinterpret<f32>(a), rm);
}

export function i32_to_f32(a: i32, rm: u32): u32 {
  return fromSigned<u32>(a, rm);
}

export function u32_to_f32(a: u32, rm: u32): u32 {
  return fromUnsigned<u32>(a, rm);
}

export function i64_to_f32(a: i64, rm: u32): u32 {
  return fromSigned<u32>(a, rm);
}

export function u64_to_f32(a: u64, rm: u32): u32 {
  return fromUnsigned<u32>(a, rm);
}

export function f64_add(a: u64, b: u64, rm: u32): u64 {
  return add<u64, f64>(a, b, rm);
}

export function f64_sub(a: u64, b: u64, rm: u32): u64 {
  return add<u64, f64>(a, b ^ signBit<u64>(), rm);
}

export function f64_mul(a: u64, b: u64, rm: u32): u64 {
  return multiply<u64, f64>(a, b, rm);
}

export function f64_div(a: u64, b: u64, rm: u32): u64 {
  return divide<u64, f64>(a, b, rm);
}

export function f64_sqrt(a: u64, rm: u32): u64 {
  return squareRoot<u64, f64>(a, rm);
}

export function f64_fma(a: u64, b: u64, c: u64, rm: u32): u64 {
  return fuse64(a, b, c, rm);
}

export function f64_min(a: u64, b: u64): u64 {
  return minimumNumber<u64, f64>(a, b);
}

export function f64_max(a: u64, b: u64): u64 {
  return maximumNumber<u64, f64>(a, b);
}

export function f64_eq(a: u64, b: u64): u64 {
  return equal<u64, f64>(a, b);
}

export function f64_lt(a: u64, b: u64): u64 {
  return less<u64, f64>(a, b);
}

export function f64_le(a: u64, b: u64): u64 {
  return lessOrEqual<u64, f64>(a, b);
}

export function f64_class(a: u64): u64 {
  return classify<u64>(a);
}

export function f64_to_i32(a: u64, rm: u32): u64 {
  return toI32(reinterpret<f64>(a), rm);
}

export function f64_to_u32(a: u64, rm: u32): u64 {
  return toU32(reinterpret<f64>(a), rm);
}

export function f64_to_i64(a: u64, rm: u32): u64 {
  return toI64(reinterpret<f64>(a), rm);
}

export function f64_to_u64(a: u64, rm: u32): u64 {
  return toU64(reinterpret<f64>(a), rm);
}

export function i32_to_f64(a: i32, rm: u32): u64 {
  return fromSigned<u64>(a, rm);
}

export function u32_to_f64(a: u32, rm: u32): u64 {
  return fromUnsigned<u64>(a, rm);
}

export function i64_to_f64(a: i64, rm: u32): u64 {
  return fromSigned<u64>(a, rm);
}

export function u64_to_f64(a: u64, rm: u32): u64 {
  return fromUnsigned<u64>(a, rm);
}

export function f32_to_f64(a: u32): u64 {
  return widen(a);
}

export function f64_to_f32(a: u64, rm: u32): u32 {
  return narrow(a, rm);
}
