// Zfh and Zfhmin: half precision by mnemonic, as float.ts has single and double. Unprivileged ISA manual, "Zfh".
import * as soft from './softfloat';
import { accrue, double, integer, s, single } from './float';

const BOX: u64 = 0xffffffffffff0000;
const CANONICAL_NAN: u16 = 0x7e00;
const SIGN: u16 = 0x8000;

/** A half out of its box; what is not boxed reads as the canonical NaN. */
export function h(value: u64): u16 {
  return (value & BOX) == BOX ? u16(value) : CANONICAL_NAN;
}
export function boxHalf(value: u16): u64 {
  return BOX | value;
}
export function half(value: u16): u64 {
  accrue();
  return boxHalf(value);
}

export function fadd_h(a: u64, b: u64, rm: u32): u64 {
  return half(soft.f16_add(h(a), h(b), rm));
}
export function fsub_h(a: u64, b: u64, rm: u32): u64 {
  return half(soft.f16_sub(h(a), h(b), rm));
}
export function fmul_h(a: u64, b: u64, rm: u32): u64 {
  return half(soft.f16_mul(h(a), h(b), rm));
}
export function fdiv_h(a: u64, b: u64, rm: u32): u64 {
  return half(soft.f16_div(h(a), h(b), rm));
}
export function fsqrt_h(a: u64, rm: u32): u64 {
  return half(soft.f16_sqrt(h(a), rm));
}

export function fmadd_h(a: u64, b: u64, c: u64, rm: u32): u64 {
  return half(soft.f16_fma(h(a), h(b), h(c), rm));
}
export function fmsub_h(a: u64, b: u64, c: u64, rm: u32): u64 {
  return half(soft.f16_fma(h(a), h(b), h(c) ^ SIGN, rm));
}
export function fnmsub_h(a: u64, b: u64, c: u64, rm: u32): u64 {
  return half(soft.f16_fma(h(a) ^ SIGN, h(b), h(c), rm));
}
export function fnmadd_h(a: u64, b: u64, c: u64, rm: u32): u64 {
  return half(soft.f16_fma(h(a) ^ SIGN, h(b), h(c) ^ SIGN, rm));
}

export function fsgnj_h(a: u64, b: u64): u64 {
  return boxHalf((h(a) & ~SIGN) | (h(b) & SIGN));
}
export function fsgnjn_h(a: u64, b: u64): u64 {
  return boxHalf((h(a) & ~SIGN) | (~h(b) & SIGN));
}
export function fsgnjx_h(a: u64, b: u64): u64 {
  return boxHalf(h(a) ^ (h(b) & SIGN));
}

export function fmin_h(a: u64, b: u64): u64 {
  return half(soft.f16_min(h(a), h(b)));
}
export function fmax_h(a: u64, b: u64): u64 {
  return half(soft.f16_max(h(a), h(b)));
}
export function feq_h(a: u64, b: u64): u64 {
  return integer(soft.f16_eq(h(a), h(b)));
}
export function flt_h(a: u64, b: u64): u64 {
  return integer(soft.f16_lt(h(a), h(b)));
}
export function fle_h(a: u64, b: u64): u64 {
  return integer(soft.f16_le(h(a), h(b)));
}
export function fclass_h(a: u64): u64 {
  return soft.f16_class(h(a));
}

export function fcvt_w_h(a: u64, rm: u32): u64 {
  return integer(soft.f16_to_i32(h(a), rm));
}
export function fcvt_h_w(a: u64, rm: u32): u64 {
  return half(soft.i32_to_f16(i32(a), rm));
}
export function fcvt_wu_h(a: u64, rm: u32): u64 {
  return integer(soft.f16_to_u32(h(a), rm));
}
export function fcvt_h_wu(a: u64, rm: u32): u64 {
  return half(soft.u32_to_f16(u32(a), rm));
}
export function fcvt_l_h(a: u64, rm: u32): u64 {
  return integer(soft.f16_to_i64(h(a), rm));
}
export function fcvt_h_l(a: u64, rm: u32): u64 {
  return half(soft.i64_to_f16(i64(a), rm));
}
export function fcvt_lu_h(a: u64, rm: u32): u64 {
  return integer(soft.f16_to_u64(h(a), rm));
}
export function fcvt_h_lu(a: u64, rm: u32): u64 {
  return half(soft.u64_to_f16(a, rm));
}
export function fcvt_s_h(a: u64, rm: u32): u64 {
  return single(soft.f16_to_f32(h(a), rm));
}
export function fcvt_h_s(a: u64, rm: u32): u64 {
  return half(soft.f32_to_f16(s(a), rm));
}
export function fcvt_d_h(a: u64, rm: u32): u64 {
  return double(soft.f16_to_f64(h(a), rm));
}
export function fcvt_h_d(a: u64, rm: u32): u64 {
  return half(soft.f64_to_f16(a, rm));
}
