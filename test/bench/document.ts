/** docs/performance.md: what a run of the benchmarks measured. */
import { show, verdict } from './table';
import type { Figure, Report } from './workload';

export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cpus: number;
  /** Processes that wanted a CPU in the minute before, on average: above `cpus`, times are too long. */
  readonly load: number;
}

interface Measured {
  readonly title: string;
  readonly report: Report;
}

/** Ratios and sizes are about the same on any machine; times are not. */
const ABSOLUTE: readonly Figure['unit'][] = ['ms'];

export function performanceDocument(measured: readonly Measured[], machine: Machine, date: Date): string {
  const section = (heading: string, wanted: (figure: Figure) => boolean): string[] => [
    `## ${heading}`,
    '',
    ...measured.flatMap(({ title, report }) => {
      if ('skipped' in report) return [];
      const figures = report.figures.filter(wanted);
      if (figures.length === 0) return [];
      return [`### ${title}`, '', ...rows(report.runs, figures), ''];
    }),
  ];
  const skipped = measured.flatMap(({ title, report }) =>
    'skipped' in report ? [`Skipped: ${title}. ${report.skipped}`, ''] : [],
  );
  return [
    '# Performance',
    '',
    'Written by `npm run bench -- --write`, which measures everything anew; not by hand.',
    '',
    `Measured ${date.toISOString().slice(0, 10)} with Node ${machine.node} on ${machine.cpus} CPUs ` +
      `(${machine.cpu}); load average before: ${machine.load.toFixed(1)}.`,
    '',
    ...skipped,
    ...section('Ratios and sizes', ({ unit }) => !ABSOLUTE.includes(unit)),
    ...section('Times', ({ unit }) => ABSOLUTE.includes(unit)),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

function rows(runs: number, figures: readonly Figure[]): string[] {
  const cells = [
    [`median of ${runs}`, 'value', 'range', 'target'],
    ...figures.map((figure) => [
      figure.name,
      show(figure.value, figure),
      figure.range ? figure.range.map((value) => show(value, figure)).join(' to ') : '',
      figure.target === undefined ? '' : verdict(figure.value, figure.target, figure),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(cells[0] ?? []), rule, ...cells.slice(1).map(line)];
}
