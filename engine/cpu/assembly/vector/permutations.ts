// Moving elements about. "Vector Extension", "Vector Permutation Instructions".
import { illegal } from '../trap';
import { aligned, disjoint, group } from './rules';
import {
  active,
  address,
  begin,
  finish,
  funct6,
  isVectorVector,
  lmul,
  maskBit,
  maximum,
  put,
  sew,
  signed,
  unsigned,
  vd,
  vl,
  vs1,
  vs2,
  vstart,
} from './unit';

/** vmv.x.s: the first element, whatever vl is. */
export function vector_move_out(word: u32): u64 {
  if (!begin(word)) {
    illegal(word);
    return 0;
  }
  finish();
  return signed(address(vs2), 0, sew);
}

/** The first element of vd, where there is one to be written. */
export function moveIn(scalar: u64): void {
  if (vstart < vl) put(address(vd), 0, sew, scalar);
  finish();
}

export function vector_move_in(word: u32, scalar: u64): void {
  if (!begin(word)) return illegal(word);
  moveIn(scalar);
}

const DOWN: u32 = 1;

/** Up may not overlap, or elements would be overwritten before they are read. */
function slidable(down: bool): bool {
  return group(vd, lmul) && group(vs2, lmul) && (down || vd != vs2);
}

/** Element `i + distance`; beyond VLMAX there are zeros. */
function above(i: u32, distance: u64): u64 {
  const room = u64(maximum());
  return distance < room && i + distance < room ? unsigned(address(vs2), i + u32(distance), sew) : 0;
}

export function vector_slide(word: u32, distance: u64): void {
  const down = (funct6(word) & DOWN) != 0;
  if (!begin(word) || !slidable(down)) return illegal(word);
  const first = down ? vstart : u32(min(max(u64(vstart), distance), u64(vl)));
  for (let i = first; i < vl; i++) {
    if (!active(i)) continue;
    put(address(vd), i, sew, down ? above(i, distance) : unsigned(address(vs2), i - u32(distance), sew));
  }
  finish();
}

/** By one element, with a scalar in the place that becomes free. The caller has taken the instruction up. */
export function slideOne(word: u32, scalar: u64): void {
  const down = (funct6(word) & DOWN) != 0;
  if (!slidable(down)) return illegal(word);
  const place = down ? vl - 1 : 0;
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    put(address(vd), i, sew, i == place ? scalar : unsigned(address(vs2), down ? i + 1 : i - 1, sew));
  }
  finish();
}

export function vector_slide_one(word: u32, scalar: u64): void {
  if (!begin(word)) return illegal(word);
  slideOne(word, scalar);
}

/** Takes the elements of vs2 that `indices` names. */
function gatherBy(indices: u32, width: u32): void {
  const room = u64(maximum());
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const index = unsigned(indices, i, width);
    put(address(vd), i, sew, index < room ? unsigned(address(vs2), u32(index), sew) : 0);
  }
  finish();
}

/** vrgather; a scalar index takes one element for all. */
export function vector_gather(word: u32, index: u64): void {
  if (!begin(word) || !group(vd, lmul) || !group(vs2, lmul) || vd == vs2) return illegal(word);
  if (isVectorVector(word)) {
    if (!group(vs1, lmul) || vd == vs1) return illegal(word);
    return gatherBy(address(vs1), sew);
  }
  const value = above(0, index);
  for (let i = vstart; i < vl; i++) {
    if (active(i)) put(address(vd), i, sew, value);
  }
  finish();
}

/** vrgatherei16: indices of 16 bits, whatever SEW is. */
export function vector_gather_16(word: u32, _scalar: u64): void {
  if (!begin(word) || !group(vd, lmul) || !group(vs2, lmul) || vd == vs2) return illegal(word);
  const emul = lmul + 1 - i32(sew);
  if (!group(vs1, emul) || !disjoint(vd, lmul, vs1, emul)) return illegal(word);
  if (sew != 1 && !disjoint(vs2, lmul, vs1, emul)) return illegal(word);
  gatherBy(address(vs1), 1);
}

/** vcompress.vm: the elements that the mask vs1 names, one behind the other. */
export function vector_compress(word: u32): void {
  if (!begin(word) || vstart != 0 || !group(vd, lmul) || !group(vs2, lmul)) return illegal(word);
  if (vd == vs2 || !disjoint(vd, lmul, vs1, 0) || !disjoint(vs2, lmul, vs1, 0)) return illegal(word);
  let place: u32 = 0;
  for (let i: u32 = 0; i < vl; i++) {
    if (maskBit(vs1, i)) put(address(vd), place++, sew, unsigned(address(vs2), i, sew));
  }
  finish();
}

/** vmv1r.v to vmv8r.v: the vs1 field says how many registers, less one. */
export function vector_move_whole(word: u32): void {
  if (!begin(word)) return illegal(word);
  const registers = vs1 + 1;
  const emul = 31 - clz(registers);
  if (!aligned(vd, emul) || !aligned(vs2, emul)) return illegal(word);
  const done = vstart << sew;
  const bytes = registers << 4;
  if (done < bytes) memory.copy(address(vd) + done, address(vs2) + done, bytes - done);
  finish();
}
