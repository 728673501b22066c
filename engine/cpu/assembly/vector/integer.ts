// Integer arithmetic. "Vector Extension", "Vector Integer Arithmetic Instructions".
import { mulh, mulhsu, mulhu } from '../multiply';
import { illegal } from '../trap';
import { arithmeticInLanes, compareInLanes } from './lanes';
import { Comparison, Operation } from './operations';
import {
  accumulatesDouble,
  aligned,
  group,
  notMask,
  sameWidth,
  toDouble,
  toHalf,
  toMask,
  widens,
} from './rules';
import {
  active,
  address,
  begin,
  bitsOf,
  finish,
  funct6,
  isVectorVector,
  lmul,
  maskBit,
  maskOf,
  masked,
  put,
  secondSource,
  setMaskBit,
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

/** Operations of OPI by funct6, and those of OPM with this bit above it. */
const OPM: u32 = 64;

function operation(word: u32): u32 {
  return funct6(word) | (((word >> 12) & 3) == 2 ? OPM : 0);
}

/** An element as a signed number. */
function signedOf<T>(x: T): i64 {
  if (sizeof<T>() == 1) return i64(i8(x));
  if (sizeof<T>() == 2) return i64(i16(x));
  if (sizeof<T>() == 4) return i64(i32(x));
  return i64(x);
}

function width<T>(): u64 {
  return 8 * sizeof<T>();
}

/** Division by zero gives all ones, overflow the dividend: "Vector Integer Divide Instructions". */
function divideSigned<T>(a: T, b: T): T {
  const divisor = signedOf<T>(b);
  if (divisor == 0) return <T>u64.MAX_VALUE;
  if (divisor == -1) return <T>(0 - signedOf<T>(a));
  return <T>(signedOf<T>(a) / divisor);
}
function remainderSigned<T>(a: T, b: T): T {
  const divisor = signedOf<T>(b);
  if (divisor == 0) return a;
  if (divisor == -1) return <T>0;
  return <T>(signedOf<T>(a) % divisor);
}

function highUnsigned<T>(a: T, b: T): T {
  return sizeof<T>() == 8 ? <T>mulhu(u64(a), u64(b)) : <T>((u64(a) * u64(b)) >> width<T>());
}
function highSigned<T>(a: T, b: T): T {
  if (sizeof<T>() == 8) return <T>mulh(u64(a), u64(b));
  return <T>((signedOf<T>(a) * signedOf<T>(b)) >> i64(width<T>()));
}
function highMixed<T>(a: T, b: T): T {
  if (sizeof<T>() == 8) return <T>mulhsu(u64(a), u64(b));
  return <T>((signedOf<T>(a) * i64(u64(b))) >> i64(width<T>()));
}

/** One element: `a` of vs2, `b` of vs1 or the scalar, `d` what the destination held. */
function combine<T>(what: u32, a: T, b: T, d: T): T {
  switch (what) {
    case Operation.add:
      return <T>(a + b);
    case Operation.sub:
      return <T>(a - b);
    case Operation.rsub:
      return <T>(b - a);
    case Operation.minu:
      return a < b ? a : b;
    case Operation.min:
      return signedOf<T>(a) < signedOf<T>(b) ? a : b;
    case Operation.maxu:
      return a > b ? a : b;
    case Operation.max:
      return signedOf<T>(a) > signedOf<T>(b) ? a : b;
    case Operation.and:
      return <T>(a & b);
    case Operation.or:
      return <T>(a | b);
    case Operation.xor:
      return <T>(a ^ b);
    case Operation.sll:
      return <T>(u64(a) << (u64(b) & (width<T>() - 1)));
    case Operation.srl:
      return <T>(u64(a) >> (u64(b) & (width<T>() - 1)));
    case Operation.sra:
      return <T>(signedOf<T>(a) >> i64(u64(b) & (width<T>() - 1)));
    case Operation.divu:
      return b == 0 ? <T>u64.MAX_VALUE : <T>(a / b);
    case Operation.div:
      return divideSigned<T>(a, b);
    case Operation.remu:
      return b == 0 ? a : <T>(a % b);
    case Operation.rem:
      return remainderSigned<T>(a, b);
    case Operation.mulhu:
      return highUnsigned<T>(a, b);
    case Operation.mul:
      return <T>(a * b);
    case Operation.mulhsu:
      return highMixed<T>(a, b);
    case Operation.mulh:
      return highSigned<T>(a, b);
    case Operation.madd:
      return <T>(b * d + a);
    case Operation.nmsub:
      return <T>(a - b * d);
    case Operation.macc:
      return <T>(b * a + d);
    default:
      return <T>(d - b * a); // vnmsac
  }
}

function each<T>(what: u32, second: u32): void {
  const first = address(vs2);
  const destination = address(vd);
  const end = vl;
  const all = !masked;
  for (let i = vstart; i < end; i++) {
    if (!all && !maskBit(0, i)) continue;
    const at = i * sizeof<T>();
    const d = load<T>(destination + at);
    store<T>(destination + at, combine<T>(what, load<T>(first + at), load<T>(second + at), d));
  }
}

/** Single-width arithmetic. */
export function vector_integer(word: u32, scalar: u64): void {
  if (!begin(word) || !sameWidth(word)) return illegal(word);
  const what = operation(word);
  const second = secondSource(word, scalar);
  if (arithmeticInLanes(what, word, second)) return finish();
  switch (sew) {
    case 0:
      each<u8>(what, second);
      break;
    case 1:
      each<u16>(what, second);
      break;
    case 2:
      each<u32>(what, second);
      break;
    default:
      each<u64>(what, second);
  }
  finish();
}

function holds(what: u32, first: u32, second: u32, i: u32): bool {
  switch (what) {
    case Comparison.eq:
      return unsigned(first, i, sew) == unsigned(second, i, sew);
    case Comparison.ne:
      return unsigned(first, i, sew) != unsigned(second, i, sew);
    case Comparison.ltu:
      return unsigned(first, i, sew) < unsigned(second, i, sew);
    case Comparison.lt:
      return signed(first, i, sew) < signed(second, i, sew);
    case Comparison.leu:
      return unsigned(first, i, sew) <= unsigned(second, i, sew);
    case Comparison.le:
      return signed(first, i, sew) <= signed(second, i, sew);
    case Comparison.gtu:
      return unsigned(first, i, sew) > unsigned(second, i, sew);
    default:
      return signed(first, i, sew) > signed(second, i, sew);
  }
}

/** Comparisons write a mask. A bit is written after the elements that share its byte were read. */
export function vector_compare(word: u32, scalar: u64): void {
  if (!begin(word) || !toMask(word)) return illegal(word);
  const what = funct6(word);
  const first = address(vs2);
  const second = secondSource(word, scalar);
  if (compareInLanes(what, second)) return finish();
  for (let i = vstart; i < vl; i++) {
    if (active(i)) setMaskBit(vd, i, holds(what, first, second, i));
  }
  finish();
}

const enum Carry {
  adc = 0b010000,
  madc = 0b010001,
  sbc = 0b010010,
  msbc = 0b010011,
}

/** Add with carry and subtract with borrow, from v0 where vm is 0; all elements are worked on. */
export function vector_carry(word: u32, scalar: u64): void {
  if (!begin(word)) return illegal(word);
  const what = funct6(word);
  const intoMask = what == Carry.madc || what == Carry.msbc;
  if (!(intoMask ? toMask(word) : sameWidth(word))) return illegal(word);
  const first = address(vs2);
  const second = secondSource(word, scalar);
  const destination = address(vd);
  const mask = maskOf(sew);
  for (let i = vstart; i < vl; i++) {
    const a = unsigned(first, i, sew);
    const b = unsigned(second, i, sew);
    const carry: u64 = masked && maskBit(0, i) ? 1 : 0;
    switch (what) {
      case Carry.adc:
        put(destination, i, sew, a + b + carry);
        break;
      case Carry.madc: {
        const sum = (a + b + carry) & mask;
        setMaskBit(vd, i, sum < a || (carry != 0 && sum == a));
        break;
      }
      case Carry.sbc:
        put(destination, i, sew, a - b - carry);
        break;
      default:
        setMaskBit(vd, i, a < b || (carry != 0 && a == b));
    }
  }
  finish();
}

/** vmerge; with vm = 1, vmv.v.*. */
export function vector_merge(word: u32, scalar: u64): void {
  if (!begin(word) || !group(vd, lmul) || (masked && !group(vs2, lmul))) return illegal(word);
  if (isVectorVector(word) && !group(vs1, lmul)) return illegal(word);
  const first = address(vs2);
  const second = secondSource(word, scalar);
  const destination = address(vd);
  for (let i = vstart; i < vl; i++) {
    put(destination, i, sew, unsigned(active(i) ? second : first, i, sew));
  }
  finish();
}

const enum Widening {
  /** Of .wv and .wx forms: vs2 is wide already. */
  wide = 0b000100,
  addu = 0b110000,
  add = 0b110001,
  subu = 0b110010,
  sub = 0b110011,
  mulu = 0b111000,
  mulsu = 0b111010,
  mul = 0b111011,
  maccu = 0b111100,
  macc = 0b111101,
  maccus = 0b111110,
  maccsu = 0b111111,
}

/** Twice SEW is at most 64 bits: what wraps there is beyond the result. */
function widened(what: u32, first: u32, second: u32, i: u32, width: u32): u64 {
  switch (what) {
    case Widening.addu:
      return unsigned(first, i, width) + unsigned(second, i, sew);
    case Widening.add:
      return signed(first, i, width) + signed(second, i, sew);
    case Widening.subu:
      return unsigned(first, i, width) - unsigned(second, i, sew);
    case Widening.sub:
      return signed(first, i, width) - signed(second, i, sew);
    case Widening.mulu:
    case Widening.maccu:
      return unsigned(first, i, sew) * unsigned(second, i, sew);
    case Widening.mul:
    case Widening.macc:
      return signed(first, i, sew) * signed(second, i, sew);
    case Widening.mulsu:
    case Widening.maccus:
      return u64(signed(first, i, sew)) * unsigned(second, i, sew);
    default:
      return unsigned(first, i, sew) * u64(signed(second, i, sew)); // vwmaccsu
  }
}

export function vector_widening(word: u32, scalar: u64): void {
  const code = funct6(word);
  const product = code >= u32(Widening.mulu);
  const wide = !product && (code & Widening.wide) != 0;
  const accumulates = code >= u32(Widening.maccu);
  if (!begin(word) || sew == widest()) return illegal(word);
  if (!(accumulates ? accumulatesDouble(word) : toDouble(word, wide))) return illegal(word);
  const what = wide ? code & ~Widening.wide : code;
  const first = address(vs2);
  const second = secondSource(word, scalar);
  const destination = address(vd);
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const value = widened(what, first, second, i, wide ? sew + 1 : sew);
    put(destination, i, sew + 1, accumulates ? value + unsigned(destination, i, sew + 1) : value);
  }
  finish();
}

