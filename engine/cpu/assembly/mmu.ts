// Address translation and the TLBs. Privileged ISA manual, "Sv39", "Sv48", "Sv57".
import * as at from '../layout';
import { Access, permits, uniform } from './pmp';
import {
  MXR,
  Mode,
  RAM_BASE,
  SUM,
  TVM,
  cell,
  count,
  dataPrivilege,
  privilege,
  requestPoll,
  setCell,
  status,
  selectTlbs,
} from './state';
import { noticeWrite } from './translation';
import { raise } from './trap';
import { trigger, watched } from './triggers';

// PTE bits.
const V: u64 = 1;
const R: u64 = 2;
const W: u64 = 4;
const X: u64 = 8;
const U: u64 = 16;
const A: u64 = 64;
const D: u64 = 128;
/** PPN field, bits 53 to 10. */
const PPN: u64 = 0x003ffffffffffc00;
/** Memory type; of no consequence here, but 3 is reserved. "Svpbmt". */
const PBMT: u64 = u64(3) << 61;
/** The page is one of sixteen that lie together. "Svnapot". */
const N: u64 = u64(1) << 63;
const RESERVED: u64 = 0x1fc0000000000000;

// menvcfg
const PBMTE: u64 = u64(1) << 62;
const ADUE: u64 = u64(1) << 61;

const BARE_LIMIT: u64 = u64(1) << 56;

/** Result of a failed translation: no physical address has the top bit set. */
export const PAGE_FAULT: u64 = u64.MAX_VALUE;
export const ACCESS_FAULT: u64 = u64.MAX_VALUE - 1;

export function inRam(physical: u64, length: u64): bool {
  const offset = physical - RAM_BASE;
  return offset < load<u64>(at.RAM_SIZE) && load<u64>(at.RAM_SIZE) - offset >= length;
}

/** Linear-memory address of a byte of RAM. */
export function hostAddress(physical: u64): u32 {
  return u32(physical - RAM_BASE) + at.RAM;
}

export function markDirty(physical: u64): void {
  const page = u32((physical - RAM_BASE) >> 12);
  store<u8>(at.PAGE_FLAGS + page, at.PAGE_DIRTY);
  noticeWrite(page);
}

/** Bytes covered by the leaf that the last `translate` found; more than a page for superpages. */
let leafSize: u64 = 4096;

function mayAccess(pte: u64, access: u32, mode: u32): bool {
  const s = status();
  if (mode == Mode.U) {
    if ((pte & U) == 0) return false;
  } else if ((pte & U) != 0 && (access == Access.Execute || (s & SUM) == 0)) {
    return false;
  }
  if (access == Access.Execute) return (pte & X) != 0;
  if (access == Access.Write) return (pte & W) != 0;
  return (pte & R) != 0 || ((s & MXR) != 0 && (pte & X) != 0);
}

/** Bits that no entry may have: reserved ones, and those of extensions that are off. */
function forbidden(): u64 {
  let bits = RESERVED;
  if ((load<u32>(at.FEATURES) & at.FEATURE_SVNAPOT) == 0) bits |= N;
  if ((cell(at.MENVCFG) & PBMTE) == 0) bits |= PBMT;
  return bits;
}

/** Whether the hart sets A and D itself, or faults. "Svade", "Svadu"; where neither is named, it does. */
function updatesEntries(): bool {
  const features = load<u32>(at.FEATURES);
  if ((features & at.FEATURE_SVADU) != 0) return (cell(at.MENVCFG) & ADUE) != 0;
  return (features & at.FEATURE_SVADE) == 0;
}

