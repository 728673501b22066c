// Physical memory protection. Privileged ISA manual, "Physical Memory Protection", "Smepmp".
import * as at from '../layout';
import { Mode, cell, setCell } from './state';

export const PMP_ENTRIES = 16;

export const enum Access {
  Read = 1,
  Write = 2,
  Execute = 4,
}

// pmpcfg
const LOCKED: u32 = 0x80;
const TOP_OF_RANGE: u32 = 8;
const MATCHING: u32 = 0x18;
const RIGHTS: u32 = 7;

// mseccfg
const MML: u64 = 1; // rules are M-mode's, or the others', or shared
const MMWP: u64 = 2; // what no rule covers is out of M-mode's reach too
const RLB: u64 = 4; // locked rules may be edited

/**
 * Rights under MML, a digit each (RWX as in `Access`: read 1, write 2, execute 4) by the rule's L, X, W and R: the
 * manual's truth table. Without W, or with both R and W, a rule is for one side; W alone, and LRWX, share.
 *
 *   L X W R                     1111 1110 1101 1100 1011 1010 1001 1000  0111 0110 0101 0100 0011 0010 0001 0000
 */
const MML_MACHINE: u64 /*   */ = 0x1_5_5_4_3_4_1_0_0_3_0_0_0_3_0_0;
const MML_OTHERS: u64 /*    */ = 0x1_4_0_0_0_4_0_0_7_3_5_4_3_1_1_0;

function secured(bit: u64): bool {
  return (cell(at.MSECCFG) & bit) != 0;
}

function configuration(entry: i32): u32 {
  return load<u8>(at.PMPCFG + entry);
}
function address(entry: i32): u64 {
  return load<u64>(at.PMPADDR + 8 * entry);
}

/** First byte of an entry's range, and (last) its end; set by `range`. */
let low: u64 = 0;
let high: u64 = 0;

/** Computes the entry's range; false when it is off. */
function range(entry: i32): bool {
  const a = address(entry);
  switch ((configuration(entry) >> 3) & 3) {
    case 1: // TOR
      low = entry == 0 ? 0 : address(entry - 1) << 2;
      high = a << 2;
      return low < high;
    case 2: // NA4
      low = a << 2;
      high = low + 4;
      return true;
    case 3: {
      // NAPOT
      const ones = ctz<u64>(~a);
      low = ones >= 54 ? 0 : (a & ~((u64(1) << (ones + 1)) - 1)) << 2;
      high = ones >= 54 ? u64(1) << 57 : low + (u64(8) << ones);
      return true;
    }
    default:
      return false;
  }
}

/** Number of entries that are on; zero lets the common case out early. */
let active: i32 = 0;

/** A range that the same entry, or none, holds for throughout, and what it lets S and U-mode do: the last one asked for. */
let known: u64 = 0;
let knownEnd: u64 = 0;
let knownRights: u32 = 0;

/** To be called after any write to a PMP register, and after a restore. */
export function pmp_update(): void {
  known = knownEnd = 0;
  active = 0;
  for (let entry = 0; entry < PMP_ENTRIES; entry++)
    if ((configuration(entry) & 0x18) != 0) active = entry + 1;
}

/** What a rule lets a mode do. */
function rights(c: u32, mode: u32): u32 {
  if (secured(MML)) {
    const rule = ((c & LOCKED) >> 4) | (c & RIGHTS);
    return u32((mode == Mode.M ? MML_MACHINE : MML_OTHERS) >> (4 * rule)) & RIGHTS;
  }
  return mode == Mode.M && (c & LOCKED) == 0 ? RIGHTS : c & RIGHTS;
}

/** What a mode may do where no rule is: there always are rules, off or not, so that only M-mode may do anything. */
function rightsElsewhere(mode: u32): u32 {
  if (mode != Mode.M || secured(MMWP)) return 0;
  return secured(MML) ? RIGHTS & ~Access.Execute : RIGHTS;
}

