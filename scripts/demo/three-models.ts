/**
 * What the demonstration of examples/three-models does: one guest after the other gets its first event, which boots
 * it, so that their times do not disturb each other; then all three get the same event at once, and are stopped.
 * Each step waits for what was committed, never for time.
 */
import { LocalCloud } from '../../cli/local';
import { neededPacks } from '../../lambdas/store/checkpoint';
import { openCheckpoint } from '../../lambdas/store/opened-checkpoint';
import type { CheckpointStore, ResultRecord, SliceMetrics } from '../../lambdas/store/store';
import { DemoError } from './errors';
import { Observer } from './observer';
import type { Presenter } from './presenter';
import { guestOf, stackOf } from './stack';
import { logTail, send, shortName, storeOf, type StoryOptions } from './story';

export interface GuestReport {
  readonly model: string;
  readonly guest: string;
  /** What it answered, event by event. */
  readonly answers: readonly string[];
  /** What the first answer took, boot included. */
  readonly first: {
    readonly slices: number;
    readonly instructions: number;
    /** By cause. */
    readonly exits: Readonly<Record<string, number>>;
  };
  /** From the event's sending to its committed result: the first boots the guest, the second finds it up. */
  readonly milliseconds: { readonly first: number; readonly second: number };
  /** Bytes of the packs that the last checkpoint consists of. */
  readonly checkpointBytes: number;
  readonly workers: readonly string[];
}

export interface ModelsReport {
  readonly event: unknown;
  readonly guests: readonly GuestReport[];
  /** By model: why a guest did not answer. */
  readonly failures: Readonly<Record<string, string>>;
  readonly milliseconds: number;
}

/** Outputs of the example, by what the models are called on the command line. */
const MODELS = [
  ['vm', 'VirtualMachine'],
  ['paravirtual', 'ParavirtualMachine'],
  ['container', 'ContainerGuest'],
] as const;

const EVENT = { text: 'three models, one host' };
const ANSWER = '{"text":"THREE MODELS, ONE HOST"}';

/** Time limits that only a broken system reaches, in seconds. */
const LIMITS = { first: 300, second: 120 } as const;
/** Short slices: while a machine waits for its next timer within one, nobody sees its result. */
const SLICE_SECONDS = 6;

export async function playModels(
  assembly: string,
  options: StoryOptions,
  presenter: Presenter,
): Promise<ModelsReport> {
  const startedAt = Date.now();
  presenter.step(`starting the local cloud with ${options.workers} worker processes`);
  const log: string[] = [];
  const candidates: Candidate[] = [];
  const broke = (message: string): void => candidates.forEach(({ observer }) => observer.fail(message));
  const cloud = await LocalCloud.start({
    assembly,
    workers: options.workers,
    environment: {
      SLICE_INSTRUCTIONS: String(options.sliceInstructions),
      SLICE_SECONDS: String(SLICE_SECONDS),
    },
    log: (worker, line) => void log.push(`${worker.id}: ${line}`),
    failed: (error) => broke(`the queue's poller failed: ${error.message}`),
  });
  try {
    const stack = stackOf(cloud);
    const store = storeOf(cloud, stack);
    for (const [model, output] of MODELS)
      candidates.push(new Candidate(model, guestOf(cloud, output), store));
    const event = (guest: string) => ({ guest, type: 'event', data: EVENT });

    presenter.step(`the event: ${JSON.stringify(EVENT)}`);
    for (const candidate of candidates) {
      const { model, guest } = candidate;
      const sentAt = Date.now();
      await send(cloud, stack, event(guest));
      await candidate.expect(1, LIMITS.first, sentAt);
      presenter.step(`${model}: ${candidate.said()}`);
    }
    const up = candidates.filter(({ failure }) => failure === undefined);
    if (up.length > 0) {
      presenter.step(`the same event to ${up.length} guests at once, now that they are up`);
      const sentAt = Date.now();
      await send(
        cloud,
        stack,
        up.map(({ guest }) => event(guest)),
      );
      await Promise.all(up.map((candidate) => candidate.expect(2, LIMITS.second, sentAt)));
      for (const candidate of up) presenter.step(`${candidate.model}: ${candidate.said()}`);
    }
    const failures = candidates.filter(({ failure }) => failure !== undefined);
    if (failures.length === candidates.length) {
      throw new DemoError(
        failures.map(({ model, failure }) => `${model}: ${failure}`).join('\n') + logTail(log),
      );
    }
    return {
      event: EVENT,
      guests: await Promise.all(
        candidates.filter((each) => each.failure === undefined).map((each) => each.report()),
      ),
      failures: Object.fromEntries(failures.map(({ model, failure }) => [model, failure ?? ''])),
      milliseconds: Date.now() - startedAt,
    };
  } finally {
    await cloud.stop();
  }
}