/** Virtual to physical, with the checks of the manual's "Virtual Address Translation Process". */
export function translate(virtual: u64, access: u32, mode: u32): u64 {
  const satp = cell(at.SATP);
  const scheme = u32(satp >> 60);
  leafSize = 4096;
  if (mode == Mode.M || scheme == 0) return virtual < BARE_LIMIT ? virtual : ACCESS_FAULT;
  count(at.COUNTER_PAGE_WALKS);
  const levels = i32(scheme) - 5; // 8: Sv39 has three, 9: Sv48 four, 10: Sv57 five
  const unused = 64 - (12 + 9 * levels);
  if ((i64(virtual) << unused) >> unused != i64(virtual)) return PAGE_FAULT;

  const never = forbidden();
  let table = (satp & 0xfffffffffff) << 12;
  for (let level = levels - 1; level >= 0; level--) {
    const shift = 12 + 9 * level;
    const address = table + (((virtual >> shift) & 0x1ff) << 3);
    if (!inRam(address, 8) || !permits(address, 8, Access.Read, Mode.S)) return ACCESS_FAULT;
    const pte = load<u64>(hostAddress(address));
    if ((pte & V) == 0 || (pte & (R | W)) == W || (pte & never) != 0) return PAGE_FAULT;
    if ((pte & (R | X)) == 0) {
      if ((pte & (A | D | U | N | PBMT)) != 0) return PAGE_FAULT; // reserved in pointers
      table = (pte & PPN) << 2;
      continue;
    }
    if (!mayAccess(pte, access, mode) || (pte & PBMT) == PBMT) return PAGE_FAULT;
    let offsetMask = (u64(1) << shift) - 1;
    let base = (pte & PPN) << 2;
    if ((base & offsetMask) != 0) return PAGE_FAULT; // misaligned superpage
    if ((pte & N) != 0) {
      // 64 KiB is the only size: the low four bits of the PPN say so.
      if (level != 0 || ((base >> 12) & 15) != 8) return PAGE_FAULT;
      offsetMask = 0xffff;
      base &= ~offsetMask;
    }
    const wanted = access == Access.Write ? A | D : A;
    if ((pte & wanted) != wanted) {
      if (!updatesEntries()) return PAGE_FAULT;
      if (!permits(address, 8, Access.Write, Mode.S)) return ACCESS_FAULT;
      store<u64>(hostAddress(address), pte | wanted);
      markDirty(address);
    }
    leafSize = offsetMask + 1;
    return base | (virtual & offsetMask);
  }
  return PAGE_FAULT;
}

/** Exception codes by kind of access: fetch, load, store. */
function faultCause(kind: u64, access: u32): u32 {
  if (access == Access.Execute) return kind == PAGE_FAULT ? 12 : 1;
  if (access == Access.Write) return kind == PAGE_FAULT ? 15 : 7;
  return kind == PAGE_FAULT ? 13 : 5;
}

export function fault(kind: u64, access: u32, virtual: u64): void {
  raise(faultCause(kind, access), virtual);
}

/** Remembers a translation to RAM: `tlb` is the base of one context and kind. */
function fill(tlb: u32, virtual: u64, physical: u64): void {
  const entry = tlb + (u32(virtual >> 12) & (at.TLB_ENTRIES - 1)) * at.TLB_ENTRY;
  const page = virtual & ~u64(0xfff);
  store<u64>(entry, page);
  store<u32>(entry, hostAddress(physical & ~u64(0xfff)) - u32(page), 8);
  if (leafSize > 4096) {
    const low = virtual & ~(leafSize - 1);
    const high = low + (leafSize - 1);
    if (low < cell(at.SUPERPAGE_LOW)) setCell(at.SUPERPAGE_LOW, low);
    if (high > cell(at.SUPERPAGE_HIGH)) setCell(at.SUPERPAGE_HIGH, high);
  }
}

/** The TLB of one kind of access in the present mode. */
function tlbOf(access: u32): u32 {
  if (access == Access.Execute) return load<u32>(at.FETCH_TLB);
  return load<u32>(at.DATA_TLB) + (access == Access.Write ? at.TLB_WRITE : 0);
}

/**
 * What the TLB knows, for accesses that the inline check leaves: misaligned
 * ones, and stores to a page that was committed since. That page is marked
 * dirty and its entry is good again. PAGE_FAULT where it knows nothing.
 */
function lookUp(virtual: u64, access: u32): u64 {
  const entry = tlbOf(access) + (u32(virtual >> 12) & (at.TLB_ENTRIES - 1)) * at.TLB_ENTRY;
  const page = virtual & ~u64(0xfff);
  const tag = load<u64>(entry);
  if (tag != page && tag != (page | at.TLB_CLEAN)) return PAGE_FAULT;
  const physical = u64(u32(virtual) + load<u32>(entry, 8) - at.RAM) + RAM_BASE;
  if (tag != page) {
    store<u64>(entry, page);
    markDirty(physical);
  }
  return physical;
}

/**
 * Translates an access that lies in one page, checks PMP, and fills the TLB
 * where RAM is behind it. Raises and returns PAGE_FAULT or ACCESS_FAULT where it must not be.
 */
