/**
 * The protocol of one slice (DESIGN 5.1): lease, restore, run, flush, commit,
 * next token. Everything before the commit is invisible, everything after it
 * can be done again: a crash anywhere leaves a token to come back.
 */
import type { GuestFactory } from '../../engine/models/create';
import { ImageError, type ExitCounts, type GuestDefinition } from '../../engine/models/guest';
import { StateError } from '../../engine/snapshot/errors';
import type { RunQueue } from '../queue/run-queue';
import { PageWanted } from '../../engine/memory/page-space';
import { collect, SHORTEST_HISTORY, type History, type PackNeeds } from '../store/collect';
import { CorruptPackError } from '../store/errors';
import { flush, type FlushResult } from '../store/flush';
import { newestWhole } from '../store/history';
import type { CheckpointStore, Head, SliceMetrics } from '../store/store';
import { sliceDollars } from '../economics/slice-cost';
import type { Architecture } from '../economics/prices';
import { instructionsLeft, spentWith, tripped } from './breaker';
import { decide, ownToken, type Decision, type Delivery } from './decide';
import { embedded } from './embedded-metrics';
import type { FlushRate } from './flush-rate';
import type { Images } from './image';
import { acquire, commit, conclude, release } from './lease';
import { changesOf, factsOf, isReset, progressOf } from './progress';
import { foresee, restore, type Foreseen, type Restored, type WarmPlace } from './restore';
import { idleTime, run, type RunLimits, type RunResult, type SliceExit } from './run';
import { difference, usageOf } from './usage';

/** What a worker is made of. */
export interface Worker {
  /** Names the process in metrics. */
  readonly name: string;
  /** The worker function, as its bill counts it. */
  readonly bill: {
    readonly functionName: string;
    readonly memoryMb: number;
    readonly architecture: Architecture;
  };
  /** Definition key of every guest of this host. */
  readonly guests: ReadonlyMap<string, string>;
  /** A store whose requests are repeated until `deadline` (ms since the epoch) at most. */
  readonly openStore: (deadline: number) => CheckpointStore;
  readonly queue: RunQueue;
  readonly images: Images;
  readonly createGuest: GuestFactory;
  readonly warm: WarmPlace;
  readonly flushRate: FlushRate;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly newId: () => string;
  /** One record a call, for the log. */
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
  readonly sliceMs: number;
  /** Default: until shortly after the deadline, when this worker can do nothing any more. */
  readonly leaseMs?: number;
  /** Instructions of a slice at most. */
  readonly sliceInstructions?: number;
  /** Default: the shortest. */
  readonly history?: History;
}

export type Outcome =
  | { readonly kind: 'committed'; readonly head: Head }
  /** The guest cannot or may not run; its head says why. */
  | { readonly kind: 'stopped'; readonly reason: string }
  /** Nothing to do for this token. */
  | { readonly kind: 'dropped'; readonly why: string }
  /** The token goes back to the queue. */
  | { readonly kind: 'returned'; readonly why: string };

/** Time kept between the last request and the function's own timeout. */
const MARGIN_MS = 500;
/** How long a lease outlives the function that holds it. */
const LEASE_MARGIN_MS = 2000;
/** Generations that are collected together, since each collection costs some requests. */
const COLLECT_BATCH = 4;
/** Time for deletions after a commit, before the next token is sent. */
const COLLECT_MS = 1000;
const INBOX_ENTRIES = 50;

/**
 * Does what a token asks for. `timeout`: when the function is ended (ms since the epoch).
 * @throws what the store, the queue or the assets threw: the token is to be delivered again.
 */
