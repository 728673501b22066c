/**
 * From nothing to an answer: a new process loads the worker's bundle, gets an
 * event for a Debian that idles at its prompt, restores what the guest needs,
 * and has the key's echo. And the same in a process that holds the guest.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCloud } from '../../../cli/local';
import { dynamodbStore } from '../../../lambdas/store/dynamodb';
import { openCheckpoint, readIndex } from '../../../lambdas/store/opened-checkpoint';
import { isInImage, placeOf } from '../../../lambdas/store/page-index';
import type { SliceMetrics } from '../../../lambdas/store/store';
import { MACHINE } from '../../../scripts/demo/examples';
import { Observer } from '../../../scripts/demo/observer';
import { guestOf, stackOf } from '../../../scripts/demo/stack';
import { synthesize } from '../../../scripts/demo/synthesize';
import { median, range } from '../statistics';
import type { Figure, Workload } from '../workload';

const NAME = 'restore';
const SECONDS = 600;
/** Slices at the prompt before anything is measured: the working set settles. */
const SETTLING = 6;
const COLD_MS = 150;
const WARM_MS = 5;
const PAGES_PERCENT = 15;

interface Sample {
  readonly milliseconds: number;
  readonly slice: SliceMetrics;
}

export const restore: Workload = {
  name: NAME,
  title: 'a 256 MiB Debian at its prompt, until it answers a keystroke',
  async run({ runs, images, progress }) {
    const folder = await mkdtemp(join(tmpdir(), 'hv-bench-'));
    const assembly = await synthesize({ example: 'debian-vm', needs: MACHINE, images, output: folder });
    const cloud = await LocalCloud.start({
      assembly,
      workers: 1,
      redeliverAfterSeconds: 1,
      environment: { SLICE_SECONDS: '2', LEASE_SECONDS: '10' },
    });
    try {
      const stack = stackOf(cloud);
      const guest = guestOf(cloud, 'GuestId');
      const store = dynamodbStore({ client: cloud.dynamodb, tableName: stack.tableName, deadline: Infinity });
      const observer = new Observer(store, guest, () => undefined);
      await cloud.send(stack.queue, { guest, generation: 0 });
      await observer.until('the prompt', SECONDS, () => (/# $/.test(observer.text) ? true : undefined));
      const generation = async () => (await store.head(guest))?.generation ?? 0;
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
          await cloud.invoke(stack.ingress, { guest, type: 'text', data: letter });
          const slice = await observer.until('an echo', SECONDS, async () =>
            (await store.readMetrics(guest, after + 1)).find(({ consoleBytes }) => consoleBytes > 0),
          );
          if (slice.restoredFrom === from) {
            // From the start of the process, where it is a new one.
            const begun = from === 'cold' ? (cloud.workers[0]?.spawnedAt ?? NaN) : slice.startedAt;
            return { milliseconds: slice.startedAt - begun + (slice.firstOutputMs ?? NaN), slice };
          }
        }
      };
      const cold: Sample[] = [];
      const warm: Sample[] = [];
      while (warm.length < runs) warm.push(await keystroke('warm'));
      while (cold.length < runs) {
        const [worker] = cloud.workers;
        if (worker === undefined || worker.busy) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          continue;
        }
        await cloud.kill(worker);
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
    } finally {
      await cloud.stop();
      await rm(folder, { recursive: true });
    }
  },
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
