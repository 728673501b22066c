// Saturating, averaging and scaling arithmetic. "Vector Extension", "Vector Fixed-Point Arithmetic Instructions".
import * as at from '../../layout';
import { mulh } from '../multiply';
import { cell, setCell } from '../state';
import { illegal } from '../trap';
import { sameWidth, toHalf } from './rules';
import {
  active,
  address,
  begin,
  bitsOf,
  finish,
  funct6,
  maskOf,
  put,
  secondSource,
  sew,
  signed,
  unsigned,
  vd,
  vl,
  vs2,
  vstart,
  widest,
} from './unit';

/** vxrm: round to nearest up, to nearest even, down, to odd. */
const enum Rounding {
  rnu = 0,
  rne = 1,
  rdn = 2,
  rod = 3,
}

/** What rounding adds, given the bits kept, the first one dropped, and whether any below that is set. */
function increment(kept: u64, guard: u64, sticky: bool): u64 {
  const odd = (kept & 1) != 0;
  switch (u32(cell(at.VXRM))) {
    case Rounding.rnu:
      return guard;
    case Rounding.rne:
      return sticky || odd ? guard : 0;
    case Rounding.rdn:
      return 0;
    default:
      return !odd && (guard != 0 || sticky) ? 1 : 0;
  }
}

/** `value` shifted right and rounded; it has been extended to 64 bits already. */
function scale(value: u64, shift: u64, arithmetic: bool): u64 {
  if (shift == 0) return value;
  const kept = arithmetic ? u64(i64(value) >> i64(shift)) : value >> shift;
  const guard = (value >> (shift - 1)) & 1;
  return kept + increment(kept, guard, (value << (64 - shift)) << 1 != 0);
}

function saturated(): void {
  setCell(at.VXSAT, 1);
}

function least(width: u32): i64 {
  return i64.MIN_VALUE >> i64(64 - bitsOf(width));
}
function greatest(width: u32): i64 {
  return ~least(width);
}

function clampSigned(value: i64, width: u32): u64 {
  if (value >= least(width) && value <= greatest(width)) return value;
  saturated();
  return value < 0 ? least(width) : greatest(width);
}
function clampUnsigned(value: u64, width: u32): u64 {
  if (value <= maskOf(width)) return value;
  saturated();
  return maskOf(width);
}

function addUnsigned(a: u64, b: u64): u64 {
  const sum = a + b;
  if (sum >= a) return clampUnsigned(sum, sew);
  saturated();
  return u64.MAX_VALUE;
}
function subtractUnsigned(a: u64, b: u64): u64 {
  if (a >= b) return a - b;
  saturated();
  return 0;
}
/** `result` has wrapped when its sign is neither operand's; `b` is given as it was added. */
function clampSum(a: i64, b: i64, result: i64): u64 {
  if (((a ^ result) & (b ^ result)) >= 0) return clampSigned(result, sew);
  saturated();
  return a < 0 ? i64.MIN_VALUE : i64.MAX_VALUE;
}
function subtractSigned(a: i64, b: i64): u64 {
  const result = a - b;
  if (((a ^ b) & (a ^ result)) >= 0) return clampSigned(result, sew);
  saturated();
  return a < 0 ? i64.MIN_VALUE : i64.MAX_VALUE;
}

/** The halves of both operands, and what their lowest bits carry or borrow: the sum needs one bit more than SEW. */
function average(a: u64, b: u64, isSigned: bool, subtracts: bool): u64 {
  const halfA = isSigned ? u64(i64(a) >> 1) : a >> 1;
  const halfB = isSigned ? u64(i64(b) >> 1) : b >> 1;
  const kept = subtracts ? halfA - halfB - (~a & b & 1) : halfA + halfB + (a & b & 1);
  return kept + increment(kept, (a ^ b) & 1, false);
}

/** The product of two fractions, rounded. -1 times -1 alone does not fit. */
function multiplyFractions(a: i64, b: i64): u64 {
  if (a == least(sew) && b == least(sew)) {
    saturated();
    return greatest(sew);
  }
  const low = u64(a * b);
  if (sew < 3) return scale(low, bitsOf(sew) - 1, true);
  const kept = (mulh(a, b) << 1) | (low >> 63);
  return kept + increment(kept, (low >> 62) & 1, low << 2 != 0);
}

const enum Operation {
  aaddu = 0b001000,
  aadd = 0b001001,
  asubu = 0b001010,
  asub = 0b001011,
  saddu = 0b100000,
  sadd = 0b100001,
  ssubu = 0b100010,
  ssub = 0b100011,
  smul = 0b100111,
  ssrl = 0b101010,
  ssra = 0b101011,
}

function combine(what: u32, first: u32, second: u32, i: u32): u64 {
  const shift = unsigned(second, i, sew) & (bitsOf(sew) - 1);
  switch (what) {
    case Operation.aaddu:
      return average(unsigned(first, i, sew), unsigned(second, i, sew), false, false);
    case Operation.aadd:
      return average(signed(first, i, sew), signed(second, i, sew), true, false);
    case Operation.asubu:
      return average(unsigned(first, i, sew), unsigned(second, i, sew), false, true);
    case Operation.asub:
      return average(signed(first, i, sew), signed(second, i, sew), true, true);
    case Operation.saddu:
      return addUnsigned(unsigned(first, i, sew), unsigned(second, i, sew));
    case Operation.sadd: {
      const a = signed(first, i, sew);
      const b = signed(second, i, sew);
      return clampSum(a, b, a + b);
    }
    case Operation.ssubu:
      return subtractUnsigned(unsigned(first, i, sew), unsigned(second, i, sew));
    case Operation.ssub:
      return subtractSigned(signed(first, i, sew), signed(second, i, sew));
    case Operation.smul:
      return multiplyFractions(signed(first, i, sew), signed(second, i, sew));
    case Operation.ssrl:
      return scale(unsigned(first, i, sew), shift, false);
    default:
      return scale(signed(first, i, sew), shift, true); // vssra
  }
}

export function vector_fixed_point(word: u32, scalar: u64): void {
  if (!begin(word) || !sameWidth(word)) return illegal(word);
  const what = funct6(word);
  const first = address(vs2);
  const second = secondSource(word, scalar);
  const destination = address(vd);
  for (let i = vstart; i < vl; i++) {
    if (active(i)) put(destination, i, sew, combine(what, first, second, i));
  }
  finish();
}

/** vnclipu and vnclip: twice SEW, scaled and saturated to SEW. */
export function vector_clip(word: u32, scalar: u64): void {
  if (!begin(word) || sew == widest() || !toHalf(word)) return illegal(word);
  const isSigned = (funct6(word) & 1) != 0;
  const first = address(vs2);
  const second = secondSource(word, scalar);
  const destination = address(vd);
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const shift = unsigned(second, i, sew) & (bitsOf(sew + 1) - 1);
    const value = isSigned
      ? clampSigned(scale(signed(first, i, sew + 1), shift, true), sew)
      : clampUnsigned(scale(unsigned(first, i, sew + 1), shift, false), sew);
    put(destination, i, sew, value);
  }
  finish();
}
