// F and D instructions by mnemonic: NaN boxing, accrued flags, rounding modes.
// The arithmetic is softfloat/. Unprivileged ISA manual, "F" and "D".
import * as at from '../layout';
import { f32_fma, f64_fma } from './fused';
import * as soft from './softfloat';
import { flags, setFlags } from './softfloat/status';
import { cell, setCell } from './state';
import { illegal } from './trap';

const BOX: u64 = 0xffffffff00000000;
const CANONICAL_NAN: u32 = 0x7fc00000;
const SIGN_S: u32 = 0x80000000;
const SIGN_D: u64 = 0x8000000000000000;

/** A single out of its box; what is not boxed reads as the canonical NaN. */
export function s(value: u64): u32 {
  return (value & BOX) == BOX ? u32(value) : CANONICAL_NAN;
}
export function box(value: u32): u64 {
  return BOX | value;
}

/** Copies the flags to fflags. They stay in softfloat too, which is faster once NX is set; csr.ts keeps both equal. */
export function accrue(): void {
  setCell(at.FFLAGS, flags);
}

/** To be called after a restore: fflags is the truth. */
export function float_update(): void {
  setFlags(u32(cell(at.FFLAGS)));
}
export function single(value: u32): u64 {
  accrue();
  return box(value);
}
export function double(value: u64): u64 {
  accrue();
  return value;
}
export function integer(value: u64): u64 {
  accrue();
  return value;
}

/** Resolves `rm`: 7 means frm, 5 and 6 are reserved wherever they stand. "Floating-Point Control and Status Register". */
export function rounding_mode(rm: u32, word: u32): u32 {
  const mode = rm == 7 ? u32(cell(at.FRM)) : rm;
  if (mode > 4) illegal(word);
  return mode;
}

export function fadd_s(a: u64, b: u64, rm: u32): u64 {
  return single(soft.f32_add(s(a), s(b), rm));
}
export function fadd_d(a: u64, b: u64, rm: u32): u64 {
  return double(soft.f64_add(a, b, rm));
}
export function fsub_s(a: u64, b: u64, rm: u32): u64 {
  return single(soft.f32_sub(s(a), s(b), rm));
}
export function fsub_d(a: u64, b: u64, rm: u32): u64 {
  return double(soft.f64_sub(a, b, rm));
}
export function fmul_s(a: u64, b: u64, rm: u32): u64 {
  return single(soft.f32_mul(s(a), s(b), rm));
}
export function fmul_d(a: u64, b: u64, rm: u32): u64 {
  return double(soft.f64_mul(a, b, rm));
}
export function fdiv_s(a: u64, b: u64, rm: u32): u64 {
  return single(soft.f32_div(s(a), s(b), rm));
}
export function fdiv_d(a: u64, b: u64, rm: u32): u64 {
  return double(soft.f64_div(a, b, rm));
}
export function fsqrt_s(a: u64, rm: u32): u64 {
  return single(soft.f32_sqrt(s(a), rm));
}
export function fsqrt_d(a: u64, rm: u32): u64 {
  return double(soft.f64_sqrt(a, rm));
}

// The four fused forms differ in the signs of the product and the addend.
export function fmadd_s(a: u64, b: u64, c: u64, rm: u32): u64 {
  return single(f32_fma(s(a), s(b), s(c), rm));
}
export function fmadd_d(a: u64, b: u64, c: u64, rm: u32): u64 {
  return double(f64_fma(a, b, c, rm));
}
export function fmsub_s(a: u64, b: u64, c: u64, rm: u32): u64 {
  return single(f32_fma(s(a), s(b), s(c) ^ SIGN_S, rm));
}
export function fmsub_d(a: u64, b: u64, c: u64, rm: u32): u64 {
  return double(f64_fma(a, b, c ^ SIGN_D, rm));
}
export function fnmsub_s(a: u64, b: u64, c: u64, rm: u32): u64 {
  return single(f32_fma(s(a) ^ SIGN_S, s(b), s(c), rm));
}
export function fnmsub_d(a: u64, b: u64, c: u64, rm: u32): u64 {
  return double(f64_fma(a ^ SIGN_D, b, c, rm));
}
export function fnmadd_s(a: u64, b: u64, c: u64, rm: u32): u64 {
  return single(f32_fma(s(a) ^ SIGN_S, s(b), s(c) ^ SIGN_S, rm));
}
export function fnmadd_d(a: u64, b: u64, c: u64, rm: u32): u64 {
  return double(f64_fma(a ^ SIGN_D, b, c ^ SIGN_D, rm));
}

