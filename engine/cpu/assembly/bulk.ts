// Bulk operations on guest memory, for the instructions of isa/paravirt.ts. AssemblyScript.
// Arguments are register numbers. Each call does one step that lies in one page of each operand.
import * as at from '../layout';
import { load_slow, store_slow } from './access';
import { ACCESS_FAULT, hostAddress, inRam, resolve } from './mmu';
import { Access } from './pmp';

const PAGE: u64 = 4096;

export function register(number: u32): u64 {
  return load<u64>(at.X + 8 * number);
}
export function setRegister(number: u32, value: u64): void {
  if (number != 0) store<u64>(at.X + 8 * number, value);
}
/** Bytes from here to the end of the page. */
export function toPageEnd(virtual: u64): u64 {
  return PAGE - (virtual & (PAGE - 1));
}
/** Bytes from the start of the page up to here, where `end` is the first byte behind. */
function fromPageStart(end: u64): u64 {
  return ((end - 1) & (PAGE - 1)) + 1;
}

/**
 * Copies within one page each. Device registers are reached byte by byte, as a
 * loop of `lb` and `sb` would. Returns the bytes copied; zero after a trap.
 * `last`: when fewer than `bytes` can be done, do those at the end.
 */
function copyWithin(to: u64, from: u64, bytes: u64, last: bool): u64 {
  const source = resolve(from, bytes, Access.Read);
  if (source >= ACCESS_FAULT) return 0;
  const target = resolve(to, bytes, Access.Write);
  if (target >= ACCESS_FAULT) return 0;
  if (inRam(source, bytes) && inRam(target, bytes)) {
    memory.copy(hostAddress(target), hostAddress(source), usize(bytes));
    return bytes;
  }
  const offset = last ? bytes - 1 : 0;
  const value = load_slow(from + offset, 1);
  if (load<u32>(at.TRAPPED) != 0) return 0;
  store_slow(to + offset, 1, value);
  return load<u32>(at.TRAPPED) != 0 ? 0 : 1;
}

function copyAscending(rd: u32, rs1: u32, rs2: u32, to: u64, from: u64, left: u64): void {
  const bytes = min(left, min(toPageEnd(to), toPageEnd(from)));
  const done = copyWithin(to, from, bytes, false);
  if (done == 0) return;
  setRegister(rd, to + done);
  setRegister(rs1, from + done);
  setRegister(rs2, left - done);
}

export function bulk_copy(rd: u32, rs1: u32, rs2: u32): void {
  const left = register(rs2);
  if (left != 0) copyAscending(rd, rs1, rs2, register(rd), register(rs1), left);
}

/** Where the target begins within the source, the end goes first, and only the length falls. */
export function bulk_move(rd: u32, rs1: u32, rs2: u32): void {
  const left = register(rs2);
  if (left == 0) return;
  const to = register(rd);
  const from = register(rs1);
  if (to == from || to - from >= left) return copyAscending(rd, rs1, rs2, to, from, left);
  const bytes = min(left, min(fromPageStart(to + left), fromPageStart(from + left)));
  const rest = left - bytes;
  const done = copyWithin(to + rest, from + rest, bytes, true);
  if (done != 0) setRegister(rs2, left - done);
}

export function bulk_fill(rd: u32, rs1: u32, rs2: u32): void {
  const left = register(rs2);
  if (left == 0) return;
  const to = register(rd);
  const value = register(rs1) & 0xff;
  let bytes = min(left, toPageEnd(to));
  const target = resolve(to, bytes, Access.Write);
  if (target >= ACCESS_FAULT) return;
  if (inRam(target, bytes)) {
    memory.fill(hostAddress(target), u8(value), usize(bytes));
  } else {
    bytes = 1;
    store_slow(to, 1, value);
    if (load<u32>(at.TRAPPED) != 0) return;
  }
  setRegister(rd, to + bytes);
  setRegister(rs2, left - bytes);
}