export async function processToken(worker: Worker, delivery: Delivery, timeout: number): Promise<Outcome> {
  const { token, messageId } = delivery;
  const deadline = timeout - MARGIN_MS;
  const store = worker.openStore(deadline);
  const head = await findHead(worker, store, token.guest);
  if (head === undefined) return { kind: 'dropped', why: `this host has no guest "${token.guest}"` };

  const asksInbox = 'wake' in token && head.status === 'idle';
  const waiting = asksInbox && (await store.readInbox(head.guest, head.inboxCursor, 1)).length > 0;
  const decision = decide(delivery, head, worker.now(), waiting);
  if (decision.kind !== 'run') return sendAsDecided(worker, delivery, head, decision);

  const expires = worker.leaseMs === undefined ? timeout + LEASE_MARGIN_MS : worker.now() + worker.leaseMs;
  const foreseen = foresee({ ...worker, store }, head);
  const held = await acquire(
    store,
    head,
    { owner: `${worker.name}/${worker.newId()}`, expires },
    worker.now(),
  );
  if (held === undefined) return { kind: 'returned', why: 'another worker was first to take the lease' };
  try {
    const { timerDue } = decision;
    const terms = { messageId, timerDue, idleSince: idleSince(head), deadline, foreseen };
    return await runSlice(worker, store, held, terms);
  } catch (error) {
    // Best effort: if this fails too, the lease expires.
    await release(store, held, worker.now()).catch(() => false);
    throw error;
  }
}

/** The head of a guest of this host; the first token makes it. */
async function findHead(worker: Worker, store: CheckpointStore, guest: string): Promise<Head | undefined> {
  const definition = worker.guests.get(guest);
  const head = await store.head(guest);
  // Forks and imported guests have a head, and no declaration.
  if (head !== undefined || definition === undefined) return head;
  return store.createHead(firstHead(guest, definition, worker.now()));
}

function idleSince({ status, wakeAt, wakeAfter, updatedAt }: Head): number | undefined {
  if (status !== 'idle') return undefined;
  // Attempts that came to nothing have changed the head's own time.
  return wakeAt === undefined ? updatedAt : wakeAt - Number(wakeAfter ?? 0) / 1e6;
}

export function firstHead(guest: string, definition: string, now: number): Head {
  return {
    guest,
    definition,
    generation: 0,
    fencing: 0,
    committedFencing: 0,
    attempts: 0,
    status: 'runnable',
    inboxCursor: 0,
    consoleOffset: 0,
    results: 0,
    slices: 0,
    instructions: 0,
    createdAt: now,
    updatedAt: now,
  };
}

async function sendAsDecided(
  worker: Worker,
  { token }: Delivery,
  head: Head,
  decision: Exclude<Decision, { kind: 'run' }>,
): Promise<Outcome> {
  switch (decision.kind) {
    case 'drop':
      return { kind: 'dropped', why: decision.why };
    case 'return':
      return { kind: 'returned', why: 'another worker holds the lease' };
    case 'later':
      await worker.queue.send(token, decision.delayMs / 1000);
      return { kind: 'dropped', why: 'another worker holds the lease; sent again for later' };
    case 'forward':
      await worker.queue.send({ guest: head.guest, generation: head.generation }, decision.delayMs / 1000);
      return { kind: 'dropped', why: "sent the head's own token" };
  }
}

interface SliceTerms {
  /** The message that asked for the slice. */
  readonly messageId: string;
  readonly timerDue: boolean;
  /** Since when the guest has had nothing to do (ms since the epoch); undefined for one that wants to run. */
  readonly idleSince: number | undefined;
  readonly deadline: number;
  /** Of the restore, what is under way. */
  readonly foreseen: Foreseen | undefined;
}