/** Notes what the others than M-mode may do around a place: entries before the one that matches cut its range. */
function learn(physical: u64): void {
  known = 0;
  knownEnd = u64.MAX_VALUE;
  knownRights = rightsElsewhere(Mode.S);
  for (let entry = 0; entry < active; entry++) {
    if (!range(entry)) continue;
    if (physical >= low && physical < high) {
      known = max(known, low);
      knownEnd = min(knownEnd, high);
      knownRights = rights(configuration(entry), Mode.S);
      return;
    }
    if (physical < low) knownEnd = min(knownEnd, low);
    else known = max(known, high);
  }
}

/** True when `length` bytes at `physical` may be accessed so in this mode. */
export function permits(physical: u64, length: u64, access: u32, mode: u32): bool {
  if (mode != Mode.M) {
    if (physical < known || physical >= knownEnd) learn(physical);
    if (physical + length <= knownEnd) return (knownRights & access) != 0;
  }
  for (let entry = 0; entry < active; entry++) {
    if (!range(entry)) continue;
    const end = physical + length;
    if (end <= low || physical >= high) continue;
    if (physical < low || end > high) return false; // matches some bytes but not all
    return (rights(configuration(entry), mode) & access) != 0;
  }
  return (rightsElsewhere(mode) & access) != 0;
}

/** True when one answer holds for the whole page, so that a TLB entry may stand for it. */
export function uniform(page: u64): bool {
  if (page >= known && page < knownEnd && knownEnd - page >= 4096) return true;
  for (let entry = 0; entry < active; entry++) {
    if (!range(entry)) continue;
    const end = page + 4096;
    if (end <= low || page >= high) continue;
    return page >= low && end <= high;
  }
  return true;
}

function mayEdit(entry: i32): bool {
  return (configuration(entry) & LOCKED) == 0 || secured(RLB);
}

/** Under MML no rule may be added that lets M-mode execute, unless locked rules may be edited too. */
function addsExecution(c: u32): bool {
  if (!secured(MML) || secured(RLB) || (c & LOCKED) == 0) return false;
  const r = c & RIGHTS;
  return r != RIGHTS && ((r & Access.Execute) != 0 || r == Access.Write);
}

/** pmpcfg0 or 2: eight rules from `first` on. A rule that may not be changed, or not so, stays. */
export function writeConfigurations(first: i32, value: u64): void {
  for (let i = 0; i < 8; i++) {
    const old = configuration(first + i);
    let c = u32(value >> (8 * i)) & (LOCKED | MATCHING | RIGHTS);
    if (!mayEdit(first + i) || addsExecution(c)) continue;
    // W without R is reserved without MML.
    if (!secured(MML) && (c & 3) == 2) c = (c & ~u32(2)) | (old & 2);
    store<u8>(at.PMPCFG + first + i, u8(c));
  }
  pmp_update();
}

export function writeAddress(entry: i32, value: u64): void {
  if (!mayEdit(entry)) return;
  // A locked top-of-range entry locks the address below it as well.
  const next = entry + 1;
  if (next < PMP_ENTRIES && !mayEdit(next) && (configuration(next) & MATCHING) == TOP_OF_RANGE) return;
  store<u64>(at.PMPADDR + (entry << 3), value & 0x003fffffffffffff);
  pmp_update();
}

/** mseccfg: MML and MMWP stay once they are set; RLB cannot be set again once there is a locked rule. */
export function writeSecurity(value: u64): void {
  const old = cell(at.MSECCFG);
  let locked = false;
  for (let entry = 0; entry < PMP_ENTRIES; entry++) if ((configuration(entry) & LOCKED) != 0) locked = true;
  const lockBypass = (old & RLB) == 0 && locked ? 0 : value & RLB;
  setCell(at.MSECCFG, (old & (MML | MMWP)) | (value & (MML | MMWP)) | lockBypass);
  pmp_update();
}
