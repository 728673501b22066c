/**
 * What the demonstration of examples/debian-vm does, in order: boot in slices, kill a worker in mid-slice, type a command, power off.
 * Each step waits for what was committed, never for time.
 */
import { LocalCloud, type InvocationResult, type WorkerProcess } from '../../cli/local';
import type { SliceMetrics } from '../../lambdas/store/store';
import { DemoError } from './errors';
import { Observer } from './observer';
import type { Presenter } from './presenter';
import { guestOf, stackOf } from './stack';
import { logTail, send, shortName, storeOf, type StoryOptions } from './story';

export interface Kill {
  /** The generation that the killed slice would have committed. */
  readonly generation: number;
  readonly worker: string;
  readonly pid: number;
  /** How far into its slice. */
  readonly afterMs: number;
  /** Who committed that generation instead. */
  readonly takenUpBy: string;
}

export interface Report {
  readonly guest: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly command: string;
  readonly answer: readonly string[];
  readonly bootSlices: number;
  readonly workers: readonly string[];
  readonly kill: Kill;
  /** The largest resident set that a worker process had, in bytes. */
  readonly workerMemory: number;
  readonly milliseconds: { readonly boot: number; readonly total: number };
  readonly slices: readonly SliceMetrics[];
}

const COMMAND = 'uname -a; head -4 /proc/cpuinfo; echo "answer $((6*7))"';
const ANSWER = 'answer 42';
const PROMPT = /(^|\n)\S* ?# $/;

/** Shortest boot that proves anything about slices. */
const LEAST_BOOT_SLICES = 5;
/** The slice whose worker is killed: the guest has state by then, and is far from the prompt. */
const KILLED_GENERATION = 3;
/** How far into the slice, as a part of what the shortest one took: the lease is taken, and the commit is not near. */
const KILL_AT = 0.3;

/** Time limits that only a broken system reaches, in seconds. */
const LIMITS = { boot: 600, answer: 120, halt: 120, slice: 120 } as const;

/** A slice cannot outlive its lease, and a killed worker's guest waits for the lease to end. */
const LEASE_SECONDS = 10;
const SLICE_SECONDS = 6;

export async function play(assembly: string, options: StoryOptions, presenter: Presenter): Promise<Report> {
  const startedAt = Date.now();
  presenter.step(`starting the local cloud with ${options.workers} worker processes`);
  let invoked: (worker: WorkerProcess, event: unknown) => void = () => undefined;
  let answered: (worker: WorkerProcess, result: InvocationResult) => void = () => undefined;
  let broke: (message: string) => void = () => undefined;
  const log: string[] = [];
  const cloud = await LocalCloud.start({
    assembly,
    workers: options.workers,
    placement: 'rotate',
    // The cloud waits for the queue's visibility timeout, which is minutes.
    redeliverAfterSeconds: 2,
    environment: {
      SLICE_INSTRUCTIONS: String(options.sliceInstructions),
      SLICE_SECONDS: String(SLICE_SECONDS),
      LEASE_SECONDS: String(LEASE_SECONDS),
    },
    log: (worker, line) => void log.push(`${worker.id}: ${line}`),
    invoked: (worker, event) => invoked(worker, event),
    answered: (worker, _, result) => answered(worker, result),
    failed: (error) => broke(`the queue's poller failed: ${error.message}`),
  });
  try {
    const stack = stackOf(cloud);
    const guest = guestOf(cloud, 'GuestId');
    const observer = new Observer(storeOf(cloud, stack), guest, (bytes) => presenter.console(bytes));
    const kill = new Assassin(presenter);
    broke = (message) => observer.fail(message);
    let workerMemory = 0;
    answered = (worker, { outcome, error, milliseconds, maximumResidentBytes }) => {
      workerMemory = Math.max(workerMemory, maximumResidentBytes);
      kill.shortestSliceMs = Math.min(kill.shortestSliceMs, milliseconds);
      if (outcome !== 'success' && !kill.victims.has(worker)) {
        observer.fail(`worker ${worker.id}: ${outcome}: ${error?.errorMessage ?? ''}`);
      }
    };
    invoked = (worker, event) => kill.consider(worker, event);

    presenter.step(`sending the first run token; the guest's console follows as it is committed`);
    await cloud.send(stack.queue, { guest, generation: 0 });
    const boot = await observer.until('booting to the shell prompt', LIMITS.boot, async (head) => {
      await kill.lookForHeir(observer);
      return PROMPT.test(observer.text) ? { slices: head.slices, at: Date.now() } : undefined;
    });
    if (kill.victims.size === 0) {
      throw new DemoError('no slice lasted long enough to kill its worker; give larger --slice-instructions');
    }
    const killed = await observer.until('the killed slice taken up again', LIMITS.slice, () =>
      kill.lookForHeir(observer),
    );

    presenter.step(`sending a command into the guest's inbox, through the ingress function`);
    const before = observer.text.length;
    await send(cloud, stack, { guest, type: 'text', data: `${COMMAND}\n` });
    await observer.until('the answer to the command', LIMITS.answer, () => {
      const answer = observer.text.slice(before);
      return answer.includes(`\n${ANSWER}\n`) && PROMPT.test(answer) ? answer : undefined;
    });
    const answer = observer.text
      .slice(before)
      .split('\n')
      .slice(1, -1)
      .filter((line) => line !== '');

    presenter.step('powering the guest off');
    await send(cloud, stack, { guest, type: 'text', data: 'poweroff -f\n' });
    const head = await observer.until('powering off', LIMITS.halt, (current) =>
      current.status === 'halted' ? current : undefined,
    );
    const slices = await observer.metrics();
    const workers = [...new Set(slices.map(({ worker }) => worker))];
    if (boot.slices < LEAST_BOOT_SLICES) {
      throw new DemoError(
        `Debian booted in ${boot.slices} slices, ${LEAST_BOOT_SLICES} are to be shown; give smaller --slice-instructions`,
      );
    }
    if (workers.length < 2) throw new DemoError('all slices ran on one worker; two or more are to be shown');
    presenter.step(`the guest is ${head.status}: ${head.reason ?? ''}`);
    return {
      guest,
      status: head.status,
      reason: head.reason,
      command: COMMAND,
      answer,
      bootSlices: boot.slices,
      workers: workers.map(shortName),
      kill: killed,
      workerMemory,
      milliseconds: { boot: boot.at - startedAt, total: Date.now() - startedAt },
      slices: slices.map((slice) => ({ ...slice, worker: shortName(slice.worker) })),
    };
  } catch (error) {
    if (error instanceof DemoError) throw new DemoError(`${error.message}${logTail(log)}`);
    throw error;
  } finally {
    await cloud.stop();
  }
}

