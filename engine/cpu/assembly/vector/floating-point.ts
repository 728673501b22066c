// Floating-point arithmetic. "Vector Extension", "Vector Floating-Point Instructions".
import { illegal } from '../trap';
import { estimateReciprocal, estimateReciprocalRoot } from './estimates';
import {
  add,
  beginFloat,
  box,
  classify,
  divide,
  equal,
  finishFloat,
  fuse,
  isFloat,
  less,
  lessOrEqual,
  maximumNumber,
  minimumNumber,
  multiply,
  signBit,
  squareRoot,
  subtract,
  unbox,
  widen,
} from './float-unit';
import { moveIn, slideOne } from './permutations';
import { reducible } from './reductions';
import { accumulatesDouble, group, sameWidth, toDouble, toMask } from './rules';
import {
  active,
  address,
  finish,
  funct6,
  lmul,
  masked,
  put,
  secondSource,
  setMaskBit,
  sew,
  unsigned,
  vd,
  vl,
  vs1,
  vs2,
  vstart,
} from './unit';

const enum Operation {
  add = 0b000000,
  sub = 0b000010,
  min = 0b000100,
  max = 0b000110,
  sgnj = 0b001000,
  sgnjn = 0b001001,
  sgnjx = 0b001010,
  div = 0b100000,
  rdiv = 0b100001,
  mul = 0b100100,
}

function combine(what: u32, a: u64, b: u64): u64 {
  const sign = signBit(sew);
  switch (what) {
    case Operation.add:
      return add(a, b, sew);
    case Operation.sub:
      return subtract(a, b, sew);
    case Operation.min:
      return minimumNumber(a, b, sew);
    case Operation.max:
      return maximumNumber(a, b, sew);
    case Operation.sgnj:
      return (a & ~sign) | (b & sign);
    case Operation.sgnjn:
      return (a & ~sign) | (~b & sign);
    case Operation.sgnjx:
      return a ^ (b & sign);
    case Operation.div:
      return divide(a, b, sew);
    case Operation.rdiv:
      return divide(b, a, sew);
    case Operation.mul:
      return multiply(a, b, sew);
    default:
      return subtract(b, a, sew); // vfrsub
  }
}

export function vector_float(word: u32, scalar: u64): void {
  if (!beginFloat(word) || !isFloat(sew) || !sameWidth(word)) return illegal(word);
  const what = funct6(word);
  const second = secondSource(word, unbox(scalar, sew));
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    put(address(vd), i, sew, combine(what, unsigned(address(vs2), i, sew), unsigned(second, i, sew)));
  }
  finishFloat();
}

/** The multiply-add forms differ in the signs of the product (bit 0) and the addend (bit 0 or bit 1, not both). */
function productSign(code: u32, width: u32): u64 {
  return (code & 1) != 0 ? signBit(width) : 0;
}
function addendSign(code: u32, width: u32): u64 {
  return ((code ^ (code >> 1)) & 1) != 0 ? signBit(width) : 0;
}
/** Whether the destination is the addend (vfmacc and its kin), or a factor (vfmadd). */
const ACCUMULATES: u32 = 0b000100;

export function vector_float_fused(word: u32, scalar: u64): void {
  if (!beginFloat(word) || !isFloat(sew) || !sameWidth(word)) return illegal(word);
  const code = funct6(word);
  const second = secondSource(word, unbox(scalar, sew));
  const negatesProduct = productSign(code, sew);
  const negatesAddend = addendSign(code, sew);
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const b = unsigned(second, i, sew) ^ negatesProduct;
    const a = unsigned(address(vs2), i, sew);
    const d = unsigned(address(vd), i, sew);
    const value =
      (code & ACCUMULATES) != 0 ? fuse(b, a, d ^ negatesAddend, sew) : fuse(b, d, a ^ negatesAddend, sew);
    put(address(vd), i, sew, value);
  }
  finishFloat();
}

const enum Widening {
  add = 0b110000,
  sub = 0b110010,
  addWide = 0b110100,
  subWide = 0b110110,
  mul = 0b111000,
}

function widening(code: u32, a: u64, b: u64, d: u64): u64 {
  const width = sew + 1;
  switch (code) {
    case Widening.add:
    case Widening.addWide:
      return add(a, b, width);
    case Widening.sub:
    case Widening.subWide:
      return subtract(a, b, width);
    case Widening.mul:
      return multiply(a, b, width);
    default:
      return fuse(b ^ productSign(code, width), a, d ^ addendSign(code, width), width);
  }
}

