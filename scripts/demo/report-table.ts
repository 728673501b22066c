/** The demonstration's result for people: at most 80 columns, plain text. */
import Table from 'cli-table3';
import type { SliceMetrics } from '../../lambdas/store/store';
import type { Report } from './story';

const HEADINGS = [
  'slice',
  'worker',
  'gen',
  'Minstr',
  'wall ms',
  'restore ms',
  'pages',
  'KiB',
  'exits by cause',
];
/** With the two spaces between columns this makes 80. */
const EXITS_WIDTH = 21;

export function reportTable(report: Report): string {
  const rows = report.slices.map((slice, index) => row(slice, index + 1));
  const table = new Table({
    head: HEADINGS,
    chars: Object.fromEntries(BORDERS.map((name) => [name, ''])),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
    colAligns: ['right', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    colWidths: [6, 7, 4, 7, 8, 11, 6, 6, EXITS_WIDTH],
    wordWrap: true,
  });
  table.push(...rows);
  const { kill } = report;
  const total = report.slices.reduce((sum, slice) => sum + slice.bytesWritten, 0);
  return [
    '',
    table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
    '',
    `Worker ${kill.worker} was killed ${kill.afterMs} ms into slice ${kill.generation}; worker ${kill.takenUpBy} ran it again.`,
    `Debian was at its prompt after ${report.bootSlices} slices and ${seconds(report.milliseconds.boot)}.`,
    `${report.slices.length} slices on ${report.workers.length} worker processes (${report.workers.join(', ')}), ` +
      `${(total / 1024 / 1024).toFixed(1)} MiB written.`,
    '',
  ].join('\n');
}

const BORDERS = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
];

function row(slice: SliceMetrics, number: number): string[] {
  return [
    String(number),
    slice.worker,
    String(slice.generation),
    (slice.instructions / 1e6).toFixed(1),
    String(slice.endedAt - slice.startedAt),
    `${slice.restoreMs} ${slice.restoredFrom}`,
    String(slice.pages.dirty),
    String(Math.ceil(slice.bytesWritten / 1024)),
    exits(slice.exits),
  ];
}

/** The most frequent first. */
function exits(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([cause, count]) => `${cause} ${compact(count)}`)
    .join(', ');
}

function compact(count: number): string {
  if (count < 10_000) return String(count);
  return count < 1e6 ? `${Math.round(count / 1e3)}k` : `${(count / 1e6).toFixed(1)}M`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
