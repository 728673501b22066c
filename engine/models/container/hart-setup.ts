/** A hart for user mode alone: nothing is delegated, all of RAM may be accessed, floating point, vectors and clocks are on. */
import { hasVectors } from '../../cpu/context';
import type { Hart } from '../../cpu/hart';
import * as at from '../../cpu/layout';

/** One entry: NAPOT over all addresses, with R, W and X. */
const OPEN = 0x1fn;
const EVERYTHING = (1n << 54n) - 1n;
const FLOATING_POINT_ON = 3n << 13n;
const VECTORS_ON = 3n << 9n;
/** cycle, time, instret. */
const COUNTERS = 7n;
/** senvcfg: `cbo.zero` is for programs too, as under Linux. */
const CBZE = 1n << 7n;

export function prepareHart(hart: Hart, extensions: readonly string[]): void {
  hart.setCell(at.PMPCFG, OPEN);
  hart.setCell(at.PMPADDR, EVERYTHING);
  const vectors = hasVectors(extensions) ? VECTORS_ON : 0n;
  hart.setCell(at.MSTATUS, FLOATING_POINT_ON | vectors);
  hart.setCell(at.MCOUNTEREN, COUNTERS);
  hart.setCell(at.SCOUNTEREN, COUNTERS);
  hart.setCell(at.SENVCFG, CBZE);
  hart.privilege = 0;
  hart.restoreState(hart.saveState()); // what is derived from these is looked at anew
}
