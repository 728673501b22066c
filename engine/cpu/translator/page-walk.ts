/**
 * Where code lies, without leaving a trace: a walk that sets no A bit, counts
 * nothing and checks no rights. What it finds is a guess that translated code
 * checks against the TLB whenever it goes there.
 */
import * as at from '../layout';

const RAM_BASE = 0x80000000n;
const V = 1n;
const LEAF = 2n | 8n;
const PPN = 0x003ffffffffffc00n;

/** As in the privilege cell. */
const MACHINE = 3;

export interface AddressSpace {
  readonly satp: bigint;
  readonly privilege: number;
}

/** Place in linear memory of the page at `virtual`; undefined where there is none in RAM. */
export function walk(
  memory: DataView,
  { satp, privilege }: AddressSpace,
  virtual: bigint,
): number | undefined {
  const ramSize = memory.getBigUint64(at.RAM_SIZE, true);
  const place = (physical: bigint): number | undefined =>
    physical >= RAM_BASE && physical - RAM_BASE < ramSize ? at.RAM + Number(physical - RAM_BASE) : undefined;
  const scheme = Number(satp >> 60n);
  if (privilege === MACHINE || scheme === 0) return place(virtual & ~0xfffn);
  let table = (satp & 0xfffffffffffn) << 12n;
  for (let level = scheme - 6; level >= 0; level--) {
    const shift = BigInt(12 + 9 * level);
    const entry = place(table + (((virtual >> shift) & 0x1ffn) << 3n));
    if (entry === undefined) return undefined;
    const pte = memory.getBigUint64(entry, true);
    if ((pte & V) === 0n) return undefined;
    const base = (pte & PPN) << 2n;
    if ((pte & LEAF) !== 0n) return place(base | (virtual & ((1n << shift) - 1n) & ~0xfffn));
    table = base;
  }
  return undefined;
}
