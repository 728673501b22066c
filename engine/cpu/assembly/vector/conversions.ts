// Conversions between floating point and integers, and between formats. "Vector Extension", "Vector Floating-Point/
// Integer Type-Convert Instructions", with its widening and narrowing forms.
import * as at from '../../layout';
import * as soft from '../softfloat';
import * as half from '../softfloat/half';
import { NV, NX, RTZ, flags, setFlags } from '../softfloat/status';
import { illegal } from '../trap';
import { beginFloat, finishFloat, isFloat, narrow, rm, widen } from './float-unit';
import { group, narrows, widens } from './rules';
import {
  active,
  address,
  bitsOf,
  hasFeature,
  lmul,
  maskOf,
  put,
  sew,
  signed,
  unsigned,
  vd,
  vl,
  vs1,
  vs2,
  vstart,
  widest,
} from './unit';

/** The low three bits of the vs1 field; what is above says single width, widening, or narrowing. */
const enum Kind {
  toUnsigned = 0b000,
  toSigned = 0b001,
  fromUnsigned = 0b010,
  fromSigned = 0b011,
  format = 0b100,
  roundToOdd = 0b101,
  toUnsignedTruncated = 0b110,
  toSignedTruncated = 0b111,
}

function readsFloat(kind: u32): bool {
  return kind != Kind.fromUnsigned && kind != Kind.fromSigned;
}
function writesFloat(kind: u32): bool {
  return kind >= u32(Kind.fromUnsigned) && kind <= u32(Kind.roundToOdd);
}

/** Puts a result of 32 bits into fewer; what does not fit is invalid, and inexact no more. */
function saturateSigned(value: i64, width: u32, before: u32): u64 {
  const most = i64(maskOf(width) >> 1);
  if (value >= ~most && value <= most) return value;
  setFlags(before | NV);
  return value < 0 ? ~most : most;
}
function saturateUnsigned(value: u64, width: u32, before: u32): u64 {
  if (value <= maskOf(width)) return value;
  setFlags(before | NV);
  return maskOf(width);
}

function toSigned(x: u64, from: u32, to: u32, mode: u32): u64 {
  if (to == 3) return from == 3 ? soft.f64_to_i64(x, mode) : soft.f32_to_i64(u32(x), mode);
  const before = flags;
  const value =
    from == 3
      ? soft.f64_to_i32(x, mode)
      : from == 2
        ? soft.f32_to_i32(u32(x), mode)
        : half.f16_to_i32(u16(x), mode);
  return saturateSigned(value, to, before);
}

function toUnsigned(x: u64, from: u32, to: u32, mode: u32): u64 {
  if (to == 3) return from == 3 ? soft.f64_to_u64(x, mode) : soft.f32_to_u64(u32(x), mode);
  const before = flags;
  const value =
    from == 3
      ? soft.f64_to_u32(x, mode)
      : from == 2
        ? soft.f32_to_u32(u32(x), mode)
        : half.f16_to_u32(u16(x), mode);
  return saturateUnsigned(value & maskOf(2), to, before);
}

function fromSigned(x: i64, to: u32): u64 {
  if (to == 1) return half.i64_to_f16(x, rm);
  return to == 3 ? soft.i64_to_f64(x, rm) : soft.i64_to_f32(x, rm);
}
function fromUnsigned(x: u64, to: u32): u64 {
  if (to == 1) return half.u64_to_f16(x, rm);
  return to == 3 ? soft.u64_to_f64(x, rm) : soft.u64_to_f32(x, rm);
}

/** Rounds to odd: towards zero, and the lowest bit stands for all that was dropped. */
function narrowToOdd(x: u64, from: u32): u64 {
  const before = flags;
  setFlags(0);
  const truncated = narrow(x, from, RTZ);
  const inexact = (flags & NX) != 0;
  setFlags(before | flags);
  return inexact ? truncated | 1 : truncated;
}

function convert(kind: u32, i: u32, from: u32, to: u32): u64 {
  const base = address(vs2);
  switch (kind) {
    case Kind.toUnsigned:
      return toUnsigned(unsigned(base, i, from), from, to, rm);
    case Kind.toSigned:
      return toSigned(unsigned(base, i, from), from, to, rm);
    case Kind.fromUnsigned:
      return fromUnsigned(unsigned(base, i, from), to);
    case Kind.fromSigned:
      return fromSigned(signed(base, i, from), to);
    case Kind.format:
      return to > from ? widen(unsigned(base, i, from), from) : narrow(unsigned(base, i, from), from, rm);
    case Kind.roundToOdd:
      return narrowToOdd(unsigned(base, i, from), from);
    case Kind.toUnsignedTruncated:
      return toUnsigned(unsigned(base, i, from), from, to, RTZ);
    default:
      return toSigned(unsigned(base, i, from), from, to, RTZ);
  }
}

function each(word: u32, kind: u32, from: u32, to: u32): void {
  for (let i = vstart; i < vl; i++) {
    if (active(i)) put(address(vd), i, to, convert(kind, i, from, to));
  }
  finishFloat();
}

/** Whether the formats that this kind reads and writes exist. */
function exists(kind: u32, from: u32, to: u32): bool {
  if (kind == Kind.format && from + to == 3 && hasFeature(at.FEATURE_VECTOR_HALF_CONVERSION)) return true;
  return (!readsFloat(kind) || isFloat(from)) && (!writesFloat(kind) || isFloat(to));
}

export function vector_float_convert(word: u32): void {
  if (!beginFloat(word) || !isFloat(sew) || !group(vd, lmul) || !group(vs2, lmul)) return illegal(word);
  each(word, vs1 & 7, sew, sew);
}

export function vector_float_convert_widening(word: u32): void {
  if (!beginFloat(word) || sew == widest() || !exists(vs1 & 7, sew, sew + 1)) return illegal(word);
  if (!group(vd, lmul + 1) || !group(vs2, lmul) || !widens(vd, lmul + 1, vs2, lmul)) return illegal(word);
  each(word, vs1 & 7, sew, sew + 1);
}

export function vector_float_convert_narrowing(word: u32): void {
  if (!beginFloat(word) || sew == widest() || !exists(vs1 & 7, sew + 1, sew)) return illegal(word);
  if (!group(vd, lmul) || !group(vs2, lmul + 1) || !narrows(vd, lmul, vs2, lmul + 1)) return illegal(word);
  each(word, vs1 & 7, sew + 1, sew);
}
