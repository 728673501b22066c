// Integer reductions. "Vector Extension", "Vector Reduction Operations".
import { illegal } from '../trap';
import { disjoint, group, notMask } from './rules';
import {
  active,
  address,
  begin,
  finish,
  funct6,
  lmul,
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

const enum Reduction {
  sum = 0b000000,
  and = 0b000001,
  or = 0b000010,
  xor = 0b000011,
  minu = 0b000100,
  min = 0b000101,
  maxu = 0b000110,
  max = 0b000111,
  widenUnsigned = 0b110000,
  widenSigned = 0b110001,
}

/** `so` is extended as the comparison wants it. */
function reduce(what: u32, so: u64, base: u32, i: u32): u64 {
  switch (what) {
    case Reduction.sum:
    case Reduction.widenUnsigned:
      return so + unsigned(base, i, sew);
    case Reduction.widenSigned:
      return so + signed(base, i, sew);
    case Reduction.and:
      return so & unsigned(base, i, sew);
    case Reduction.or:
      return so | unsigned(base, i, sew);
    case Reduction.xor:
      return so ^ unsigned(base, i, sew);
    case Reduction.minu:
      return min(so, unsigned(base, i, sew));
    case Reduction.maxu:
      return max(so, unsigned(base, i, sew));
    case Reduction.min:
      return min<i64>(so, signed(base, i, sew));
    default:
      return max<i64>(so, signed(base, i, sew));
  }
}

/** Where a reduction may be: it cannot be resumed, and its scalars are single registers. `doubled`: of twice SEW. */
export function reducible(doubled: bool): bool {
  if (vstart != 0 || !group(vs2, lmul) || !notMask(vs1)) return false;
  return !doubled || (sew < widest() && disjoint(vs1, 0, vs2, lmul));
}

export function vector_reduce(word: u32, _scalar: u64): void {
  const what = funct6(word);
  const doubled = what >= u32(Reduction.widenUnsigned);
  if (!begin(word) || !reducible(doubled)) return illegal(word);
  const width = doubled ? sew + 1 : sew;
  const isSigned = what == Reduction.min || what == Reduction.max;
  const base = address(vs2);
  let result = isSigned ? u64(signed(address(vs1), 0, width)) : unsigned(address(vs1), 0, width);
  for (let i: u32 = 0; i < vl; i++) {
    if (active(i)) result = reduce(what, result, base, i);
  }
  if (vl > 0) put(address(vd), 0, width, result);
  finish();
}
