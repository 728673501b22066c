/**
 * What a slice costs besides the guest's own time: restore and commit of an
 * idle Debian at its prompt, in the worker bundle that would be deployed, on
 * the local cloud. And what memory its worker takes, from the first slice on.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCloud } from '../../../cli/local';
import { dynamodbStore } from '../../../lambdas/store/dynamodb';
import type { SliceMetrics } from '../../../lambdas/store/store';
import { MACHINE } from '../../../scripts/demo/examples';
import { Observer } from '../../../scripts/demo/observer';
import { guestOf, stackOf } from '../../../scripts/demo/stack';
import { synthesize } from '../../../scripts/demo/synthesize';
import { median, range } from '../statistics';
import type { Figure, Workload } from '../workload';

const NAME = 'idle-slice';
const GUEST_MB = (256 * 2 ** 20) / 1e6;
const ENGINE_MB = 160;
const SECONDS_TO_IDLE = 600;
/** A guest that executed no more than this moved nothing but the clock. */
const IDLE_INSTRUCTIONS = 3_000_000;

export const idleSlice: Workload = {
  name: NAME,
  title: 'restore and commit of an idle 256 MiB Debian at its prompt, and its worker’s memory',
  async run({ runs, images, progress }) {
    const folder = await mkdtemp(join(tmpdir(), 'hv-bench-'));
    let memory = 0;
    const cloud = await LocalCloud.start({
      assembly: await synthesize({ example: 'debian-vm', needs: MACHINE, images, output: folder }),
      workers: 1,
      redeliverAfterSeconds: 1,
      environment: { SLICE_SECONDS: '3', LEASE_SECONDS: '10' },
      answered: (_worker, _event, result) => {
        memory = Math.max(memory, result.maximumResidentBytes);
      },
    });
    try {
      const stack = stackOf(cloud);
      const guest = guestOf(cloud, 'GuestId');
      const store = dynamodbStore({ client: cloud.dynamodb, tableName: stack.tableName, deadline: Infinity });
      const observer = new Observer(store, guest, () => undefined);
      await cloud.send(stack.queue, { guest, generation: 0 });
      const slices = (from: number): Promise<SliceMetrics[]> => store.readMetrics(guest, from);
      let seen = 0;
      /** The next committed slice in which the guest did next to nothing. */
      const idle = (wanted: SliceMetrics['restoredFrom'][]): Promise<SliceMetrics> =>
        observer.until('an idle slice', SECONDS_TO_IDLE, async () => {
          for (const slice of await slices(seen + 1)) {
            seen = Math.max(seen, slice.generation);
            if (process.env.DBG) progress(JSON.stringify({ ...slice, exits: undefined }));
            if (slice.instructions < IDLE_INSTRUCTIONS && wanted.includes(slice.restoredFrom)) return slice;
          }
          return undefined;
        });

      await observer.until('the prompt', SECONDS_TO_IDLE, () =>
        /# $/.test(observer.text) ? true : undefined,
      );
      progress('at the prompt; waiting until the kernel has finished its self-tests');
      await idle(['warm']);
      const warm: SliceMetrics[] = [];
      const cold: SliceMetrics[] = [];
      while (warm.length < runs) warm.push(await idle(['warm']));
      while (cold.length < runs) {
        const [worker] = cloud.workers;
        // Between two slices: a new process then holds nothing of the guest.
        if (worker === undefined || worker.busy) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          continue;
        }
        await cloud.kill(worker);
        const slice = await idle(['cold']);
        cold.push(slice);
        progress(`cold: ${overhead(slice)} ms, ${slice.pages.restored} pages restored`);
      }
      return {
        workload: NAME,
        runs,
        figures: [
          ...figures('cold worker', cold, { ms: 300, KiB: 256 }),
          ...figures('warm worker', warm, { ms: 300, KiB: 256 }),
          {
            name: 'memory of a worker, largest',
            value: memory / 1e6,
            unit: 'MB',
            target: Math.floor(GUEST_MB + ENGINE_MB),
          },
        ],
      };
    } finally {
      await cloud.stop();
      await rm(folder, { recursive: true });
    }
  },
};

/** Everything but the guest's own running and waiting: lease, restore, flush, commit. */
const overhead = ({ startedAt, endedAt, runMs }: SliceMetrics): number =>
  Math.round(endedAt - startedAt - runMs);

function figures(
  name: string,
  slices: readonly SliceMetrics[],
  target: { readonly ms: number; readonly KiB: number },
): Figure[] {
  const times = slices.map(overhead);
  const written = slices.map(({ bytesWritten }) => bytesWritten / 1024);
  return [
    {
      name: `${name}: restore and commit`,
      value: median(times),
      unit: 'ms',
      range: range(times),
      target: target.ms,
    },
    {
      name: `${name}: written`,
      value: median(written),
      unit: 'KiB',
      range: range(written),
      target: target.KiB,
    },
  ];
}
