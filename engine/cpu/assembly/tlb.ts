// The TLB: a large one by address space, and small ones in front that generated code looks into.
// Privileged ISA manual, "Supervisor Memory-Management Fence Instruction".
//
// Only the large one is the hart's state. It holds several address spaces, told apart by a number: an address space is
// emptied by giving it another. A small one holds only what the present space's part of the large one holds, so that a
// guest cannot tell whether a translation came from the one or the other.
import * as at from '../layout';
import { RAM_BASE, cell, setCell } from './state';

// Of an entry: see layout.ts.
const RIGHTS: u64 = 15;
const FRAME_SHIFT: u64 = 4;
const FRAME: u64 = 0xfffff;
const SPACE_SHIFT: u64 = 24;
const SPACE: u64 = 0xff;
const TAG_SHIFT: u64 = 32;
/** Bits of a virtual page's number. */
const PAGE_BITS: u64 = 45;
const INDEX_BITS: u64 = 14;
const INDEX: u64 = u64(at.STLB_ENTRIES) - 1;

/** Small TLBs by which satp's translations are remembered: all but M-mode's. */
const TRANSLATED: u32 = 3 * at.TLB_CONTEXT;
const TRANSLATED_END: u32 = at.TLB + TRANSLATED;
const EMPTY: u64 = u64.MAX_VALUE;

/** The last number of an address space. */
const LAST_SPACE: u64 = SPACE;
/** A hart that goes idle keeps no more entries than these: its checkpoints are small. */
const KEPT_WHEN_IDLE: u64 = 1024;

// --- The small TLBs.

/** Where the entry for an address is in one of them. */
export function smallEntry(tlb: u32, virtual: u64): u32 {
  return tlb + (u32(virtual >> 12) & (at.TLB_ENTRIES - 1)) * at.TLB_ENTRY;
}

/** Puts a page of RAM into a small TLB. */
export function fillSmall(tlb: u32, virtual: u64, host: u32): void {
  const entry = smallEntry(tlb, virtual);
  const page = virtual & ~u64(0xfff);
  store<u64>(entry, page);
  store<u32>(entry, (host & ~0xfff) - u32(page), 8);
  const count = load<u32>(at.FILLED_COUNT);
  if (entry >= TRANSLATED_END || count == at.FILLED_MOST) return;
  store<u16>(at.FILLED + 2 * count, u16((entry - at.TLB) / at.TLB_ENTRY));
  store<u32>(at.FILLED_COUNT, count + 1);
}

/** Empties the small TLBs but M-mode's. */
export function emptySmall(): void {
  const count = load<u32>(at.FILLED_COUNT);
  if (count == at.FILLED_MOST) {
    memory.fill(at.TLB, 0xff, TRANSLATED);
  } else {
    for (let i: u32 = 0; i < count; i++) {
      store<u64>(at.TLB + u32(load<u16>(at.FILLED + 2 * i)) * at.TLB_ENTRY, EMPTY);
    }
  }
  store<u32>(at.FILLED_COUNT, 0);
}

/** Empties all of them: the next access to any page is to be noticed. */
export function tlb_clean(): void {
  memory.fill(at.TLB, 0xff, at.TLB_END - at.TLB);
  store<u32>(at.FILLED_COUNT, 0);
}

function forgetSmall(virtual: u64): void {
  const page = virtual & ~u64(0xfff);
  for (let tlb: u32 = at.TLB; tlb < TRANSLATED_END; tlb += at.TLB_KIND) {
    const entry = smallEntry(tlb, virtual);
    if (load<u64>(entry) == page) store<u64>(entry, EMPTY);
  }
}

// --- The large one.

function pageOf(virtual: u64): u64 {
  return (virtual >> 12) & ((u64(1) << PAGE_BITS) - 1);
}

/** Spreads tags and spaces over the table; what lies together in memory stays together. */
function scatter(tag: u64, space: u64): u64 {
  return tag ^ (tag >> INDEX_BITS) ^ (space << 6);
}

function place(page: u64, space: u64): u32 {
  return at.STLB + u32((page ^ scatter(page >> INDEX_BITS, space)) & INDEX) * at.STLB_ENTRY;
}

/** The entry's bits that say what it stands for, together with its place. */
function key(page: u64, space: u64): u64 {
  return ((page >> INDEX_BITS) << TAG_SHIFT) | (space << SPACE_SHIFT);
}
const KEY: u64 = ~((u64(1) << SPACE_SHIFT) - 1);

/** The virtual page that an entry stands for: bit 56 of an address is repeated in those above. */
function virtualOf(address: u32, entry: u64): u64 {
  const tag = entry >> TAG_SHIFT;
  const index = u64((address - at.STLB) / at.STLB_ENTRY);
  const low = (index ^ scatter(tag, (entry >> SPACE_SHIFT) & SPACE)) & INDEX;
  return u64(i64(((tag << INDEX_BITS) | low) << 19) >> 7);
}

