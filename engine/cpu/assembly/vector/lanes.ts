// Whole registers at a time: one has the width of a WebAssembly vector. For what is common: integers, from element 0.
import { between } from './masks';
import { Comparison, Operation } from './operations';
import { address, isVectorVector, masked, sew, vd, vl, vs2, vstart } from './unit';

const BYTES: v128 = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

/** The sign bit of each lane: with it flipped, unsigned numbers compare as signed ones do. */
function signs<T>(): v128 {
  const top: i64 = i64.MIN_VALUE >> i64(64 - 8 * sizeof<T>());
  return v128.splat<T>(top as T);
}
function greaterUnsigned<T>(a: v128, b: v128): v128 {
  return v128.gt<T>(v128.xor(a, signs<T>()), v128.xor(b, signs<T>()));
}

/** Whether `lanesOf` knows the operation; shifts only by a scalar. */
function known(what: u32, word: u32): bool {
  if (what <= u32(Operation.xor)) return true;
  if (what == Operation.mul) return sew != 0;
  return (what == Operation.sll || what == Operation.srl || what == Operation.sra) && !isVectorVector(word);
}

/** T is the signed type of a lane, U the unsigned one. */
function lanesOf<T, U>(what: u32, a: v128, b: v128): v128 {
  switch (what) {
    case Operation.add:
      return v128.add<T>(a, b);
    case Operation.sub:
      return v128.sub<T>(a, b);
    case Operation.rsub:
      return v128.sub<T>(b, a);
    case Operation.minu:
      return v128.bitselect(b, a, greaterUnsigned<T>(a, b));
    case Operation.min:
      return v128.bitselect(b, a, v128.gt<T>(a, b));
    case Operation.maxu:
      return v128.bitselect(a, b, greaterUnsigned<T>(a, b));
    case Operation.max:
      return v128.bitselect(a, b, v128.gt<T>(a, b));
    case Operation.and:
      return v128.and(a, b);
    case Operation.or:
      return v128.or(a, b);
    case Operation.xor:
      return v128.xor(a, b);
    case Operation.sll:
      return v128.shl<T>(a, i32(v128.extract_lane<T>(b, 0)));
    case Operation.srl:
      return v128.shr<U>(a, i32(v128.extract_lane<T>(b, 0)));
    case Operation.sra:
      return v128.shr<T>(a, i32(v128.extract_lane<T>(b, 0)));
    default:
      if (sizeof<T>() > 1) return v128.mul<T>(a, b);
      return a; // not known
  }
}

/** Elements behind vl keep what they have. */
function each<T, U>(what: u32, second: u32): void {
  const bytes = vl << sew;
  const first = address(vs2);
  const destination = address(vd);
  for (let at: u32 = 0; at < bytes; at += 16) {
    const value = lanesOf<T, U>(what, v128.load(first + at), v128.load(second + at));
    const left = bytes - at;
    const old = v128.load(destination + at);
    v128.store(
      destination + at,
      left < 16 ? v128.bitselect(value, old, i8x16.lt_u(BYTES, i8x16.splat(i8(left)))) : value,
    );
  }
}

/** Does the whole of an operation, where it can. */
export function arithmeticInLanes(what: u32, word: u32, second: u32): bool {
  if (masked || vstart != 0 || !known(what, word)) return false;
  if (sew == 0) each<i8, u8>(what, second);
  else if (sew == 1) each<i16, u16>(what, second);
  else if (sew == 2) each<i32, u32>(what, second);
  else each<i64, u64>(what, second);
  return true;
}

function holds<T>(what: u32, a: v128, b: v128): v128 {
  switch (what) {
    case Comparison.eq:
      return v128.eq<T>(a, b);
    case Comparison.ne:
      return v128.not(v128.eq<T>(a, b));
    case Comparison.ltu:
      return greaterUnsigned<T>(b, a);
    case Comparison.lt:
      return v128.gt<T>(b, a);
    case Comparison.leu:
      return v128.not(greaterUnsigned<T>(a, b));
    case Comparison.le:
      return v128.not(v128.gt<T>(a, b));
    case Comparison.gtu:
      return greaterUnsigned<T>(a, b);
    default:
      return v128.gt<T>(a, b);
  }
}

/** Puts the bits of 64 elements into the mask vd, where they are active. */
function putMask(first: u32, bits: u64): void {
  const at = first >> 3;
  let body = between(first, 0, vl);
  if (masked) body &= load<u64>(address(0) + at);
  const place = address(vd) + at;
  store<u64>(place, (load<u64>(place) & ~body) | (bits & body));
}

/** All elements are read before the first bit is written: the mask may lie in a source. */
function compareAll<T>(what: u32, second: u32): void {
  const bytes = vl << sew;
  const first = address(vs2);
  let low: u64 = 0;
  let high: u64 = 0;
  for (let at: u32 = 0; at < bytes; at += 16) {
    const bits: u64 = v128.bitmask<T>(holds<T>(what, v128.load(first + at), v128.load(second + at)));
    const element = u64(at >> sew);
    if (element < 64) low |= bits << element;
    else high |= bits << (element - 64);
  }
  putMask(0, low);
  putMask(64, high);
}

/** Does the whole of a comparison, where it can. */
export function compareInLanes(what: u32, second: u32): bool {
  if (vstart != 0) return false;
  if (sew == 0) compareAll<i8>(what, second);
  else if (sew == 1) compareAll<i16>(what, second);
  else if (sew == 2) compareAll<i32>(what, second);
  else compareAll<i64>(what, second);
  return true;
}
