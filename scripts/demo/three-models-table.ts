/** The comparison of the models for people: at most 80 columns, plain text. */
import { aligned, compact } from './table';
import type { GuestReport, ModelsReport } from './three-models';

type Column = readonly [heading: string, cell: (guest: GuestReport) => string];

const COLUMNS: readonly Column[] = [
  ['model', ({ model }) => model],
  ['slices', ({ first }) => String(first.slices)],
  ['Minstr', ({ first }) => (first.instructions / 1e6).toFixed(1)],
  ['first answer s', ({ milliseconds }) => (milliseconds.first / 1000).toFixed(2)],
  ['next answer s', ({ milliseconds }) => (milliseconds.second / 1000).toFixed(2)],
  ['checkpoint KiB', ({ checkpointBytes }) => String(Math.ceil(checkpointBytes / 1024))],
];

const LEGEND = [
  'slices, Minstr (million instructions): up to the first answer, boot included.',
  'first: from the event to its committed result; next: the same for an event to',
  'guests that are up, all at once. checkpoint: what the store holds of the guest.',
];

/** What is left of 80 columns for the causes of exits. */
const CAUSES_WIDTH = 66;

export function modelsTable(report: ModelsReport): string {
  const failures = Object.entries(report.failures);
  return [
    '',
    ...aligned(
      [
        COLUMNS.map(([heading]) => heading),
        ...report.guests.map((guest) => COLUMNS.map(([, cell]) => cell(guest))),
      ],
      new Set([0]),
    ),
    '',
    ...LEGEND,
    '',
    'Exits from guest code up to the first answer, the most frequent causes:',
    ...aligned(
      report.guests.map(({ model, first }) => [`  ${model}`, mostFrequent(first.exits)]),
      new Set([0, 1]),
    ),
    ...(failures.length > 0 ? [''] : []),
    ...failures.map(([model, failure]) => `${model} did not answer: ${failure}`),
    '',
  ].join('\n');
}

/** As many causes as there is room for. */
function mostFrequent(exits: Readonly<Record<string, number>>): string {
  let text = '';
  for (const [cause, count] of Object.entries(exits).sort(([, a], [, b]) => b - a)) {
    const next = `${text}${text === '' ? '' : ', '}${cause} ${compact(count)}`;
    if (next.length > CAUSES_WIDTH) break;
    text = next;
  }
  return text;
}
