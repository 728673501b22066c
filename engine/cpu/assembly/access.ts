// Loads, stores and atomics that the inline TLB check did not settle: misses,
// misaligned and page-crossing accesses, and device registers.
import * as at from '../layout';
import { mmioRead, mmioWrite } from './env';
import { ACCESS_FAULT, fault, hostAddress, inRam, markDirty, resolve, resolveSecond } from './mmu';
import { Access } from './pmp';
import { RAM_BASE, cell, count, setCell } from './state';
import { smallEntry } from './tlb';
import { raise } from './trap';
import { trigger, watched } from './triggers';

function crosses(virtual: u64, size: u32): bool {
  return u32(virtual & 0xfff) + size > 4096;
}

function read(address: u32, size: u32): u64 {
  switch (size) {
    case 1:
      return load<u8>(address);
    case 2:
      return load<u16>(address);
    case 4:
      return load<u32>(address);
    default:
      return load<u64>(address);
  }
}

function write(address: u32, size: u32, value: u64): void {
  switch (size) {
    case 1:
      return store<u8>(address, u8(value));
    case 2:
      return store<u16>(address, u16(value));
    case 4:
      return store<u32>(address, u32(value));
    default:
      return store<u64>(address, value);
  }
}

/** Device registers are naturally aligned; 64 bits go as two halves, low first. */
function readDevice(physical: u64, size: u32, virtual: u64): u64 {
  count(at.COUNTER_MMIO_READS);
  if ((physical & (size - 1)) != 0) {
    fault(ACCESS_FAULT, Access.Read, virtual);
    return 0;
  }
  store<u32>(at.MMIO_FAULT, 0);
  let value: u64 = mmioRead(f64(physical), size == 8 ? 4 : size);
  if (size == 8) value |= u64(mmioRead(f64(physical + 4), 4)) << 32;
  if (load<u32>(at.MMIO_FAULT) != 0) {
    fault(ACCESS_FAULT, Access.Read, virtual);
    return 0;
  }
  return value;
}

function writeDevice(physical: u64, size: u32, value: u64, virtual: u64): void {
  count(at.COUNTER_MMIO_WRITES);
  store<u32>(at.MMIO_FAULT, 0);
  if ((physical & (size - 1)) == 0) {
    mmioWrite(f64(physical), size == 8 ? 4 : size, u32(value));
    if (size == 8) mmioWrite(f64(physical + 4), 4, u32(value >> 32));
    if (load<u32>(at.MMIO_FAULT) == 0) return;
  }
  fault(ACCESS_FAULT, Access.Write, virtual);
}

/** A load that lies in two pages: byte by byte, each page translated at its first byte. */
function loadCrossing(virtual: u64, size: u32): u64 {
  let value: u64 = 0;
  const first: u32 = 4096 - u32(virtual & 0xfff);
  const low = resolve(virtual, first, Access.Read);
  if (low >= ACCESS_FAULT) return 0;
  const high = resolveSecond(low, virtual + first, size - first, Access.Read);
  if (high >= ACCESS_FAULT) return 0;
  for (let i: u32 = 0; i < size; i++) {
    const physical = i < first ? low + i : high + (i - first);
    if (!inRam(physical, 1)) {
      fault(ACCESS_FAULT, Access.Read, virtual + i);
      return 0;
    }
    value |= u64(load<u8>(hostAddress(physical))) << (8 * i);
  }
  return value;
}

/** A store that lies in two pages: both are checked before the first byte is written. */
function storeCrossing(virtual: u64, size: u32, value: u64): void {
  const first: u32 = 4096 - u32(virtual & 0xfff);
  const low = resolve(virtual, first, Access.Write);
  if (low >= ACCESS_FAULT) return;
  const high = resolveSecond(low, virtual + first, size - first, Access.Write);
  if (high >= ACCESS_FAULT) return;
  if (!inRam(low, first)) return fault(ACCESS_FAULT, Access.Write, virtual);
  if (!inRam(high, size - first)) return fault(ACCESS_FAULT, Access.Write, virtual + first);
  for (let i: u32 = 0; i < size; i++) {
    const physical = i < first ? low + i : high + (i - first);
    store<u8>(hostAddress(physical), u8(value >> (8 * i)));
  }
}

export function load_slow(virtual: u64, size: u32): u64 {
  if (crosses(virtual, size)) return loadCrossing(virtual, size);
  const physical = resolve(virtual, size, Access.Read);
  if (physical >= ACCESS_FAULT) return 0;
  return inRam(physical, size) ? read(hostAddress(physical), size) : readDevice(physical, size, virtual);
}

