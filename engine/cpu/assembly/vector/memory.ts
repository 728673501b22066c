// Vector loads and stores. "Vector Extension", "Vector Loads and Stores".
//
// Elements are accessed in order, and a trap leaves in vstart the element that caused it: what comes before is done.
// Without mask and fields, whole pages are copied at a time.
import * as at from '../../layout';
import { load_slow, store_slow } from '../access';
import { ACCESS_FAULT, hostAddress, inRam, readable, resolve } from '../mmu';
import { Access } from '../pmp';
import { setCell } from '../state';
import { illegal } from '../trap';
import { aligned, disjoint, group, narrows, widens } from './rules';
import {
  active,
  address,
  begin,
  finish,
  lmul,
  masked,
  put,
  sew,
  suspend,
  takeRegisters,
  unsigned,
  vd,
  vectorsOn,
  vl,
  vs2,
  vstart,
  widest,
} from './unit';

/** Fields of a segment, 1 to 8. */
function fieldsOf(word: u32): u32 {
  return (word >> 29) + 1;
}

/** The width field as the logarithm of bytes: 0, 5, 6 and 7 stand for 8, 16, 32 and 64 bits. */
function widthOf(word: u32): u32 {
  const code = (word >> 12) & 7;
  return code == 0 ? 0 : code - 4;
}

/** Registers of so many fields, one group each. */
function span(fields: u32, emul: i32): u32 {
  return emul <= 0 ? fields : fields << emul;
}

/** The data group of each field: at most eight registers in all, and none behind v31. Memory is read by `width`. */
function dataGroups(fields: u32, emul: i32, width: u32): bool {
  const count = span(fields, emul);
  return width <= widest() && group(vd, emul) && count <= 8 && vd + count <= 32;
}

/** One element between memory and a register. False after a trap. */
function transfer(virtual: u64, register: u32, element: u32, width: u32, stores: bool): bool {
  if (stores) store_slow(virtual, 1 << width, unsigned(address(register), element, width));
  else {
    const value = load_slow(virtual, 1 << width);
    if (load<u32>(at.TRAPPED) == 0) put(address(register), element, width, value);
  }
  return load<u32>(at.TRAPPED) == 0;
}

/** All fields of one segment. */
function transferSegment(virtual: u64, element: u32, width: u32, fields: u32, emul: i32, stores: bool): bool {
  const step = span(1, emul);
  for (let field: u32 = 0; field < fields; field++) {
    if (!transfer(virtual + (u64(field) << width), vd + field * step, element, width, stores)) return false;
  }
  return true;
}

/**
 * Elements that lie side by side in memory and in registers, from `first` up to `count`. As many as lie in one page
 * are copied at once; one that lies in two, or outside of RAM, goes by itself.
 */
function transferRun(virtual: u64, first: u32, count: u32, width: u32, stores: bool): void {
  const access: u32 = stores ? Access.Write : Access.Read;
  for (let i = first; i < count;) {
    const from = virtual + (u64(i) << width);
    const inPage = u32((4096 - (from & 4095)) >> width);
    const run = min(inPage, count - i);
    if (run > 0) {
      const bytes = run << width;
      const physical = resolve(from, bytes, access);
      if (physical >= ACCESS_FAULT) return suspend(i);
      if (inRam(physical, bytes)) {
        const memoryAt = hostAddress(physical);
        const registerAt = address(vd) + (i << width);
        memory.copy(stores ? memoryAt : registerAt, stores ? registerAt : memoryAt, bytes);
        i += run;
        continue;
      }
    }
    if (!transfer(from, vd, i, width, stores)) return suspend(i);
    i++;
  }
  finish();
}

function transferStrided(virtual: u64, stride: u64, width: u32, fields: u32, emul: i32, stores: bool): void {
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    if (!transferSegment(virtual + i * stride, i, width, fields, emul, stores)) return suspend(i);
  }
  finish();
}

function unitStride(word: u32, virtual: u64, stores: bool): void {
  if (!begin(word)) return illegal(word);
  const width = widthOf(word);
  const emul = lmul + i32(width) - i32(sew);
  const fields = fieldsOf(word);
  if (!dataGroups(fields, emul, width)) return illegal(word);
  if (masked || fields > 1) transferStrided(virtual, u64(fields) << width, width, fields, emul, stores);
  else transferRun(virtual, vstart, vl, width, stores);
}

