/**
 * The TLBs as bytes: the valid entries, by slot. An entry comes back as clean,
 * whatever it was: after a restore nothing is dirty, and pages may be absent.
 *
 *   u16 slot | u64 virtual page | u32 page of RAM      for each entry
 */
import { StateError } from '../snapshot/errors';
import * as at from './layout';

const ENTRY_SIZE = 14;
const SLOTS = (at.TLB_END - at.TLB) / at.TLB_ENTRY;
const INVALID = (1n << 64n) - 1n;
const PAGE_MASK = 0xfff;
const CLEAN = BigInt(at.TLB_CLEAN);

export function saveTlbs(memory: DataView): Uint8Array {
  const out = new DataView(new ArrayBuffer(SLOTS * ENTRY_SIZE));
  let length = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    const entry = at.TLB + slot * at.TLB_ENTRY;
    const tag = memory.getBigUint64(entry, true);
    if (tag === INVALID) continue;
    const page = tag & ~CLEAN;
    const host = (Number(page & 0xffffffffn) + memory.getUint32(entry + 8, true)) >>> 0;
    out.setUint16(length, slot, true);
    out.setBigUint64(length + 2, page, true);
    out.setUint32(length + 10, (host - at.RAM) >>> 12, true);
    length += ENTRY_SIZE;
  }
  return new Uint8Array(out.buffer, 0, length).slice();
}

/** Into TLBs that are empty. @throws StateError when an entry cannot be. */
export function restoreTlbs(memory: DataView, saved: Uint8Array, ramPages: number): void {
  const input = new DataView(saved.buffer, saved.byteOffset, saved.length);
  if (saved.length % ENTRY_SIZE !== 0)
    throw new StateError(`hart: TLBs of ${saved.length} bytes end in mid-entry`);
  for (let place = 0; place < saved.length; place += ENTRY_SIZE) {
    const slot = input.getUint16(place, true);
    const page = input.getBigUint64(place + 2, true);
    const ramPage = input.getUint32(place + 10, true);
    if (slot >= SLOTS || ramPage >= ramPages || (page & BigInt(PAGE_MASK)) !== 0n) {
      throw new StateError(
        `hart: TLB entry ${place / ENTRY_SIZE} (slot ${slot}, page of RAM ${ramPage}) cannot be`,
      );
    }
    const entry = at.TLB + slot * at.TLB_ENTRY;
    memory.setBigUint64(entry, page | CLEAN, true);
    memory.setUint32(entry + 8, at.RAM + ramPage * 4096 - Number(page & 0xffffffffn), true);
  }
}