export function store_slow(virtual: u64, size: u32, value: u64): void {
  if (crosses(virtual, size)) return storeCrossing(virtual, size, value);
  const physical = resolve(virtual, size, Access.Write);
  if (physical >= ACCESS_FAULT) return;
  if (inRam(physical, size)) write(hostAddress(physical), size, value);
  else writeDevice(physical, size, value, virtual);
}

function writable(virtual: u64, size: u32, reads: bool): u32 {
  if ((virtual & (size - 1)) != 0) {
    raise(6, virtual);
    return 0;
  }
  if (reads && cell(at.TRIGGERS_ARMED) != 0 && trigger(virtual, size, Access.Read)) return 0;
  const physical = resolve(virtual, size, Access.Write);
  if (physical >= ACCESS_FAULT) return 0;
  if (!inRam(physical, size)) {
    fault(ACCESS_FAULT, Access.Write, virtual);
    return 0;
  }
  return hostAddress(physical);
}

/** Linear-memory address for a read-modify-write; atomics on devices are access faults. Zero after a trap. */
export function atomic_address(virtual: u64, size: u32): u32 {
  return writable(virtual, size, true);
}

function signed(value: u64, size: u32): u64 {
  return size == 4 ? u64(i64(i32(value))) : value;
}

function loadReserved(virtual: u64, size: u32): u64 {
  if ((virtual & (size - 1)) != 0) {
    raise(4, virtual);
    return 0;
  }
  const physical = resolve(virtual, size, Access.Read);
  if (physical >= ACCESS_FAULT) return 0;
  if (!inRam(physical, size)) {
    fault(ACCESS_FAULT, Access.Read, virtual);
    return 0;
  }
  const value = signed(read(hostAddress(physical), size), size);
  setCell(at.RESERVATION, physical);
  setCell(at.RESERVED_VALUE, value);
  return value;
}

/**
 * Succeeds when the location is the reserved one and still holds what was loaded; 0 means success. The reservation
 * set is what was loaded, so nothing else breaks it but a trap, a return from one, another SC, or another hart's turn:
 * a constrained loop succeeds as soon as none of these comes between. "Eventual Success of Store-Conditional".
 */
function storeConditional(virtual: u64, size: u32, value: u64): u64 {
  const address = writable(virtual, size, false);
  if (address == 0) return 0;
  const physical = u64(address) - u64(at.RAM) + RAM_BASE;
  const mine =
    cell(at.RESERVATION) == physical &&
    signed(read(address, size), size) == signed(cell(at.RESERVED_VALUE), size);
  setCell(at.RESERVATION, u64.MAX_VALUE);
  if (!mine) return 1;
  markDirty(physical);
  write(address, size, value);
  return 0;
}

export function load_reserved_w(virtual: u64): u64 {
  return loadReserved(virtual, 4);
}
export function load_reserved_d(virtual: u64): u64 {
  return loadReserved(virtual, 8);
}
export function store_conditional_w(virtual: u64, value: u64): u64 {
  return storeConditional(virtual, 4, value);
}
export function store_conditional_d(virtual: u64, value: u64): u64 {
  return storeConditional(virtual, 8, value);
}

/**
 * Linear-memory address of the page that holds `pc`, when one answer holds
 * for all of it; zero after a trap, or when `fetch_word` has to be asked for each instruction.
 */
export function fetch_page(pc: u64): u32 {
  if (cell(at.TRIGGERS_ARMED) != 0 && watched(pc & ~u64(0xfff), Access.Execute)) return 0;
  const physical = resolve(pc, 2, Access.Execute);
  if (physical >= ACCESS_FAULT) return 0;
  if (!inRam(physical, 2)) {
    fault(ACCESS_FAULT, Access.Execute, pc);
    return 0;
  }
  return load<u64>(smallEntry(load<u32>(at.FETCH_TLB), pc)) == (pc & ~u64(0xfff))
    ? hostAddress(physical & ~u64(0xfff))
    : 0;
}

function fetchHalf(pc: u64): u32 {
  const physical = resolve(pc, 2, Access.Execute);
  if (physical >= ACCESS_FAULT) return 0;
  if (inRam(physical, 2)) return load<u16>(hostAddress(physical));
  fault(ACCESS_FAULT, Access.Execute, pc);
  return 0;
}

/** The instruction at `pc`, by halves: it may lie in two pages. */
export function fetch_word(pc: u64): u32 {
  if (cell(at.TRIGGERS_ARMED) != 0 && trigger(pc, 1, Access.Execute)) return 0;
  const low = fetchHalf(pc);
  if (load<u32>(at.TRAPPED) != 0 || (low & 3) != 3) return low;
  return low | (fetchHalf(pc + 2) << 16);
}
