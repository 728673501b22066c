/** The demonstration's result for people: at most 80 columns, plain text. */
import type { SliceMetrics } from '../../lambdas/store/store';
import type { Report } from './debian-vm';
import { aligned, compact } from './table';

type Column = readonly [heading: string, cell: (slice: SliceMetrics, number: number) => string | number];

const COLUMNS: readonly Column[] = [
  ['slice', (_, number) => number],
  ['worker', ({ worker }) => worker],
  ['gen', ({ generation }) => generation],
  ['Minstr', ({ instructions }) => (instructions / 1e6).toFixed(1)],
  ['wall', ({ startedAt, endedAt }) => endedAt - startedAt],
  ['restore', ({ restoreMs }) => restoreMs],
  ['pages', ({ pages }) => pages.dirty],
  ['KiB', ({ bytesWritten }) => Math.ceil(bytesWritten / 1024)],
  ['irq', ({ exits }) => compact(exitsOf(exits, 'irq'))],
  ['ecall', ({ exits }) => compact(exitsOf(exits, 'ecall'))],
  ['mmio', ({ exits }) => compact(exitsOf(exits, 'mmio'))],
  ['walk', ({ exits }) => compact(exitsOf(exits, 'walk'))],
  ['other', ({ exits }) => compact(exitsOf(exits, 'other'))],
];

const LEGEND = [
  'wall, restore: milliseconds; pages: 4 KiB pages changed; KiB: written in all.',
  'Exits from guest code: interrupts, environment calls, device registers, page',
  'walks, others (faults, TLB flushes); --json has every cause.',
];

/** Causes are many; a table of 80 columns has room for their kinds. */
const KINDS: readonly (readonly [kind: string, causes: RegExp])[] = [
  ['irq', /interrupt$/],
  ['ecall', /^ecall/],
  ['mmio', /^mmio/],
  ['walk', /^page-walk/],
];

export function reportTable(report: Report): string {
  const { kill, slices, workers, workerMemory, milliseconds } = report;
  const written = slices.reduce((sum, slice) => sum + slice.bytesWritten, 0) / 1024 / 1024;
  return [
    '',
    ...aligned([
      COLUMNS.map(([heading]) => heading),
      ...slices.map((slice, index) => COLUMNS.map(([, cell]) => String(cell(slice, index + 1)))),
    ]),
    '',
    ...LEGEND,
    '',
    `Worker ${kill.worker} was killed ${kill.afterMs} ms into slice ${kill.generation}; ` +
      `worker ${kill.takenUpBy} took it up again.`,
    `Debian was at its prompt after ${report.bootSlices} slices and ${(milliseconds.boot / 1000).toFixed(1)} s.`,
    `${slices.length} slices on workers ${workers.join(', ')}; ${written.toFixed(1)} MiB written.`,
    `A worker process took ${Math.ceil(workerMemory / 1024 / 1024)} MiB of memory at most.`,
    '',
  ].join('\n');
}

function exitsOf(exits: Readonly<Record<string, number>>, wanted: string): number {
  return Object.entries(exits)
    .filter(([cause]) => (KINDS.find(([, causes]) => causes.test(cause))?.[0] ?? 'other') === wanted)
    .reduce((sum, [, count]) => sum + count, 0);
}
