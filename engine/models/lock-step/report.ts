/** What was found, for whoever has to mend it. */
import { exitCounters } from '../../cpu/exit-counters';
import { type Symbols, hexadecimal } from '../../cpu/inspection';
import * as at from '../../cpu/layout';
import { cellName } from '../../cpu/cell-names';
import { disassemble, integerNames } from '../../isa/disassembler';
import type { Guest } from '../guest';
import type { Difference } from './differences';
import type { Finding, Pair } from './search';

/** Instructions that are shown at most. */
const MOST_SHOWN = 40;
const MOST_DIFFERENCES = 24;

export function report(pair: Pair, finding: Finding, symbols: Symbols | undefined): string {
  const { interpreter } = pair;
  const { after, within } = finding;
  const shown = Math.min(within, MOST_SHOWN);
  pair.rollBack(interpreter);
  if (after > shown) pair.run(interpreter, after - shown);
  const first = interpreter.instructions;
  const lines: string[] = [];
  for (let left = shown; left > 1; left--) {
    lines.push(where(interpreter, symbols));
    pair.run(interpreter, 1);
  }
  const number = interpreter.instructions;
  const last = where(interpreter, symbols);
  const operands = operandsOf(interpreter);
  const hart = interpreter.inspection?.harts.current ?? 0;
  pair.run(interpreter, 1);
  return [
    `interpreter and translator differ after instruction ${number} (hart ${hart})`,
    ...(within === 1
      ? [`  at ${last}`, ...operands]
      : [
          `  in a region that ends with the last of these${shown < within ? ', and began before them' : ''}:`,
          ...[...lines, last].map((line) => `    ${line}`),
        ]),
    ...table(finding.differences),
    `  (to see it again: --trace --trace-from ${Math.max(0, first - 20)} --trace-count ${shown + 40})`,
  ].join('\n');
}

/** For a difference that does not come again from where both were equal. */
export const coarseReport = (from: number, to: number, found: readonly Difference[]): string =>
  [
    `interpreter and translator differ between instructions ${from} and ${to}, and not when that is run again:`,
    '  it matters when what was translated. What differs:',
    ...table(found),
  ].join('\n');

const where = ({ inspection }: Guest, symbols: Symbols | undefined): string =>
  inspection?.describe(symbols) ?? '(no hart to be seen)';

/** The registers that the instruction names, as they are before it. */
function operandsOf({ inspection }: Guest): readonly string[] {
  const word = inspection?.word(inspection.cell(at.PC));
  if (!inspection || word === undefined) return [];
  const named = new Set(disassemble(word).match(/\b[a-z]+\d*\b/g) ?? []);
  const cells = [...integerNames.keys()].slice(1).map((number) => at.X + 8 * number);
  for (let number = 0; number < 32; number++) cells.push(at.F + 8 * number);
  const shown = cells.filter((cell) => named.has(cellName(cell)));
  const values = shown.map((cell) => `${cellName(cell)}=${hexadecimal(inspection.cell(cell))}`);
  return values.length === 0 ? [] : [`  before: ${values.join(' ')}`];
}

const exitNames = new Map(exitCounters.map(([cell, name]) => [cellName(cell), `count of ${name}`]));

function table(found: readonly Difference[]): readonly string[] {
  const rows = [
    { what: '', interpreter: 'interpreter', translator: 'translator' },
    ...found
      .slice(0, MOST_DIFFERENCES)
      .map((each) => ({ ...each, what: exitNames.get(each.what) ?? each.what })),
  ];
  const width = (key: keyof Difference): number => Math.max(...rows.map((row) => row[key].length));
  const [what, interpreter] = [width('what'), width('interpreter')];
  const more = found.length - MOST_DIFFERENCES;
  return [
    ...rows.map((row) =>
      `  ${row.what.padEnd(what)}  ${row.interpreter.padEnd(interpreter)}  ${row.translator}`.trimEnd(),
    ),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