async function runSlice(
  worker: Worker,
  store: CheckpointStore,
  held: Head,
  terms: SliceTerms,
): Promise<Outcome> {
  const startedAt = worker.now();
  const prepared = await prepare(worker, store, held, terms);
  if ('stopped' in prepared) {
    const { stopped, status } = prepared;
    if (!(await conclude(store, held, status, stopped, worker.now()))) return lost();
    report(worker, {
      message: 'stopped',
      guest: held.guest,
      generation: held.generation,
      status,
      reason: stopped,
      [status]: 1,
    });
    return { kind: 'stopped', reason: stopped };
  }
  const { restored, result, restoredAt, before, skipped } = prepared;
  const { guest } = restored;
  const ranAt = worker.now();

  const attempt = { generation: held.generation + 1, fencing: held.fencing };
  const instructions = guest.instructions - before.instructions;
  const progress = progressOf(held, result, terms.messageId, instructions, ranAt);
  const facts = factsOf(progress, result, skipped, ranAt);
  const [flushed] = await Promise.all([
    flush(store, restored.checkpoint, attempt, changesOf(guest, result.exit), {
      reader: restored.source.reader,
      facts,
    }),
    store.writeConsole(held.guest, attempt, held.consoleOffset, result.output),
    store.writeResults(held.guest, attempt, held.results, result.results),
  ]);
  const flushedAt = worker.now();
  worker.flushRate.measured(flushed.stats.dirty, flushedAt - ranAt);

  const milliseconds = flushedAt - startedAt;
  const dollars = sliceDollars({ milliseconds, ...worker.bill, ...usageOf(store) });
  const metrics: SliceMetrics = {
    guest: held.guest,
    ...attempt,
    worker: worker.name,
    startedAt,
    endedAt: flushedAt,
    status: progress.status,
    ...(progress.reason === undefined ? {} : { reason: progress.reason }),
    restoredFrom: restored.from,
    restoreMs: restoredAt - startedAt,
    runMs: ranAt - restoredAt,
    idleMs: result.idleMs,
    flushMs: flushedAt - ranAt,
    instructions,
    exits: difference(before.exits, guest.exits),
    pages: {
      dirty: flushed.stats.dirty,
      unchanged: flushed.stats.unchanged,
      zero: flushed.stats.zero,
      equal: flushed.stats.equal,
      moved: flushed.stats.moved,
      restored: restored.source.pages,
      waits: restored.source.waits,
    },
    waitMs: result.waitMs,
    ...(result.firstOutputAt === undefined ? {} : { firstOutputMs: result.firstOutputAt - startedAt }),
    packs: flushed.stats.packs,
    consoleBytes: result.output.length,
    inboxEntries: result.inboxEntries,
    results: result.results.length,
    ...usageOf(store),
    dollars,
  };
  await store.writeMetrics(metrics);

  const committed = await commit(
    store,
    held,
    { ...progress, spent: spentWith(held, milliseconds, dollars, flushedAt) },
    worker.now(),
  );
  if (committed === undefined) return lost();
  keepWarm(worker, restored, flushed, result.exit);
  const commitMs = worker.now() - flushedAt;
  worker.flushRate.overhead(restoredAt - startedAt + (flushedAt - ranAt) + commitMs);
  report(worker, { message: 'slice', ...metrics, commitMs });
  return finish(worker, store, committed, terms, [restored.checkpoint, flushed.checkpoint]);
}

/** A record with metrics in it. */
function report(worker: Worker, record: Readonly<Record<string, unknown>>): void {
  worker.log(embedded(record, worker.bill.functionName, worker.now()));
}

/** Another worker has taken the lease meanwhile: what this one did is invisible and stays so. */
function lost(): Outcome {
  return { kind: 'returned', why: 'the lease was lost before the commit' };
}

type Prepared =
  | {
      readonly restored: Restored;
      readonly result: RunResult;
      readonly restoredAt: number;
      readonly before: { readonly instructions: number; readonly exits: ExitCounts };
      readonly skipped: bigint | undefined;
    }
  | { readonly stopped: string; readonly status: 'failed' | 'suspended' };

/** Restores and runs the guest; or says why there is no running it. */
async function prepare(
  worker: Worker,
  store: CheckpointStore,
  held: Head,
  terms: SliceTerms,
): Promise<Prepared> {
  try {
    const definition = await worker.images.definition(held.definition, store);
    const reason = tripped(definition.breaker, held, worker.now());
    if (reason !== undefined) return { stopped: reason, status: 'suspended' };
    try {
      return await restoreAndRun(worker, store, held, terms, definition, false);
    } catch (error) {
      if (!(error instanceof PageWanted)) throw error;
      // Somebody touched an absent page who cannot wait. The guest is thrown away and begins the slice again.
      worker.log({ message: 'restored whole', guest: held.guest, reason: error.message });
      return await restoreAndRun(worker, store, held, terms, definition, true);
    }
  } catch (error) {
    const hopeless =
      error instanceof ImageError || error instanceof CorruptPackError || error instanceof StateError;
    if (!hopeless) throw error;
    return { stopped: await withRemedy(store, held, error), status: 'failed' };
  }
}

