/**
 * What it costs a guest that computes to be cut into slices: of its time, what restore, flush, commit and the way
 * through the queue take. The guest compresses without end, which dirties memory as programs do.
 */
import type { SliceMetrics } from '../../../lambdas/store/store';
import { SECONDS, withDebian } from '../idle-debian';
import { median, range } from '../statistics';
import type { Figure, Workload } from '../workload';

const NAME = 'slices';
/** Seconds of a slice, and percent of the guest's time that it may cost. */
const LENGTHS: readonly (readonly [seconds: number, percent: number])[] = [
  [10, 10],
  [60, 3],
];
const BOOT_PERCENT = 45;
/** About 10 MiB in and out of pipes and of gzip's windows a round. */
const PROGRAM =
  'while :; do dd if=/dev/urandom bs=64k count=16 2>/dev/null | gzip | md5sum >/dev/null; done\n';
/** A slice that used less of its time waited for something. */
const BUSY = 0.9;

/** Two slices, one after the other. */
interface Pair {
  /** From the start of one to the start of the next, in ms. */
  readonly period: number;
  readonly slice: SliceMetrics;
}

export const slices: Workload = {
  name: NAME,
  title: 'what slices take of the time of a guest that computes',
  async run({ runs, images, progress }) {
    const figures: Figure[] = [];
    for (const [seconds, percent] of LENGTHS) {
      const environment = { SLICE_SECONDS: String(seconds), LEASE_SECONDS: String(seconds + 60) };
      await withDebian({ images, environment: () => environment }, async (debian) => {
        const { guest, store, observer, generation, type } = debian;
        if (figures.length === 0) figures.push(bootFigure(await store.readMetrics(guest)));
        await type(PROGRAM);
        const from = (await generation()) + 1;
        let found: Pair[] = [];
        await observer.until(`${runs} busy slices`, SECONDS, async () => {
          found = busyPairs(await store.readMetrics(guest, from), seconds);
          return found.length >= runs || undefined;
        });
        progress(`${seconds} s: ${found.map(({ slice }) => `${slice.pages.dirty} dirty pages`).join(', ')}`);
        figures.push(...figuresOf(seconds, percent, found));
      });
    }
    return { workload: NAME, runs, figures };
  },
};

function busyPairs(metrics: readonly SliceMetrics[], seconds: number): Pair[] {
  return metrics.slice(1).flatMap((next, i) => {
    const slice = metrics[i]!;
    const busy = slice.status === 'runnable' && slice.runMs - slice.idleMs > BUSY * seconds * 1000;
    return busy ? [{ period: next.startedAt - slice.startedAt, slice }] : [];
  });
}

function figuresOf(seconds: number, percent: number, pairs: readonly Pair[]): Figure[] {
  const row = (what: string, unit: Figure['unit'], of: (pair: Pair) => number, target?: number): Figure => {
    const values = pairs.map(of);
    return {
      name: `slices of ${seconds} s: ${what}`,
      value: median(values),
      unit,
      range: range(values),
      ...(target !== undefined && { target }),
    };
  };
  return [
    row('not run', '%', ({ period, slice }) => (100 * (period - slice.runMs)) / period, percent),
    row('flush', 'ms', ({ slice }) => slice.flushMs),
    row('dirty', 'KiB', ({ slice }) => slice.pages.dirty * 4),
    row('written', 'KiB', ({ slice }) => slice.bytesWritten / 1024),
  ];
}

/** The first slices, until the prompt, as one checkpoint. */
function bootFigure(boot: readonly SliceMetrics[]): Figure {
  const dirty = boot.reduce((sum, { pages }) => sum + pages.dirty * 4096, 0);
  const written = boot.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  return {
    name: 'kernel boot: written, of the dirty bytes',
    value: (100 * written) / dirty,
    unit: '%',
    target: BOOT_PERCENT,
  };
}
