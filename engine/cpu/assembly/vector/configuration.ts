// vsetvli, vsetivli and vsetvl. "Vector Extension", "Configuration-Setting Instructions".
import * as at from '../../layout';
import { cell, setCell } from '../state';
import { illegal } from '../trap';
import { elements, finish, lmulOf, sewOf, vectorsOn, widest } from './unit';

const VILL: u64 = u64(1) << 63;
/** vma, vta, vsew and vlmul: everything else is reserved. */
const DEFINED: u64 = 0xff;

/** Elements in a group of this type; zero where it is not supported: reserved fields, or LMUL below SEW / ELEN. */
function maximumOf(vtype: u64): u32 {
  const sew = sewOf(vtype);
  const lmul = lmulOf(vtype);
  if ((vtype & ~DEFINED) != 0 || sew > widest() || lmul == -4 || i32(sew) > i32(widest()) + min(lmul, 0))
    return 0;
  return elements(sew, lmul);
}

/** Sets vtype, and vl to as much of `avl` as fits. Returns the new vl. */
export function vector_configure(word: u32, avl: u64, vtype: u64): u64 {
  if (!vectorsOn()) {
    illegal(word);
    return 0;
  }
  const fromRegister = word >> 30 != 3;
  let wanted = avl;
  if (fromRegister && ((word >> 15) & 31) == 0) {
    wanted = ((word >> 7) & 31) == 0 ? cell(at.VL) : u64.MAX_VALUE;
  }
  const maximum: u64 = maximumOf(vtype);
  const vl = min(wanted, maximum);
  setCell(at.VTYPE, maximum == 0 ? VILL : vtype);
  setCell(at.VL, vl);
  finish();
  return vl;
}