/** One guest, and what it has answered so far. */
class Candidate {
  readonly observer: Observer;
  failure: string | undefined;
  private readonly answers: string[] = [];
  /** Of the first answer. */
  private generation = 0;
  private readonly times: number[] = [];

  constructor(
    readonly model: string,
    readonly guest: string,
    private readonly store: CheckpointStore,
  ) {
    this.observer = new Observer(store, guest, () => undefined);
  }

  /** Waits for the guest's `count`th answer. What goes wrong is kept: the other guests go on. */
  async expect(count: number, seconds: number, sentAt: number): Promise<void> {
    try {
      const [result] = await this.observer.until(`answer ${count}`, seconds, async ({ results }) =>
        results < count ? undefined : this.store.readResults(this.guest, count - 1, 1),
      );
      this.times.push(Date.now() - sentAt);
      this.answers.push(answerOf(result));
      if (count === 1) this.generation = result?.generation ?? 0;
    } catch (error) {
      if (!(error instanceof DemoError)) throw error;
      this.failure = error.message;
    }
  }

  said(): string {
    return this.failure ?? `${this.answers.at(-1)} after ${((this.times.at(-1) ?? 0) / 1000).toFixed(2)} s`;
  }

  async report(): Promise<GuestReport> {
    const all = await this.store.readMetrics(this.guest);
    const slices = all.filter(({ generation }) => generation <= this.generation);
    const [first = 0, second = 0] = this.times;
    return {
      model: this.model,
      guest: this.guest,
      answers: this.answers,
      first: {
        slices: slices.length,
        instructions: slices.reduce((sum, { instructions }) => sum + instructions, 0),
        exits: sumOfExits(slices),
      },
      milliseconds: { first, second },
      checkpointBytes: await this.checkpointBytes(),
      workers: [...new Set(all.map(({ worker }) => shortName(worker)))],
    };
  }

  /** The guest goes on meanwhile, and an old checkpoint's packs are deleted: then the next one is looked at. */
  private async checkpointBytes(): Promise<number> {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const head = await this.observer.head();
      if (head === undefined || head.generation === 0) return 0;
      const at = { generation: head.generation, fencing: head.committedFencing };
      try {
        const { checkpoint } = await openCheckpoint(this.store, this.guest, at);
        let bytes = 0;
        for (const id of neededPacks(checkpoint).values()) {
          const pack = await this.store.packs.get(this.guest, id);
          if (pack === undefined) throw new DemoError('the checkpoint is gone');
          bytes += pack.body.length;
        }
        return bytes;
      } catch (error) {
        if ((await this.observer.head())?.generation === head.generation) throw error;
      }
    }
    throw new DemoError(`${this.guest} moves on too fast to be measured`);
  }
}

/** @throws DemoError when it is not what was asked for. */
function answerOf(result: ResultRecord | undefined): string {
  // A program's output ends in a line end, a machine's line does not.
  const text = (result?.error ?? new TextDecoder().decode(result?.bytes)).trimEnd();
  if (text === ANSWER) return text;
  throw new DemoError(`it answered ${JSON.stringify(text)} instead of ${ANSWER}`);
}

function sumOfExits(slices: readonly SliceMetrics[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { exits } of slices) {
    for (const [cause, count] of Object.entries(exits)) sum[cause] = (sum[cause] ?? 0) + count;
  }
  return sum;
}
