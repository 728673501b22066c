/**
 * Where a guest is, looked at once in a million instructions: how hot each
 * place is. Samples are equally far apart in instructions, so a place's part
 * of the samples is its part of what was executed.
 */
import * as at from '../layout';

/** Steps between two samples at least. */
const INTERVAL = 1_000_000;
/** Places that are told apart; further ones are not counted. */
const PLACES_MOST = 65_536;

export interface Sample {
  /** Place in linear memory; undefined: not to be found without a trace. */
  readonly place: number | undefined;
  readonly pc: bigint;
  /** 0 U, 1 S, 3 M. */
  readonly privilege: number;
  count: number;
}

export class Samples {
  /** How many were taken. */
  total = 0;
  private readonly samples = new Map<number | bigint, Sample>();
  private last = 0;

  constructor(private readonly cells: DataView) {}

  all(): Iterable<Readonly<Sample>> {
    return this.samples.values();
  }

  /** Between two runs: takes a sample if it is time for one. */
  take(): void {
    const { cells } = this;
    const now = cells.getUint32(at.STEPS, true);
    if ((now - this.last) >>> 0 < INTERVAL) return;
    this.last = now;
    this.total++;
    const pc = cells.getBigUint64(at.PC, true);
    const privilege = cells.getUint32(at.PRIVILEGE, true);
    const place = placeOf(cells, pc);
    const key = place === undefined ? pc : 4 * place + privilege;
    const known = this.samples.get(key);
    if (known) known.count++;
    else if (this.samples.size < PLACES_MOST) this.samples.set(key, { place, pc, privilege, count: 1 });
  }
}

/** Place of the instruction at `pc`, if the fetch TLB has it: looking further would leave a trace. */
export function placeOf(cells: DataView, pc: bigint): number | undefined {
  const tlb = cells.getUint32(at.FETCH_TLB, true);
  const index = Number((pc >> 12n) & BigInt(at.TLB_ENTRIES - 1));
  const entry = tlb + index * at.TLB_ENTRY;
  if (cells.getBigUint64(entry, true) !== (pc & ~0xfffn)) return undefined;
  return (Number(pc & 0xffffffffn) + cells.getUint32(entry + 8, true)) >>> 0;
}