/** Kills one worker in the middle of a slice, and finds out who did its work instead. */
class Assassin {
  readonly victims = new Set<WorkerProcess>();
  /** What the shortest slice so far took, with restore and commit. */
  shortestSliceMs = Infinity;
  private deed: Omit<Kill, 'takenUpBy'> | undefined;
  private done: Kill | undefined;

  constructor(private readonly presenter: Presenter) {}

  consider(worker: WorkerProcess, event: unknown): void {
    const generation = generationOf(event) + 1;
    if (this.deed !== undefined || !(generation >= KILLED_GENERATION)) return;
    const served = worker.invocations;
    const startedAt = Date.now();
    setTimeout(() => {
      // A slice that is over already cannot be killed: the next one then.
      if (this.deed !== undefined || !worker.busy || worker.invocations !== served) return;
      this.victims.add(worker);
      this.deed = { generation, worker: worker.id, pid: worker.pid ?? 0, afterMs: Date.now() - startedAt };
      this.presenter.step(`kill -9 ${worker.pid}: worker ${worker.id}, in the middle of slice ${generation}`);
      this.presenter.step('its lease has to run out, then the token comes back and another worker takes it');
      void worker.kill();
    }, KILL_AT * this.shortestSliceMs);
  }

  /** Who ran the killed slice, once that is committed. */
  async lookForHeir(observer: Observer): Promise<Kill | undefined> {
    const { deed } = this;
    if (this.done !== undefined || deed === undefined) return this.done;
    const slice = (await observer.metrics()).find(({ generation }) => generation === deed.generation);
    if (slice === undefined) return undefined;
    const takenUpBy = shortName(slice.worker);
    if (takenUpBy === deed.worker) {
      this.presenter.step(`slice ${deed.generation} was committed just before the kill; trying another one`);
      this.deed = undefined;
      return undefined;
    }
    this.presenter.step(`worker ${takenUpBy} has taken slice ${deed.generation} up again`);
    this.done = { ...deed, takenUpBy };
    return this.done;
  }
}

function generationOf(event: unknown): number {
  try {
    const [record] = (event as { Records: { body: string }[] }).Records;
    return Number((JSON.parse(record?.body ?? '') as { generation?: unknown }).generation);
  } catch {
    return NaN;
  }
}
