/** Names of the cells of a hart's state, for those who show it: registers by their ABI names, CSRs by the manual's. */
import { floatNames, integerNames } from '../isa/disassembler';
import { selectable } from '../isa/extensions';
import { csrRows } from './csr';
import * as at from './layout';

/** What has no register of its own, or goes by another name than its register's. */
const others: readonly (readonly [cell: number, name: string])[] = [
  [at.PC, 'pc'],
  [at.PRIVILEGE, 'privilege'],
  [at.WAITING, 'waiting'],
  [at.STEPS, 'steps'],
  [at.TRAPPED_STEPS, 'trapped steps'],
  [at.TIME_OFFSET, 'time offset'],
  [at.MTIMECMP, 'mtimecmp'],
  [at.LINES, 'interrupt lines'],
  [at.RESERVATION, 'reservation'],
  [at.RESERVED_VALUE, 'reserved value'],
  [at.SUPERPAGE_LOW, 'lowest superpage'],
  [at.SUPERPAGE_HIGH, 'highest superpage'],
  [at.STEPS_PER_TICK, 'steps per tick'],
  [at.HART_ID, 'mhartid'],
  [at.STEPS_ELSEWHERE, 'steps of other harts'],
];

function* named(): Generator<readonly [cell: number, name: string]> {
  for (let number = 1; number < 32; number++) yield [at.X + 8 * number, integerNames[number]!];
  for (let number = 0; number < 32; number++) yield [at.F + 8 * number, floatNames[number]!];
  for (let number = 0; number < 32; number++) {
    yield [at.V + 16 * number, `v${number}[0]`];
    yield [at.V + 16 * number + 8, `v${number}[1]`];
  }
  yield* others;
  for (const { cell, name } of csrRows(selectable)) if (cell !== 0) yield [cell, name];
}

function collect(): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  // A view of a register (sstatus, cycle) comes after the register in no order that could be relied on: M-mode's is meant.
  for (const [cell, name] of named()) {
    if (!names.has(cell) || name.startsWith('m')) names.set(cell, name);
  }
  return names;
}

/** By the cell's place in layout.ts. */
export const cellNames: ReadonlyMap<number, string> = collect();

/** Cells without a name, in between, go by their place. */
export const cellName = (cell: number): string => cellNames.get(cell) ?? `cell 0x${cell.toString(16)}`;

/** 0 U, 1 S, 3 M. */
export const privilegeNames: Readonly<Record<number, string>> = { 0: 'U', 1: 'S', 3: 'M' };
