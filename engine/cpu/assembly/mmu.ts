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
} from './state';
import { fillSmall, find, forgetPage, forgetSpaces, frameOf, remember, rightsOf, smallEntry } from './tlb';
import { isCode, noticeWrite } from './translation';
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
export const PAGE_FAULT: u64 = u64.MAX_VALUE - 1;
export const ACCESS_FAULT: u64 = u64.MAX_VALUE - 2;
/** A page of RAM is not there yet: nothing is raised, the run ends before the instruction. */
export const PAGE_ABSENT: u64 = u64.MAX_VALUE;

export function inRam(physical: u64, length: u64): bool {
  const offset = physical - RAM_BASE;
  return offset < load<u64>(at.RAM_SIZE) && load<u64>(at.RAM_SIZE) - offset >= length;
}

/** Linear-memory address of a byte of RAM. */
export function hostAddress(physical: u64): u32 {
  return u32(physical - RAM_BASE) + at.RAM;
}

function flags(physical: u64): u32 {
  return at.PAGE_FLAGS + u32((physical - RAM_BASE) >> 12);
}

export function markDirty(physical: u64): void {
  store<u8>(flags(physical), at.PAGE_DIRTY | at.PAGE_TOUCHED | at.PAGE_USED);
  noticeWrite(u32((physical - RAM_BASE) >> 12));
}

/** The page that `use` found to be absent. */
let absent: u64 = 0;

/** Notes that the page is in use. False: it is absent; see `want`. */
function use(physical: u64): bool {
  const flag = flags(physical);
  const known = load<u8>(flag);
  if ((known & at.PAGE_ABSENT) != 0) {
    absent = physical;
    return false;
  }
  store<u8>(flag, known | at.PAGE_USED);
  return true;
}

/** Ends the run because of the page that is absent. */
function want(): u64 {
  store<u32>(at.WANTED_PAGE, u32((absent - RAM_BASE) >> 12));
  // The instruction is begun again, so it is not counted, and neither is a page walk of it.
  store<u32>(at.COUNTDOWN, load<u32>(at.COUNTDOWN) + 1);
  store<u32>(at.EXIT, at.EXIT_PAGE);
  store<u32>(at.TRAPPED, 1);
  requestPoll();
  return PAGE_ABSENT;
}

/** Whether the present instruction ends the run because of an absent page. */
export function pageWanted(): bool {
  return load<u32>(at.EXIT) == at.EXIT_PAGE;
}

/** The leaf that the last walk found, and the bytes that it covers: more than a page for superpages. */
let leaf: u64 = 0;
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

/** Whether addresses of a mode are virtual. */
function isTranslated(mode: u32): bool {
  return mode != Mode.M && cell(at.SATP) >> 60 != 0;
}

/** Virtual to physical, with the checks of the manual's "Virtual Address Translation Process". */
export function translate(virtual: u64, access: u32, mode: u32): u64 {
  if (!isTranslated(mode)) return virtual < BARE_LIMIT ? virtual : ACCESS_FAULT;
  count(at.COUNTER_PAGE_WALKS);
  const physical = walk(virtual, access, mode, true);
  return physical == PAGE_ABSENT ? want() : physical;
}

