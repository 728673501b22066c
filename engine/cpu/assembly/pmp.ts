// Physical memory protection. Privileged ISA manual, "Physical Memory Protection".
import * as at from '../layout';
import { Mode } from './state';

export const PMP_ENTRIES = 16;

export const enum Access {
  Read = 1,
  Write = 2,
  Execute = 4,
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

/** To be called after any write to a PMP register, and after a restore. */
export function pmp_update(): void {
  active = 0;
  for (let entry = 0; entry < PMP_ENTRIES; entry++)
    if ((configuration(entry) & 0x18) != 0) active = entry + 1;
}

/** True when `length` bytes at `physical` may be accessed so in this mode. */
export function permits(physical: u64, length: u64, access: u32, mode: u32): bool {
  for (let entry = 0; entry < active; entry++) {
    if (!range(entry)) continue;
    const end = physical + length;
    if (end <= low || physical >= high) continue;
    if (physical < low || end > high) return false; // matches some bytes but not all
    const c = configuration(entry);
    if (mode == Mode.M && (c & 0x80) == 0) return true;
    return (c & access) == access;
  }
  // No match: only M-mode may, once there are entries at all (there always are, off or not).
  return mode == Mode.M;
}

/** True when one answer holds for the whole page, so that a TLB entry may stand for it. */
export function uniform(page: u64): bool {
  for (let entry = 0; entry < active; entry++) {
    if (!range(entry)) continue;
    const end = page + 4096;
    if (end <= low || page >= high) continue;
    return page >= low && end <= high;
  }
  return true;
}
