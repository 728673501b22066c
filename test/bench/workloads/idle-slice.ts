/**
 * What a slice costs besides the guest's own time: restore and commit of an
 * idle Debian at its prompt, in the worker bundle that would be deployed, on
 * the local cloud. And what memory its worker takes, from the first slice on.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SliceMetrics } from '../../../lambdas/store/store';
import { SECONDS, withDebian } from '../idle-debian';
import { median, range } from '../statistics';
import type { Figure, Workload } from '../workload';

const NAME = 'idle-slice';
const OVERHEAD_MS = 300;
const WRITTEN_KIB = 64;
/** Milliseconds from an invocation's answer back to the end that its slice's metrics name, at most. */
const ANSWER_MS = 5000;
const GUEST_MB = (256 * 2 ** 20) / 1e6;
const ENGINE_MB = 160;
/** A guest that executed no more than this moved nothing but the clock. */
const IDLE_INSTRUCTIONS = 3_000_000;

export const idleSlice: Workload = {
  name: NAME,
  title: 'restore and commit of an idle 256 MiB Debian at its prompt, and its worker’s memory',
  async run({ runs, images, progress }) {
    let memory = 0;
    const answers: Answer[] = [];
    return withDebian(
      {
        images,
        environment: (assembly) => ({
          SLICE_SECONDS: '3',
          LEASE_SECONDS: '10',
          GUESTS: withNeighbour(assembly),
        }),
        answered: (worker, _event, result) => {
          answers.push({ at: Date.now(), milliseconds: result.milliseconds });
          memory = Math.max(memory, result.maximumResidentBytes, peakResidentBytes(worker.pid));
        },
      },
      async ({ cloud, stack, guest, store, observer, killWorker }) => {
        const slices = (from: number): Promise<SliceMetrics[]> => store.readMetrics(guest, from);
        let seen = 0;
        /** The next committed slice in which the guest did next to nothing. */
        const idle = (wanted: SliceMetrics['restoredFrom'][]): Promise<SliceMetrics> => {
          let found: SliceMetrics | undefined;
          return observer.until('an idle slice', SECONDS, async () => {
            // Metrics are there before the commit, and the commit before the answer.
            if (found !== undefined && answerTo(found, answers) !== undefined) return found;
            for (const slice of await slices(seen + 1)) {
              seen = Math.max(seen, slice.generation);
              const isWanted = slice.instructions < IDLE_INSTRUCTIONS && wanted.includes(slice.restoredFrom);
              if (isWanted) found = slice;
            }
            return undefined;
          });
        };

        progress('at the prompt; waiting until the kernel has finished its self-tests');
        await idle(['warm']);
        const warm: SliceMetrics[] = [];
        const cold: SliceMetrics[] = [];
        while (warm.length < runs) warm.push(await idle(['warm']));
        while (cold.length < runs) {
          await killWorker();
          const slice = await idle(['cold']);
          cold.push(slice);
          progress(`new process: ${overhead(slice)} ms, ${slice.pages.restored} pages restored`);
        }
        // One worker, two guests: whichever runs, the process holds the other one.
        const alone = memory;
        const turns: SliceMetrics[] = [];
        await cloud.send(stack.queue, { guest: NEIGHBOUR, generation: 0 });
        while (turns.length < runs) {
          turns.push(await idle(['cold']));
          progress(`in turn with another guest: ${overhead(turns.at(-1)!)} ms`);
        }
        return {
          workload: NAME,
          runs,
          figures: [
            ...figures('guest in memory', warm, answers, OVERHEAD_MS),
            ...figures('another guest in memory', turns, answers, OVERHEAD_MS),
            // Start-up is in it: first use of the SDK, and the download of the guest's image.
            ...figures('new process', cold, answers),
            {
              name: 'memory of a worker, largest',
              value: alone / 1e6,
              unit: 'MB',
              target: Math.floor(GUEST_MB + ENGINE_MB),
            },
          ],
        };
      },
    );
  },
};

/** A second guest of the same definition. */
const NEIGHBOUR = 'Neighbour';

/** The worker's GUESTS as the template has it, and the neighbour. */
function withNeighbour(assembly: string): string {
  const file = readdirSync(assembly).find((name) => name.endsWith('.template.json')) ?? '';
  const guests = /"GUESTS": ("(?:[^"\\]|\\.)*")/.exec(readFileSync(join(assembly, file), 'utf8'))?.[1];
  if (guests === undefined) throw new Error(`${file} gives its worker no guests`);
  const known = JSON.parse(JSON.parse(guests) as string) as Record<string, string>;
  return JSON.stringify({ ...known, [NEIGHBOUR]: Object.values(known)[0] });
}

/** An invocation as its caller sees it. */
interface Answer {
  readonly at: number;
  readonly milliseconds: number;
}

/** The largest resident set so far (proc(5), `VmHWM`); 0 where there is no /proc. */
function peakResidentBytes(pid: number | undefined): number {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const answerTo = ({ endedAt }: SliceMetrics, answers: readonly Answer[]): Answer | undefined =>
  answers.find(({ at }) => at >= endedAt && at < endedAt + ANSWER_MS);

/** The whole invocation less the guest's own time: the commit, the collection and the next token are in it. */
const outside = (slice: SliceMetrics, answers: readonly Answer[]): number =>
  Math.round((answerTo(slice, answers)?.milliseconds ?? NaN) - slice.runMs);

/** Everything but the guest's own running and waiting, as the worker sees it: lease, restore, flush. */
const overhead = ({ startedAt, endedAt, runMs }: SliceMetrics): number =>
  Math.round(endedAt - startedAt - runMs);

function figures(
  name: string,
  slices: readonly SliceMetrics[],
  answers: readonly Answer[],
  limit?: number,
): Figure[] {
  const row = (
    what: string,
    unit: Figure['unit'],
    of: (slice: SliceMetrics) => number,
    target?: number,
  ): Figure => {
    const values = slices.map(of);
    return {
      name: `${name}: ${what}`,
      value: median(values),
      unit,
      range: range(values),
      ...(target !== undefined && { target }),
    };
  };
  return [
    row('restore, flush', 'ms', overhead, limit),
    row('less run', 'ms', (slice) => outside(slice, answers), limit),
    row('restore', 'ms', ({ restoreMs }) => restoreMs),
    row('flush', 'ms', ({ flushMs }) => flushMs),
    row('written', 'KiB', ({ bytesWritten }) => bytesWritten / 1024, WRITTEN_KIB),
    row('read', 'KiB', ({ bytesRead }) => bytesRead / 1024),
  ];
}