export function fsgnj_s(a: u64, b: u64): u64 {
  return box((s(a) & ~SIGN_S) | (s(b) & SIGN_S));
}
export function fsgnjn_s(a: u64, b: u64): u64 {
  return box((s(a) & ~SIGN_S) | (~s(b) & SIGN_S));
}
export function fsgnjx_s(a: u64, b: u64): u64 {
  return box(s(a) ^ (s(b) & SIGN_S));
}
export function fsgnj_d(a: u64, b: u64): u64 {
  return (a & ~SIGN_D) | (b & SIGN_D);
}
export function fsgnjn_d(a: u64, b: u64): u64 {
  return (a & ~SIGN_D) | (~b & SIGN_D);
}
export function fsgnjx_d(a: u64, b: u64): u64 {
  return a ^ (b & SIGN_D);
}

export function fmin_s(a: u64, b: u64): u64 {
  return single(soft.f32_min(s(a), s(b)));
}
export function fmin_d(a: u64, b: u64): u64 {
  return double(soft.f64_min(a, b));
}
export function fmax_s(a: u64, b: u64): u64 {
  return single(soft.f32_max(s(a), s(b)));
}
export function fmax_d(a: u64, b: u64): u64 {
  return double(soft.f64_max(a, b));
}
export function feq_s(a: u64, b: u64): u64 {
  return integer(soft.f32_eq(s(a), s(b)));
}
export function feq_d(a: u64, b: u64): u64 {
  return integer(soft.f64_eq(a, b));
}
export function flt_s(a: u64, b: u64): u64 {
  return integer(soft.f32_lt(s(a), s(b)));
}
export function flt_d(a: u64, b: u64): u64 {
  return integer(soft.f64_lt(a, b));
}
export function fle_s(a: u64, b: u64): u64 {
  return integer(soft.f32_le(s(a), s(b)));
}
export function fle_d(a: u64, b: u64): u64 {
  return integer(soft.f64_le(a, b));
}
export function fclass_s(a: u64): u64 {
  return soft.f32_class(s(a));
}
export function fclass_d(a: u64): u64 {
  return soft.f64_class(a);
}

export function fcvt_w_s(a: u64, rm: u32): u64 {
  return integer(soft.f32_to_i32(s(a), rm));
}
export function fcvt_w_d(a: u64, rm: u32): u64 {
  return integer(soft.f64_to_i32(a, rm));
}
export function fcvt_s_w(a: u64, rm: u32): u64 {
  return single(soft.i32_to_f32(i32(a), rm));
}
export function fcvt_d_w(a: u64, rm: u32): u64 {
  return double(soft.i32_to_f64(i32(a), rm));
}
export function fcvt_wu_s(a: u64, rm: u32): u64 {
  return integer(soft.f32_to_u32(s(a), rm));
}
export function fcvt_wu_d(a: u64, rm: u32): u64 {
  return integer(soft.f64_to_u32(a, rm));
}
export function fcvt_s_wu(a: u64, rm: u32): u64 {
  return single(soft.u32_to_f32(u32(a), rm));
}
export function fcvt_d_wu(a: u64, rm: u32): u64 {
  return double(soft.u32_to_f64(u32(a), rm));
}
export function fcvt_l_s(a: u64, rm: u32): u64 {
  return integer(soft.f32_to_i64(s(a), rm));
}
export function fcvt_l_d(a: u64, rm: u32): u64 {
  return integer(soft.f64_to_i64(a, rm));
}
export function fcvt_s_l(a: u64, rm: u32): u64 {
  return single(soft.i64_to_f32(i64(a), rm));
}
export function fcvt_d_l(a: u64, rm: u32): u64 {
  return double(soft.i64_to_f64(i64(a), rm));
}
export function fcvt_lu_s(a: u64, rm: u32): u64 {
  return integer(soft.f32_to_u64(s(a), rm));
}
export function fcvt_lu_d(a: u64, rm: u32): u64 {
  return integer(soft.f64_to_u64(a, rm));
}
export function fcvt_s_lu(a: u64, rm: u32): u64 {
  return single(soft.u64_to_f32(u64(a), rm));
}
export function fcvt_d_lu(a: u64, rm: u32): u64 {
  return double(soft.u64_to_f64(u64(a), rm));
}
export function fcvt_s_d(a: u64, rm: u32): u64 {
  return single(soft.f64_to_f32(a, rm));
}
export function fcvt_d_s(a: u64, rm: u32): u64 {
  return double(soft.f32_to_f64(s(a)));
}