export function vector_load(word: u32, virtual: u64): void {
  unitStride(word, virtual, false);
}
export function vector_store(word: u32, virtual: u64): void {
  unitStride(word, virtual, true);
}

function strided(word: u32, virtual: u64, stride: u64, stores: bool): void {
  if (!begin(word)) return illegal(word);
  const width = widthOf(word);
  const emul = lmul + i32(width) - i32(sew);
  const fields = fieldsOf(word);
  if (!dataGroups(fields, emul, width)) return illegal(word);
  transferStrided(virtual, stride, width, fields, emul, stores);
}

export function vector_load_strided(word: u32, virtual: u64, stride: u64): void {
  strided(word, virtual, stride, false);
}
export function vector_store_strided(word: u32, virtual: u64, stride: u64): void {
  strided(word, virtual, stride, true);
}

/** Indices are read while the destination is written: it may overlap them as results and sources of other widths may. */
function mayOverwriteIndices(fields: u32, width: u32, emul: i32): bool {
  if (fields > 1) {
    const step = span(1, lmul);
    for (let field: u32 = 0; field < fields; field++) {
      if (!disjoint(vd + field * step, lmul, vs2, emul)) return false;
    }
    return true;
  }
  if (width == sew) return true;
  return width > sew ? narrows(vd, lmul, vs2, emul) : widens(vd, lmul, vs2, emul);
}

/** Data and indices are both sources of a store: one register cannot be read with two widths. */
function readsIndicesApart(fields: u32, width: u32, emul: i32): bool {
  if (width == sew) return true;
  const step = span(1, lmul);
  for (let field: u32 = 0; field < fields; field++) {
    if (!disjoint(vd + field * step, lmul, vs2, emul)) return false;
  }
  return true;
}

/** Ordered and unordered are one: elements are accessed in order anyway. */
function indexed(word: u32, virtual: u64, stores: bool): void {
  if (!begin(word)) return illegal(word);
  const width = widthOf(word);
  const emul = lmul + i32(width) - i32(sew);
  const fields = fieldsOf(word);
  if (!dataGroups(fields, lmul, width) || !group(vs2, emul)) return illegal(word);
  const apart = stores ? readsIndicesApart(fields, width, emul) : mayOverwriteIndices(fields, width, emul);
  if (!apart) return illegal(word);
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const from = virtual + unsigned(address(vs2), i, width);
    if (!transferSegment(from, i, sew, fields, lmul, stores)) return suspend(i);
  }
  finish();
}

export function vector_load_indexed(word: u32, virtual: u64): void {
  indexed(word, virtual, false);
}
export function vector_store_indexed(word: u32, virtual: u64): void {
  indexed(word, virtual, true);
}

/** Only the first element may trap; a later one that would makes vl shorter. "Unit-stride Fault-Only-First Loads". */
export function vector_load_fault_only_first(word: u32, virtual: u64): void {
  if (!begin(word)) return illegal(word);
  const width = widthOf(word);
  const emul = lmul + i32(width) - i32(sew);
  const fields = fieldsOf(word);
  if (!dataGroups(fields, emul, width)) return illegal(word);
  const bytes = u64(fields) << width;
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const from = virtual + i * bytes;
    if (i > 0 && !readable(from, bytes)) {
      setCell(at.VL, i);
      break;
    }
    if (!transferSegment(from, i, width, fields, emul, false)) return suspend(i);
  }
  finish();
}

/** One, two, four or eight whole registers, whatever vtype and vl are. Stores are of bytes. */
function whole(word: u32, virtual: u64, stores: bool): void {
  if (!vectorsOn()) return illegal(word);
  takeRegisters(word);
  const width = widthOf(word);
  const registers = fieldsOf(word);
  if (width > widest() || !aligned(vd, 31 - clz(registers))) return illegal(word);
  transferRun(virtual, vstart, (registers << 4) >> width, width, stores);
}

export function vector_load_whole(word: u32, virtual: u64): void {
  whole(word, virtual, false);
}
export function vector_store_whole(word: u32, virtual: u64): void {
  whole(word, virtual, true);
}

/** As many bytes as a mask of vl elements takes. */
function mask(word: u32, virtual: u64, stores: bool): void {
  if (!begin(word)) return illegal(word);
  transferRun(virtual, vstart, (vl + 7) >> 3, 0, stores);
}

export function vector_load_mask(word: u32, virtual: u64): void {
  mask(word, virtual, false);
}
export function vector_store_mask(word: u32, virtual: u64): void {
  mask(word, virtual, true);
}
