// Bulk operations on guest memory, for the instructions of isa/paravirt.ts. AssemblyScript.
// Arguments are register numbers. Each call does one step that lies in one page of each operand.
import * as at from '../layout';
import { load_slow, store_slow } from './access';
import { ACCESS_FAULT, fault, hostAddress, inRam, resolve } from './mmu';
import { mulhu } from './multiply';
import { Access } from './pmp';
import { illegal } from './trap';

const PAGE: u64 = 4096;
const LARGEST_PRODUCT: u64 = 32; // words of one factor; two factors and the product fill at.SCRATCH

function register(number: u32): u64 {
  return load<u64>(at.X + 8 * number);
}
function setRegister(number: u32, value: u64): void {
  if (number != 0) store<u64>(at.X + 8 * number, value);
}
/** Bytes from here to the end of the page. */
function toPageEnd(virtual: u64): u64 {
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

/** Physical address of `bytes` within one page of RAM; ACCESS_FAULT or above after a trap. */
function ramAt(virtual: u64, bytes: u64, access: u32): u64 {
  const physical = resolve(virtual, bytes, access);
  if (physical >= ACCESS_FAULT || inRam(physical, bytes)) return physical;
  fault(ACCESS_FAULT, access, virtual);
  return ACCESS_FAULT;
}

/** Reads what may lie in two pages. False after a trap. */
function gather(virtual: u64, bytes: u64, into: u32): bool {
  const first = min(bytes, toPageEnd(virtual));
  const low = ramAt(virtual, first, Access.Read);
  if (low >= ACCESS_FAULT) return false;
  memory.copy(into, hostAddress(low), usize(first));
  if (first == bytes) return true;
  const high = ramAt(virtual + first, bytes - first, Access.Read);
  if (high >= ACCESS_FAULT) return false;
  memory.copy(into + u32(first), hostAddress(high), usize(bytes - first));
  return true;
}

/** Writes what may lie in two pages: both are checked before the first byte is written. */
function scatter(virtual: u64, bytes: u64, from: u32): void {
  const first = min(bytes, toPageEnd(virtual));
  const low = ramAt(virtual, first, Access.Write);
  if (low >= ACCESS_FAULT) return;
  if (first < bytes) {
    const high = ramAt(virtual + first, bytes - first, Access.Write);
    if (high >= ACCESS_FAULT) return;
    memory.copy(hostAddress(high), from + u32(first), usize(bytes - first));
  }
  memory.copy(hostAddress(low), from, usize(first));
}

function multiply(left: u32, right: u32, product: u32, words: u32): void {
  memory.fill(product, 0, 16 * words);
  for (let i: u32 = 0; i < words; i++) {
    const factor = load<u64>(left + 8 * i);
    let carry: u64 = 0;
    for (let j: u32 = 0; j < words; j++) {
      const place = product + 8 * (i + j);
      const other = load<u64>(right + 8 * j);
      const low = factor * other;
      const sum = low + carry;
      const total = sum + load<u64>(place);
      carry = mulhu(factor, other) + u64(sum < low) + u64(total < sum);
      store<u64>(place, total);
    }
    store<u64>(product + 8 * (i + words), carry);
  }
}

export function bulk_multiply(rd: u32, rs1: u32, rs2: u32, rs3: u32, word: u32): void {
  const words = register(rs3);
  if (words == 0 || words > LARGEST_PRODUCT) return illegal(word);
  const bytes = 8 * words;
  const left: u32 = at.SCRATCH;
  const right: u32 = left + u32(bytes);
  const product: u32 = right + u32(bytes);
  if (!gather(register(rs1), bytes, left) || !gather(register(rs2), bytes, right)) return;
  multiply(left, right, product, u32(words));
  scatter(register(rd), 2 * bytes, product);
}
