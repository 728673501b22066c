// Instructions on masks. "Vector Extension", "Vector Mask Instructions".
import { illegal } from '../trap';
import { disjoint, group, notMask } from './rules';
import {
  active,
  address,
  begin,
  finish,
  funct6,
  lmul,
  maskBit,
  masked,
  put,
  setMaskBit,
  sew,
  vd,
  vl,
  vs1,
  vs2,
  vstart,
} from './unit';

const enum Logic {
  andn = 0b011000,
  and = 0b011001,
  or = 0b011010,
  xor = 0b011011,
  orn = 0b011100,
  nand = 0b011101,
  nor = 0b011110,
}

function combine(what: u32, a: u64, b: u64): u64 {
  switch (what) {
    case Logic.andn:
      return a & ~b;
    case Logic.and:
      return a & b;
    case Logic.or:
      return a | b;
    case Logic.xor:
      return a ^ b;
    case Logic.orn:
      return a | ~b;
    case Logic.nand:
      return ~(a & b);
    case Logic.nor:
      return ~(a | b);
    default:
      return ~(a ^ b);
  }
}

/** Ones for the elements from `from` up to `to` of the 64 that begin with `first`. */
export function between(first: u32, from: u32, to: u32): u64 {
  const low = max<i32>(i32(from) - i32(first), 0);
  const high = min<i32>(i32(to) - i32(first), 64);
  if (low >= high) return 0;
  return (u64.MAX_VALUE >> u64(64 - (high - low))) << u64(low);
}

export function vector_mask_logical(word: u32, _scalar: u64): void {
  if (!begin(word)) return illegal(word);
  const what = funct6(word);
  for (let first: u32 = 0; first < vl; first += 64) {
    const at = first >> 3;
    const body = between(first, vstart, vl);
    const value = combine(what, load<u64>(address(vs2) + at), load<u64>(address(vs1) + at));
    const place = address(vd) + at;
    store<u64>(place, (load<u64>(place) & ~body) | (value & body));
  }
  finish();
}

/** The active bits of vs2 among the 64 elements that begin with `first`. */
function activeBits(first: u32): u64 {
  const at = first >> 3;
  const bits = load<u64>(address(vs2) + at) & between(first, 0, vl);
  return masked ? bits & load<u64>(address(0) + at) : bits;
}

/** vcpop.m. */
export function vector_population(word: u32): u64 {
  if (!begin(word) || vstart != 0) {
    illegal(word);
    return 0;
  }
  finish();
  return popcnt(activeBits(0)) + popcnt(activeBits(64));
}

/** The lowest active bit of vs2, or -1. */
function lowest(): i64 {
  const low = activeBits(0);
  if (low != 0) return ctz(low);
  const high = activeBits(64);
  return high == 0 ? -1 : 64 + ctz(high);
}

/** vfirst.m. */
export function vector_first(word: u32): u64 {
  if (!begin(word) || vstart != 0) {
    illegal(word);
    return 0;
  }
  finish();
  return lowest();
}

const enum First {
  before = 0b00001,
  only = 0b00010,
  including = 0b00011,
}

/** vmsbf, vmsof and vmsif: bits before, at, and up to the first that is set. */
export function vector_mask_first(word: u32): void {
  if (!begin(word) || vstart != 0 || vd == vs2 || !notMask(vd)) return illegal(word);
  const first = u64(lowest()); // -1 is beyond every element
  for (let i: u32 = 0; i < vl; i++) {
    if (!active(i)) continue;
    setMaskBit(vd, i, vs1 == First.only ? i == first : i < first || (vs1 == First.including && i == first));
  }
  finish();
}

/** viota.m: how many bits were set before each element. */
export function vector_iota(word: u32): void {
  if (!begin(word) || vstart != 0 || !group(vd, lmul) || !disjoint(vd, lmul, vs2, 0)) return illegal(word);
  let sum: u64 = 0;
  for (let i: u32 = 0; i < vl; i++) {
    if (!active(i)) continue;
    put(address(vd), i, sew, sum);
    if (maskBit(vs2, i)) sum++;
  }
  finish();
}

/** vid.v. */
export function vector_identity(word: u32): void {
  if (!begin(word) || !group(vd, lmul)) return illegal(word);
  for (let i = vstart; i < vl; i++) {
    if (active(i)) put(address(vd), i, sew, i);
  }
  finish();
}