export function vector_float_widening(word: u32, scalar: u64): void {
  const code = funct6(word);
  const wide = code == Widening.addWide || code == Widening.subWide;
  if (!beginFloat(word) || !isFloat(sew) || !isFloat(sew + 1)) return illegal(word);
  const accumulates = code > u32(Widening.mul);
  if (!(accumulates ? accumulatesDouble(word) : toDouble(word, wide))) return illegal(word);
  const second = secondSource(word, unbox(scalar, sew));
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const a = wide ? unsigned(address(vs2), i, sew + 1) : widen(unsigned(address(vs2), i, sew), sew);
    const b = widen(unsigned(second, i, sew), sew);
    put(address(vd), i, sew + 1, widening(code, a, b, unsigned(address(vd), i, sew + 1)));
  }
  finishFloat();
}

const enum Comparison {
  eq = 0b011000,
  le = 0b011001,
  lt = 0b011011,
  ne = 0b011100,
  gt = 0b011101,
}

function holds(what: u32, a: u64, b: u64): bool {
  switch (what) {
    case Comparison.eq:
      return equal(a, b, sew);
    case Comparison.le:
      return lessOrEqual(a, b, sew);
    case Comparison.lt:
      return less(a, b, sew);
    case Comparison.ne:
      return !equal(a, b, sew);
    case Comparison.gt:
      return less(b, a, sew);
    default:
      return lessOrEqual(b, a, sew);
  }
}

export function vector_float_compare(word: u32, scalar: u64): void {
  if (!beginFloat(word) || !isFloat(sew) || !toMask(word)) return illegal(word);
  const what = funct6(word);
  const second = secondSource(word, unbox(scalar, sew));
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    setMaskBit(vd, i, holds(what, unsigned(address(vs2), i, sew), unsigned(second, i, sew)));
  }
  finishFloat();
}

/** vfmerge; with vm = 1, vfmv.v.f. */
export function vector_float_merge(word: u32, scalar: u64): void {
  if (!beginFloat(word) || !isFloat(sew) || !group(vd, lmul)) return illegal(word);
  if (masked && !group(vs2, lmul)) return illegal(word);
  const value = unbox(scalar, sew);
  for (let i = vstart; i < vl; i++) {
    put(address(vd), i, sew, active(i) ? value : unsigned(address(vs2), i, sew));
  }
  finish();
}

/** By the vs1 field. */
const enum Unary {
  sqrt = 0b00000,
  rsqrt7 = 0b00100,
  rec7 = 0b00101,
}

function unaryOf(what: u32, a: u64): u64 {
  switch (what) {
    case Unary.sqrt:
      return squareRoot(a, sew);
    case Unary.rsqrt7:
      return estimateReciprocalRoot(a, sew);
    case Unary.rec7:
      return estimateReciprocal(a, sew);
    default:
      return classify(a, sew);
  }
}

export function vector_float_unary(word: u32): void {
  if (!beginFloat(word) || !isFloat(sew) || !group(vd, lmul) || !group(vs2, lmul)) return illegal(word);
  const what = vs1;
  for (let i = vstart; i < vl; i++) {
    if (active(i)) put(address(vd), i, sew, unaryOf(what, unsigned(address(vs2), i, sew)));
  }
  finishFloat();
}

const enum Reduction {
  unorderedSum = 0b000001,
  orderedSum = 0b000011,
  min = 0b000101,
  max = 0b000111,
  widening = 0b110001,
}

/** Sums are formed in order, the unordered ones too. */
export function vector_float_reduce(word: u32, _scalar: u64): void {
  const what = funct6(word);
  const doubled = what >= u32(Reduction.widening);
  if (!beginFloat(word) || !isFloat(sew) || !reducible(doubled)) return illegal(word);
  const width = doubled ? sew + 1 : sew;
  if (!isFloat(width)) return illegal(word);
  let result = unsigned(address(vs1), 0, width);
  for (let i: u32 = 0; i < vl; i++) {
    if (!active(i)) continue;
    const element = unsigned(address(vs2), i, sew);
    if (what == Reduction.min) result = minimumNumber(result, element, sew);
    else if (what == Reduction.max) result = maximumNumber(result, element, sew);
    else result = add(result, doubled ? widen(element, sew) : element, width);
  }
  if (vl > 0) put(address(vd), 0, width, result);
  finishFloat();
}

/** vfmv.f.s. */
export function vector_float_move_out(word: u32): u64 {
  if (!beginFloat(word) || !isFloat(sew)) {
    illegal(word);
    return 0;
  }
  const value = box(unsigned(address(vs2), 0, sew), sew);
  finishFloat();
  return value;
}

/** vfmv.s.f. */
export function vector_float_move_in(word: u32, scalar: u64): void {
  if (!beginFloat(word) || !isFloat(sew)) return illegal(word);
  moveIn(unbox(scalar, sew));
}

/** vfslide1up and vfslide1down. */
export function vector_float_slide_one(word: u32, scalar: u64): void {
  if (!beginFloat(word) || !isFloat(sew)) return illegal(word);
  slideOne(word, unbox(scalar, sew));
}