/** The present space's entry for an address; 0 where there is none. */
export function find(virtual: u64): u64 {
  const space = u64(load<u32>(at.SPACE));
  const page = pageOf(virtual);
  const entry = load<u64>(place(page, space));
  if (((entry ^ key(page, space)) & KEY) != 0 || entry == 0) return 0;
  // Addresses that are not canonical for any scheme have no entries.
  return u64((i64(virtual) << 7) >> 7) == virtual ? entry : 0;
}

/** What the entry lets be done, in the bits R, W, X and U. */
export function rightsOf(entry: u64): u32 {
  return u32(entry & RIGHTS);
}
/** Physical address of the page that it stands for. */
export function frameOf(entry: u64): u64 {
  return RAM_BASE + (((entry >> FRAME_SHIFT) & FRAME) << 12);
}

/** Remembers a translation of the present space to a page of RAM. */
export function remember(virtual: u64, physical: u64, rights: u32): void {
  const space = u64(load<u32>(at.SPACE));
  const page = pageOf(virtual);
  const address = place(page, space);
  const old = load<u64>(address);
  if (((old >> SPACE_SHIFT) & SPACE) == space) forgetSmall(virtualOf(address, old));
  const frame = (physical - RAM_BASE) >> 12;
  store<u64>(address, key(page, space) | (frame << FRAME_SHIFT) | u64(rights));
  setCell(at.TLB_MADE, cell(at.TLB_MADE) + 1);
}

function forgetIn(space: u64, virtual: u64): void {
  const page = pageOf(virtual);
  const address = place(page, space);
  if (((load<u64>(address) ^ key(page, space)) & KEY) == 0) store<u64>(address, 0);
}

// --- Address spaces.

function number(index: i32): u64 {
  return cell(at.SPACE_NUMBERS + 8 * index);
}
function setNumber(index: i32, space: u64): void {
  setCell(at.SPACE_NUMBERS + 8 * index, space);
}

/** Empties the table, and counts the spaces anew. */
function beginAnew(): void {
  memory.fill(at.STLB, 0, at.STLB_END - at.STLB);
  let last: u64 = 0;
  for (let i = 0; i < at.SPACES_MOST; i++) if (number(i) != 0) setNumber(i, ++last);
  setCell(at.NEXT_SPACE, last + 1);
}

/** Gives one of the spaces a number that no entry has. */
function renumber(index: i32): void {
  if (cell(at.NEXT_SPACE) > LAST_SPACE) {
    setNumber(index, 0);
    beginAnew();
  }
  const fresh = cell(at.NEXT_SPACE);
  setNumber(index, fresh);
  setCell(at.NEXT_SPACE, fresh + 1);
}

/** To be called when satp has changed: from now on, the TLB's entries of that space are the ones that count. */
export function selectSpace(): void {
  emptySmall();
  const satp = cell(at.SATP);
  store<u32>(at.SPACE, 0);
  if (satp >> 60 == 0) return;
  let free = -1;
  for (let i = 0; i < at.SPACES_MOST; i++) {
    if (number(i) == 0) {
      if (free < 0) free = i;
    } else if (cell(at.SPACES + 8 * i) == satp) {
      store<u32>(at.SPACE, u32(number(i)));
      return;
    }
  }
  if (free < 0) {
    free = i32(cell(at.NEXT_PLACE) % at.SPACES_MOST);
    setCell(at.NEXT_PLACE, u64(free + 1));
  }
  setCell(at.SPACES + 8 * free, satp);
  renumber(free);
  store<u32>(at.SPACE, u32(number(free)));
}

/** Whether a fence of an ASID concerns a space. The present one may always be emptied too. */
function concerns(index: i32, everywhere: bool, asid: u64): bool {
  const satp = cell(at.SPACES + 8 * index);
  return everywhere || satp == cell(at.SATP) || ((satp >> 44) & 0xffff) == (asid & 0xffff);
}

/** Empties the spaces of an ASID, or all. */
export function forgetSpaces(everywhere: bool, asid: u64): void {
  for (let i = 0; i < at.SPACES_MOST; i++) if (concerns(i, everywhere, asid)) setNumber(i, 0);
  if (everywhere) {
    setCell(at.SUPERPAGE_LOW, u64.MAX_VALUE);
    setCell(at.SUPERPAGE_HIGH, 0);
    setCell(at.TLB_MADE, 0);
  }
  selectSpace();
}

/** Forgets one page in the spaces of an ASID, or in all. */
export function forgetPage(virtual: u64, everywhere: bool, asid: u64): void {
  forgetSmall(virtual);
  for (let i = 0; i < at.SPACES_MOST; i++) {
    if (number(i) != 0 && concerns(i, everywhere, asid)) forgetIn(number(i), virtual);
  }
}

/** As at power-on. */
export function tlb_reset(): void {
  tlb_clean();
  for (let i = 0; i < at.SPACES_MOST; i++) setNumber(i, 0);
  setCell(at.NEXT_PLACE, 0);
  beginAnew();
  forgetSpaces(true, 0);
}

/** The hart goes idle: much that it has translated will not be wanted again. */
export function trim(): void {
  if (cell(at.TLB_MADE) > KEPT_WHEN_IDLE) forgetSpaces(true, 0);
}
