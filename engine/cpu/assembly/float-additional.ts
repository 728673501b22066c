// Zfa by mnemonic, in three formats. Unprivileged ISA manual, "Zfa".
import { box, double, integer, s, single } from './float';
import { boxHalf, h, half } from './float-half';
import * as soft from './softfloat';

export function fli_s(index: u32): u64 {
  return box(soft.f32_constant(index));
}
export function fli_d(index: u32): u64 {
  return soft.f64_constant(index);
}
export function fli_h(index: u32): u64 {
  return boxHalf(soft.f16_constant(index));
}

export function fminm_s(a: u64, b: u64): u64 {
  return single(soft.f32_minimum(s(a), s(b)));
}
export function fminm_d(a: u64, b: u64): u64 {
  return double(soft.f64_minimum(a, b));
}
export function fminm_h(a: u64, b: u64): u64 {
  return half(soft.f16_minimum(h(a), h(b)));
}
export function fmaxm_s(a: u64, b: u64): u64 {
  return single(soft.f32_maximum(s(a), s(b)));
}
export function fmaxm_d(a: u64, b: u64): u64 {
  return double(soft.f64_maximum(a, b));
}
export function fmaxm_h(a: u64, b: u64): u64 {
  return half(soft.f16_maximum(h(a), h(b)));
}
export function fltq_s(a: u64, b: u64): u64 {
  return integer(soft.f32_ltq(s(a), s(b)));
}
export function fltq_d(a: u64, b: u64): u64 {
  return integer(soft.f64_ltq(a, b));
}
export function fltq_h(a: u64, b: u64): u64 {
  return integer(soft.f16_ltq(h(a), h(b)));
}
export function fleq_s(a: u64, b: u64): u64 {
  return integer(soft.f32_leq(s(a), s(b)));
}
export function fleq_d(a: u64, b: u64): u64 {
  return integer(soft.f64_leq(a, b));
}
export function fleq_h(a: u64, b: u64): u64 {
  return integer(soft.f16_leq(h(a), h(b)));
}
export function fround_s(a: u64, rm: u32): u64 {
  return single(soft.f32_round(s(a), rm));
}
export function fround_d(a: u64, rm: u32): u64 {
  return double(soft.f64_round(a, rm));
}
export function fround_h(a: u64, rm: u32): u64 {
  return half(soft.f16_round(h(a), rm));
}
export function froundnx_s(a: u64, rm: u32): u64 {
  return single(soft.f32_roundnx(s(a), rm));
}
export function froundnx_d(a: u64, rm: u32): u64 {
  return double(soft.f64_roundnx(a, rm));
}
export function froundnx_h(a: u64, rm: u32): u64 {
  return half(soft.f16_roundnx(h(a), rm));
}
export function fcvtmod_w_d(a: u64): u64 {
  return integer(soft.f64_to_i32_modular(a));
}