/** vnsrl and vnsra. */
export function vector_narrowing(word: u32, scalar: u64): void {
  if (!begin(word) || sew == widest() || !toHalf(word)) return illegal(word);
  const arithmetic = (funct6(word) & 1) != 0;
  const first = address(vs2);
  const second = secondSource(word, scalar);
  const destination = address(vd);
  const most = bitsOf(sew + 1) - 1;
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const shift = unsigned(second, i, sew) & most;
    const value = arithmetic
      ? u64(signed(first, i, sew + 1) >> i64(shift))
      : unsigned(first, i, sew + 1) >> shift;
    put(destination, i, sew, value);
  }
  finish();
}

/** vzext and vsext: the vs1 field says from which fraction of SEW, and with bit 0 that the sign counts. */
export function vector_extend(word: u32): void {
  if (!begin(word)) return illegal(word);
  const shift: u32 = 4 - (vs1 >> 1); // 1: an eighth; 2: a quarter; 3: a half
  if (sew < shift || !group(vd, lmul)) return illegal(word);
  const emul = lmul - i32(shift);
  if (!aligned(vs2, emul) || !notMask(vs2) || !widens(vd, lmul, vs2, emul)) return illegal(word);
  const first = address(vs2);
  const destination = address(vd);
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const value = (vs1 & 1) != 0 ? u64(signed(first, i, sew - shift)) : unsigned(first, i, sew - shift);
    put(destination, i, sew, value);
  }
  finish();
}
