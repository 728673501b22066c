// Cache-block operations: Unprivileged ISA manual, "Zicbom" and "Zicboz". AssemblyScript.
// There is no cache, so that only their permissions matter, and what `cbo.zero` writes. Faults name the block's address.
import * as at from '../layout';
import { ACCESS_FAULT, fault, hostAddress, inRam, pageWanted, resolve, translate } from './mmu';
import { Access, permits } from './pmp';
import { Mode, cell, dataPrivilege, privilege, setCell } from './state';
import { illegal } from './trap';

const BLOCK: u64 = 64;

// Fields of menvcfg, for S-mode and below, and of senvcfg, for U-mode. "Machine Environment Configuration".
const CBIE: u64 = 3 << 4;
const CBCFE: u64 = 1 << 6;
const CBZE: u64 = 1 << 7;

function enabled(field: u64): bool {
  const p = privilege();
  if (p != Mode.M && (cell(at.MENVCFG) & field) == 0) return false;
  return p != Mode.U || (cell(at.SENVCFG) & field) != 0;
}

function readable(block: u64): bool {
  const mode = dataPrivilege();
  const physical = translate(block, Access.Read, mode);
  return physical < ACCESS_FAULT && permits(physical, BLOCK, Access.Read, mode);
}

/** Allowed wherever a load or a store is; where neither is, the fault is a store's. */
function manage(virtual: u64, field: u64, word: u32): void {
  if (!enabled(field)) return illegal(word);
  const block = virtual & ~(BLOCK - 1);
  const walks = cell(at.COUNTER_PAGE_WALKS);
  if (!readable(block) && !pageWanted()) resolve(block, BLOCK, Access.Write);
  if (pageWanted()) setCell(at.COUNTER_PAGE_WALKS, walks);
}

/** menvcfg may ask for a flush in place of invalidation: without a cache they are one. */
export function cbo_inval(virtual: u64, word: u32): void {
  manage(virtual, CBIE, word);
}
export function cbo_clean(virtual: u64, word: u32): void {
  manage(virtual, CBCFE, word);
}
export function cbo_flush(virtual: u64, word: u32): void {
  manage(virtual, CBCFE, word);
}

/** Zeroes the block that holds the address, which need not be aligned. Device registers cannot be zeroed. */
export function cbo_zero(virtual: u64, word: u32): void {
  if (!enabled(CBZE)) return illegal(word);
  const block = virtual & ~(BLOCK - 1);
  const physical = resolve(block, BLOCK, Access.Write);
  if (physical >= ACCESS_FAULT) return;
  if (inRam(physical, BLOCK)) memory.fill(hostAddress(physical), 0, usize(BLOCK));
  else fault(ACCESS_FAULT, Access.Write, block);
}
