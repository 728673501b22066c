/**
 * From nothing to an answer: a new process loads the worker's bundle, gets an
 * event for a Debian that idles at its prompt, restores what the guest needs,
 * and has the key's echo. And the same in a process that holds the guest.
 */
import type { dynamodbStore } from '../../../lambdas/store/dynamodb';
import { openCheckpoint, readIndex } from '../../../lambdas/store/opened-checkpoint';
import { isInImage, placeOf } from '../../../lambdas/store/page-index';
import type { SliceMetrics } from '../../../lambdas/store/store';
import { SECONDS, withDebian } from '../idle-debian';
import { median, range } from '../statistics';
import type { Figure, Workload } from '../workload';

const NAME = 'restore';
/** Slices at the prompt before anything is measured: the working set settles. */
const SETTLING = 6;
const COLD_MS = 150;
const WARM_MS = 5;
const PAGES_PERCENT = 15;

interface Sample {
  /** To the answer. */
  readonly milliseconds: number;
  /** The same, from the start of the process. */
  readonly sinceSpawned: number;
  readonly slice: SliceMetrics;
}

export const restore: Workload = {
  name: NAME,
  title: 'a 256 MiB Debian at its prompt, until it answers a keystroke',
  run: ({ runs, images, progress }) =>
    withDebian(
      { images, environment: () => ({ SLICE_SECONDS: '2', LEASE_SECONDS: '10' }) },
      async (debian) => {
        const { cloud, guest, store, observer, generation, type, killWorker } = debian;
        const settled = (await generation()) + SETTLING;
        await observer.until(
          'some idle slices',
          SECONDS,
          async () => (await generation()) >= settled || undefined,
        );

        let key = 0;
        /** Types a character, and waits for the slice that echoes it. */
        const keystroke = async (from: SliceMetrics['restoredFrom']): Promise<Sample> => {
          for (;;) {
            const after = await generation();
            const letter = String.fromCharCode(97 + (key++ % 26));
            await type(letter);
            const slice = await observer.until('an echo', SECONDS, async () =>
              (await store.readMetrics(guest, after + 1)).find(({ consoleBytes }) => consoleBytes > 0),
            );
            if (slice.restoredFrom === from) {
              const answered = slice.startedAt + (slice.firstOutputMs ?? NaN);
              // From the load of the bundle, where the process is a new one: what is before it is Lambda's.
              const [worker] = cloud.workers;
              const begun = from === 'cold' ? (worker?.loadingSince ?? NaN) : slice.startedAt;
              const spawned = from === 'cold' ? (worker?.spawnedAt ?? NaN) : slice.startedAt;
              return { milliseconds: answered - begun, sinceSpawned: answered - spawned, slice };
            }
          }
        };
        const cold: Sample[] = [];
        const warm: Sample[] = [];
        while (warm.length < runs) warm.push(await keystroke('warm'));
        while (cold.length < runs) {
          await killWorker();
          const sample = await keystroke('cold');
          cold.push(sample);
          progress(
            `new process: ${sample.milliseconds} ms, ${sample.slice.pages.restored} pages, ${sample.slice.pages.waits} waits`,
          );
        }
        const pages = await nonZeroPages(store, guest);
        const read = cold.map(({ slice }) => (100 * slice.pages.restored) / pages);
        return {
          workload: NAME,
          runs,
          figures: [
            figure('new process: pages read, of those that are not zero', '%', read, PAGES_PERCENT),
            figure(
              'new process: waits for a page',
              'waits',
              cold.map(({ slice }) => slice.pages.waits),
            ),
            figure(
              'new process: read',
              'KiB',
              cold.map(({ slice }) => slice.bytesRead / 1024),
            ),
            figure(
              'new process: written',
              'KiB',
              cold.map(({ slice }) => slice.bytesWritten / 1024),
            ),
            figure(
              'new process: to the answer',
              'ms',
              cold.map(({ milliseconds }) => milliseconds),
              COLD_MS,
            ),
            figure(
              'new process: to the answer, with the start of Node.js',
              'ms',
              cold.map(({ sinceSpawned }) => sinceSpawned),
            ),
            figure(
              'new process: restore',
              'ms',
              cold.map(({ slice }) => slice.restoreMs),
            ),
            figure(
              'guest in memory: restore',
              'ms',
              warm.map(({ slice }) => slice.restoreMs),
              WARM_MS,
            ),
            figure(
              'guest in memory: to the answer',
              'ms',
              warm.map(({ milliseconds }) => milliseconds),
            ),
          ],
        };
      },
    ),
};

/** Pages of RAM that hold something, in the checkpoint or in the image. */
async function nonZeroPages(store: ReturnType<typeof dynamodbStore>, guest: string): Promise<number> {
  const head = await store.head(guest);
  if (head === undefined) return NaN;
  const opened = await openCheckpoint(store, guest, {
    generation: head.generation,
    fencing: head.committedFencing,
  });
  await readIndex(opened);
  const index = opened.checkpoint.spaces.get('ram');
  let pages = 0;
  for (let page = 0; index !== undefined && page < index.pages; page += 1) {
    const { kind } = placeOf(index, page);
    if (kind === 'stored' || (kind === 'image' && isInImage(index, page))) pages += 1;
  }
  return pages;
}

const figure = (name: string, unit: Figure['unit'], values: readonly number[], target?: number): Figure => ({
  name,
  value: median(values),
  unit,
  range: range(values),
  ...(target !== undefined && { target }),
});