/** `updates`: whether A and D may be set. Where they would have to be, and may not, the page counts as absent. */
function walk(virtual: u64, access: u32, mode: u32, updates: bool): u64 {
  const satp = cell(at.SATP);
  const scheme = u32(satp >> 60);
  const levels = i32(scheme) - 5; // 8: Sv39 has three, 9: Sv48 four, 10: Sv57 five
  const unused = 64 - (12 + 9 * levels);
  if ((i64(virtual) << unused) >> unused != i64(virtual)) return PAGE_FAULT;

  const never = forbidden();
  let table = (satp & 0xfffffffffff) << 12;
  for (let level = levels - 1; level >= 0; level--) {
    const shift = 12 + 9 * level;
    const address = table + (((virtual >> shift) & 0x1ff) << 3);
    if (!inRam(address, 8) || !permits(address, 8, Access.Read, Mode.S)) return ACCESS_FAULT;
    if (!use(address)) return PAGE_ABSENT;
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
      if (!updates) return PAGE_ABSENT;
      store<u64>(hostAddress(address), pte | wanted);
      markDirty(address);
    }
    leaf = pte | wanted;
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

/** Remembers what the last walk has found. */
function rememberLeaf(virtual: u64, physical: u64): void {
  const rights = u32(leaf >> 1) & 15;
  remember(virtual, physical, (leaf & D) != 0 ? rights : rights & ~u32(W >> 1));
  if (leafSize == 4096) return;
  const low = virtual & ~(leafSize - 1);
  const high = low + (leafSize - 1);
  if (low < cell(at.SUPERPAGE_LOW)) setCell(at.SUPERPAGE_LOW, low);
  if (high > cell(at.SUPERPAGE_HIGH)) setCell(at.SUPERPAGE_HIGH, high);
}

/** The small TLB of one kind of access in the present mode. */
function tlbOf(access: u32): u32 {
  if (access == Access.Execute) return load<u32>(at.FETCH_TLB);
  return load<u32>(at.DATA_TLB) + (access == Access.Write ? at.TLB_WRITE : 0);
}

/** What the TLB knows of an address that is translated; PAGE_FAULT where it knows nothing, or not enough. */
function recall(virtual: u64, access: u32, mode: u32): u64 {
  const entry = find(virtual);
  if (entry == 0 || !mayAccess(u64(rightsOf(entry)) << 1, access, mode)) return PAGE_FAULT;
  return frameOf(entry) | (virtual & 0xfff);
}

/**
 * Translates an access that lies in one page, checks PMP, and fills the TLBs
 * where RAM is behind it. Raises and returns PAGE_FAULT or ACCESS_FAULT where it must not be;
 * returns PAGE_ABSENT, which is above them, where the run has to end first.
 */
export function resolve(virtual: u64, length: u64, access: u32): u64 {
  if (cell(at.TRIGGERS_ARMED) != 0 && access != Access.Execute && trigger(virtual, length, access))
    return ACCESS_FAULT;
  // Misaligned accesses come here though the page is in the small TLB.
  const tlb = tlbOf(access);
  const small = smallEntry(tlb, virtual);
  if (load<u64>(small) == (virtual & ~u64(0xfff)))
    return u64(u32(virtual) + load<u32>(small, 8)) - u64(at.RAM) + RAM_BASE;
  const mode = access == Access.Execute ? privilege() : dataPrivilege();
  const walks = cell(at.COUNTER_PAGE_WALKS);
  let physical = isTranslated(mode) ? recall(virtual, access, mode) : PAGE_FAULT;
  const known = physical != PAGE_FAULT;
  if (!known) physical = translate(virtual, access, mode);
  if (physical >= ACCESS_FAULT) {
    if (physical == PAGE_ABSENT) setCell(at.COUNTER_PAGE_WALKS, walks);
    else fault(physical, access, virtual);
    return physical;
  }
  if (!permits(physical, length, access, mode)) {
    fault(ACCESS_FAULT, access, virtual);
    return ACCESS_FAULT;
  }
  const page = physical & ~u64(0xfff);
  if (!inRam(page, 4096)) return physical;
  if (!use(page)) {
    setCell(at.COUNTER_PAGE_WALKS, walks);
    return want();
  }
  if (access == Access.Write) markDirty(physical);
  if (!uniform(page)) return physical;
  if (!known && isTranslated(mode)) rememberLeaf(virtual, physical);
  if (!watched(virtual & ~u64(0xfff), access)) fillSmall(tlb, virtual, hostAddress(physical));
  return physical;
}

/**
 * As `resolve`, for translated code: linear-memory address of RAM in one page, or 0 for all that is not simple. Then
 * nothing has changed that a guest could see, nothing was counted or raised, and no poll was asked for.
 */
function settle(virtual: u64, length: u64, access: u32): u32 {
  if ((virtual & 0xfff) + length > 4096 || cell(at.TRIGGERS_ARMED) != 0) return 0;
  const tlb = tlbOf(access);
  const small = smallEntry(tlb, virtual);
  if (load<u64>(small) == (virtual & ~u64(0xfff))) return u32(virtual) + load<u32>(small, 8);
  const mode = dataPrivilege();
  if (!isTranslated(mode)) return 0;
  let physical = recall(virtual, access, mode);
  const known = physical != PAGE_FAULT;
  if (!known) physical = walk(virtual, access, mode, false);
  if (physical >= ACCESS_FAULT || !permits(physical, length, access, mode)) return 0;
  const page = physical & ~u64(0xfff);
  if (!inRam(page, 4096) || !use(page)) return 0;
  if (access == Access.Write) {
    if (isCode(u32((page - RAM_BASE) >> 12))) return 0;
    markDirty(physical);
  }
  if (!known) {
    if (!uniform(page)) return 0;
    count(at.COUNTER_PAGE_WALKS);
    rememberLeaf(virtual, physical);
  }
  fillSmall(tlb, virtual, hostAddress(physical));
  return hostAddress(physical);
}

export function settle_load(virtual: u64, size: u32): u32 {
  return settle(virtual, size, Access.Read);
}
export function settle_store(virtual: u64, size: u32): u32 {
  return settle(virtual, size, Access.Write);
}
export function settle_atomic(virtual: u64, size: u32): u32 {
  return (virtual & (size - 1)) == 0 ? settle(virtual, size, Access.Write) : 0;
}

/** Whether a load would find RAM: all of it, in whatever pages it lies. Raises nothing; see `pageWanted`. */
export function readable(virtual: u64, length: u64): bool {
  const last = virtual + length - 1;
  const walks = cell(at.COUNTER_PAGE_WALKS);
  for (let page = virtual; page <= last; page = (page | 0xfff) + 1) {
    const mode = dataPrivilege();
    let physical = isTranslated(mode) ? recall(page, Access.Read, mode) : PAGE_FAULT;
    if (physical == PAGE_FAULT) physical = translate(page, Access.Read, mode);
    if (physical < ACCESS_FAULT && inRam(physical, 1) && !use(physical)) physical = want();
    if (physical == PAGE_ABSENT) setCell(at.COUNTER_PAGE_WALKS, walks); // they are made again
    if (physical >= ACCESS_FAULT || !inRam(physical, 1)) return false;
    if (!permits(physical, min(last - page, 0xfff - (page & 0xfff)) + 1, Access.Read, mode)) return false;
  }
  return true;
}

/**
 * The same for the second page of an instruction, whose first one is at `first`. Where that one is too finely
 * protected for the TLB, its walk is made again with the instruction, and counts then.
 */
export function resolveSecond(first: u64, virtual: u64, length: u64, access: u32): u64 {
  const walks = cell(at.COUNTER_PAGE_WALKS);
  const physical = resolve(virtual, length, access);
  if (physical == PAGE_ABSENT && inRam(first, 1) && !uniform(first & ~u64(0xfff))) {
    setCell(at.COUNTER_PAGE_WALKS, walks - 1);
  }
  return physical;
}

/** Empties what depends on satp: everything but M-mode's. */
export function flushTranslations(): void {
  count(at.COUNTER_FLUSHES);
  forgetSpaces(true, 0);
}

/**
 * "Supervisor Memory-Management Fence Instruction", and sinval.vma, which may take effect at once. `everywhere`: in all
 * address spaces, else in those of one ASID, where global pages are not told apart.
 */
export function sfence_vma(all: u32, virtual: u64, everywhere: u32, asid: u64, word: u32): void {
  const p = privilege();
  if (p == Mode.U || (p == Mode.S && (status() & TVM) != 0)) {
    raise(2, word);
    return;
  }
  if (all != 0 || (virtual >= cell(at.SUPERPAGE_LOW) && virtual <= cell(at.SUPERPAGE_HIGH))) {
    count(at.COUNTER_FLUSHES);
    forgetSpaces(everywhere != 0, asid);
    requestPoll();
  } else {
    forgetPage(virtual, everywhere != 0, asid);
    // Whoever goes on in the page being run does not look it up again.
    if (virtual - cell(at.PC) + 0x2000 < 0x4000) requestPoll();
  }
}

/** sfence.w.inval and sfence.inval.ir order nothing here, but user mode may not execute them. "Svinval". */
export function supervisor_fence(word: u32): void {
  if (privilege() == Mode.U) raise(2, word);
}

/** There is no cache of decoded instructions to empty; the page being run is looked up again. */
export function fence_i(): void {
  requestPoll();
}