export function resolve(virtual: u64, length: u64, access: u32): u64 {
  if (cell(at.TRIGGERS_ARMED) != 0 && access != Access.Execute && trigger(virtual, length, access))
    return ACCESS_FAULT;
  const known = lookUp(virtual, access);
  if (known != PAGE_FAULT) return known;
  const mode = access == Access.Execute ? privilege() : dataPrivilege();
  const physical = translate(virtual, access, mode);
  if (physical >= ACCESS_FAULT) {
    fault(physical, access, virtual);
    return physical;
  }
  if (!permits(physical, length, access, mode)) {
    fault(ACCESS_FAULT, access, virtual);
    return ACCESS_FAULT;
  }
  const page = physical & ~u64(0xfff);
  if (!inRam(page, 4096)) return physical;
  if (access == Access.Write) markDirty(physical);
  if (uniform(page) && !watched(virtual & ~u64(0xfff), access)) fill(tlbOf(access), virtual, physical);
  return physical;
}

/** Whether a load would find RAM: all of it, in whatever pages it lies. Raises nothing. */
export function readable(virtual: u64, length: u64): bool {
  const last = virtual + length - 1;
  for (let page = virtual; page <= last; page = (page | 0xfff) + 1) {
    if (lookUp(page, Access.Read) != PAGE_FAULT) continue;
    const mode = dataPrivilege();
    const physical = translate(page, Access.Read, mode);
    if (physical >= ACCESS_FAULT || !inRam(physical, 1)) return false;
    if (!permits(physical, min(last - page, 0xfff - (page & 0xfff)) + 1, Access.Read, mode)) return false;
  }
  return true;
}

/** Empties all TLBs. */
export function tlb_flush(): void {
  memory.fill(at.TLB, 0xff, at.TLB_END - at.TLB);
  setCell(at.SUPERPAGE_LOW, u64.MAX_VALUE);
  setCell(at.SUPERPAGE_HIGH, 0);
}

/** Empties what depends on satp: everything but M-mode's. */
export function flushTranslations(): void {
  count(at.COUNTER_FLUSHES);
  memory.fill(at.TLB, 0xff, 3 * at.TLB_CONTEXT);
  setCell(at.SUPERPAGE_LOW, u64.MAX_VALUE);
  setCell(at.SUPERPAGE_HIGH, 0);
}

/** After a checkpoint: the next store to any page is to be noticed. */
export function tlb_clean_writes(): void {
  for (let context = 0; context < at.TLB_CONTEXTS; context++) {
    const first = at.TLB + context * at.TLB_CONTEXT + at.TLB_WRITE;
    for (let entry = first; entry < first + at.TLB_KIND; entry += at.TLB_ENTRY) {
      const tag = load<u64>(entry);
      if (tag != u64.MAX_VALUE) store<u64>(entry, tag | at.TLB_CLEAN);
    }
  }
}

/**
 * "Supervisor Memory-Management Fence Instruction", and sinval.vma, which may take effect at once. The TLBs hold one
 * address space, since satp empties them: a fence of any ASID concerns it, global pages included.
 */
export function sfence_vma(all: u32, virtual: u64, word: u32): void {
  const p = privilege();
  if (p == Mode.U || (p == Mode.S && (status() & TVM) != 0)) {
    raise(2, word);
    return;
  }
  if (all != 0 || (virtual >= cell(at.SUPERPAGE_LOW) && virtual <= cell(at.SUPERPAGE_HIGH))) {
    flushTranslations();
  } else {
    const entry = (u32(virtual >> 12) & (at.TLB_ENTRIES - 1)) * at.TLB_ENTRY;
    for (let context = 0; context < 3; context++) {
      const tlb = at.TLB + context * at.TLB_CONTEXT + entry;
      store<u64>(tlb, u64.MAX_VALUE);
      store<u64>(tlb + at.TLB_WRITE, u64.MAX_VALUE);
      store<u64>(tlb + at.TLB_FETCH, u64.MAX_VALUE);
    }
  }
  requestPoll();
}

/** sfence.w.inval and sfence.inval.ir order nothing here, but user mode may not execute them. "Svinval". */
export function supervisor_fence(word: u32): void {
  if (privilege() == Mode.U) raise(2, word);
}

/** There is no cache of decoded instructions to empty; the page being run is looked up again. */
export function fence_i(): void {
  requestPoll();
}
