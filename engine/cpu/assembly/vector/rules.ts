// Which registers an instruction may name. "Vector Extension", "Vector Operands" and "Vector Masking".
import { isVectorVector, lmul, masked, vd, vs1, vs2 } from './unit';

/** Registers of a group; a fraction takes a whole one. */
function registers(emul: i32): u32 {
  return emul <= 0 ? 1 : 1 << emul;
}

/** EMUL is from 1/8 to 8, and a group begins at a multiple of its size. */
export function aligned(register: u32, emul: i32): bool {
  return emul >= -3 && emul <= 3 && (register & (registers(emul) - 1)) == 0;
}

/** Under a mask, v0 is read as one: nothing else may be read from or written to it. */
export function notMask(register: u32): bool {
  return !masked || register != 0;
}

/** A group of elements, read or written. */
export function group(register: u32, emul: i32): bool {
  return aligned(register, emul) && notMask(register);
}

export function disjoint(a: u32, emulA: i32, b: u32, emulB: i32): bool {
  return a + registers(emulA) <= b || b + registers(emulB) <= a;
}

/** A destination with wider elements than the source may overlap its highest registers. */
export function widens(destination: u32, emulD: i32, source: u32, emulS: i32): bool {
  if (disjoint(destination, emulD, source, emulS)) return true;
  return emulS >= 0 && destination + registers(emulD) == source + registers(emulS);
}

/** A destination with narrower elements than the source may overlap its lowest registers. */
export function narrows(destination: u32, emulD: i32, source: u32, emulS: i32): bool {
  return destination == source || disjoint(destination, emulD, source, emulS);
}

/** vd, vs2 and, where it is a vector, vs1, all of SEW and LMUL. */
export function sameWidth(word: u32): bool {
  return group(vd, lmul) && group(vs2, lmul) && (!isVectorVector(word) || group(vs1, lmul));
}

/** A mask is written, from groups of SEW and LMUL. It may be v0 itself. */
export function toMask(word: u32): bool {
  if (!group(vs2, lmul) || !narrows(vd, 0, vs2, lmul)) return false;
  return !isVectorVector(word) || (group(vs1, lmul) && narrows(vd, 0, vs1, lmul));
}

/** Elements of twice SEW are written; vs2 has them too where `wide`, or those of SEW. */
export function toDouble(word: u32, wide: bool): bool {
  if (!group(vd, lmul + 1) || !group(vs2, wide ? lmul + 1 : lmul)) return false;
  if (!wide && !widens(vd, lmul + 1, vs2, lmul)) return false;
  if (!isVectorVector(word)) return true;
  if (wide && !disjoint(vs2, lmul + 1, vs1, lmul)) return false;
  return group(vs1, lmul) && widens(vd, lmul + 1, vs1, lmul);
}

/** The same where elements of twice SEW are added to: vd is a source too, and none is read with two widths. */
export function accumulatesDouble(word: u32): bool {
  if (!group(vd, lmul + 1) || !group(vs2, lmul) || !disjoint(vd, lmul + 1, vs2, lmul)) return false;
  return !isVectorVector(word) || (group(vs1, lmul) && disjoint(vd, lmul + 1, vs1, lmul));
}

/** Elements of SEW are written, from a vs2 of twice that. */
export function toHalf(word: u32): bool {
  if (!group(vd, lmul) || !group(vs2, lmul + 1) || !narrows(vd, lmul, vs2, lmul + 1)) return false;
  return !isVectorVector(word) || (group(vs1, lmul) && disjoint(vs1, lmul, vs2, lmul + 1));
}