async function restoreAndRun(
  worker: Worker,
  store: CheckpointStore,
  held: Head,
  terms: SliceTerms,
  definition: GuestDefinition,
  whole: boolean,
): Promise<Prepared> {
  const restored = await restore(
    { ...worker, store },
    held,
    definition,
    whole ? { whole } : { foreseen: terms.foreseen },
  );
  const { guest } = restored;
  const restoredAt = worker.now();
  const before = { instructions: guest.instructions, exits: { ...guest.exits } };
  const { clock } = definition;
  const skipped = idleBefore(clock, held, terms, restoredAt);
  if (skipped !== undefined) guest.skipIdle(skipped);
  const result = await run(guest, held.inboxCursor, limitsOf(worker, held, terms, definition), {
    now: worker.now,
    sleep: worker.sleep,
    inbox: (cursor) => store.readInbox(held.guest, cursor, INBOX_ENTRIES),
    bring: (wanted) => restored.source.bring(wanted),
    clock,
  });
  return { restored, result, restoredAt, before, skipped };
}

/** What the guest's own clock gains by its having been idle (ns): all of it, or its timer alone, or nothing. */
function idleBefore(
  clock: GuestDefinition['clock'],
  held: Head,
  { timerDue, idleSince }: SliceTerms,
  now: number,
): bigint | undefined {
  const wakeAfter = BigInt(held.wakeAfter ?? '0');
  if (clock === 'deterministic') return timerDue ? wakeAfter : undefined;
  if (clock === 'real' || idleSince === undefined) return undefined;
  return idleTime(now - idleSince, held.wakeAfter === undefined ? undefined : wakeAfter);
}

function limitsOf(worker: Worker, held: Head, terms: SliceTerms, definition: GuestDefinition): RunLimits {
  return {
    sliceMs: worker.flushRate.stretched(worker.sliceMs),
    instructions: Math.min(
      worker.sliceInstructions ?? Number.MAX_SAFE_INTEGER,
      definition.sliceInstructions ?? Number.MAX_SAFE_INTEGER,
      instructionsLeft(definition.breaker, held),
    ),
    deadline: Math.min(terms.deadline, held.lease?.expires ?? Infinity),
    flushRate: worker.flushRate.bytesPerMs,
  };
}

/** What is wrong, and for damaged state the newest earlier generation that is whole. */
async function withRemedy(store: CheckpointStore, held: Head, error: Error): Promise<string> {
  if (!(error instanceof CorruptPackError)) return error.message;
  const whole = await newestWhole(store, held).catch(() => undefined);
  if (whole === undefined) return `${error.message} No earlier generation that is kept is whole.`;
  return `${error.message} Generation ${whole} is whole: hv rollback ${held.guest} --to ${whole}`;
}

function keepWarm(worker: Worker, restored: Restored, flushed: FlushResult, exit: SliceExit): void {
  if (isReset(exit)) return;
  for (const space of restored.guest.spaces) space.clean();
  const { guest, definition, files } = restored;
  worker.warm.keep({ guest, definition, files, checkpoint: flushed.checkpoint });
  flushed.checkpoint.known.settle();
}

/** After the commit: deletes what the history no longer holds, then sends the token that the new head calls for. */
async function finish(
  worker: Worker,
  store: CheckpointStore,
  head: Head,
  terms: SliceTerms,
  known: readonly PackNeeds[],
): Promise<Outcome> {
  const stop = Math.min(terms.deadline - MARGIN_MS, worker.now() + COLLECT_MS);
  const options = {
    history: worker.history ?? SHORTEST_HISTORY,
    now: worker.now(),
    batch: COLLECT_BATCH,
    known,
    expired: () => worker.now() >= stop,
  };
  await collect(store, head, options).catch((error: unknown) => {
    // What is left is found again after the next slice; the guest need not wait for it.
    worker.log({ message: 'collection interrupted', guest: head.guest, error: String(error) });
  });
  const next = ownToken(head, worker.now());
  if (next.kind === 'forward') {
    await worker.queue.send({ guest: head.guest, generation: head.generation }, next.delayMs / 1000);
  }
  return { kind: 'committed', head };
}
