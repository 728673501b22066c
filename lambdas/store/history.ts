/** A guest's past: what is kept of it, whether it is whole, and going back to it. */
import { neededPacks } from './checkpoint';
import { forEachBounded } from './bounded';
import { CorruptPackError, InputError } from './errors';
import { openPack } from './pack';
import { openCheckpoint, readIndex, readRecord, readTable } from './opened-checkpoint';
import { ownerOf } from './page-index';
import { pinGeneration } from './pinning';
import type { Attempt, CheckpointStore, CommittedHead, GenerationRecord, Head } from './store';

/** The generations that are kept, the newest first. */
export function history(
  store: CheckpointStore,
  head: CommittedHead,
  limit?: number,
): Promise<GenerationRecord[]> {
  return store.generations(head, {
    from: head.generation,
    descending: true,
    ...(limit === undefined ? {} : { limit }),
  });
}

/** @throws InputError when the generation is not kept. */
export async function keptGeneration(
  store: CheckpointStore,
  head: CommittedHead,
  generation: number,
): Promise<GenerationRecord> {
  const [record] = await store.generations(head, { from: generation, limit: 1 });
  if (record?.generation === generation && generation <= head.generation) return record;
  const kept = (await history(store, head)).map((each) => each.generation);
  throw new InputError(
    `guest "${head.guest}" has no generation ${generation}; kept are ${kept.join(', ') || 'none'}: ` +
      `choose one of them, or raise the host's "history"`,
  );
}

/** Reads all that a generation needs. @throws CorruptPackError naming what is damaged. */
export async function verify(
  store: CheckpointStore,
  guest: string,
  at: Attempt,
): Promise<{ packs: number; bytes: number }> {
  const { lineage } = await readTable(store, guest, at);
  const opened = await openCheckpoint(store, guest, at);
  await readIndex(opened);
  const needed = neededPacks(opened.checkpoint);
  let bytes = 0;
  await forEachBounded(needed.values(), async (id) => {
    const pack = await openPack(store.packs, ownerOf(guest, lineage, id), at.generation, id);
    bytes += pack.bytes;
  });
  return { packs: needed.size, bytes };
}

/** The newest generation before the head's of which everything is there and as it was written. */
export async function newestWhole(store: CheckpointStore, head: CommittedHead): Promise<number | undefined> {
  for (const record of await history(store, head)) {
    if (record.generation === head.generation) continue;
    try {
      await verify(store, head.guest, record);
      return record.generation;
    } catch (error) {
      if (!(error instanceof CorruptPackError)) throw error;
    }
  }
  return undefined;
}

/**
 * Makes an earlier generation the next one: memory, disks and devices are as they were, and events that came since are
 * delivered again. What the guest has emitted stays emitted. The caller sends the head's token.
 * @throws InputError when the generation is not kept, or the guest is running.
 */
export async function rollback(
  store: CheckpointStore,
  guest: string,
  generation: number,
  now: number,
): Promise<Head> {
  const head = await store.head(guest);
  if (head === undefined)
    throw new InputError(`there is no guest "${guest}": see "hv history" for those of a host`);
  const running = new InputError(
    `guest "${guest}" is running a slice: wait for its end, or suspend it, and try again`,
  );
  if (head.lease !== undefined && head.lease.expires > now) throw running;
  const { lease: _, ...rest } = head;
  const held: Head = {
    ...rest,
    fencing: head.fencing + 1,
    lease: { owner: 'rollback', expires: now + ROLLBACK_MS },
  };
  if (!(await store.swapHead(head, held))) throw running;

  const back = await keptAndPinned(store, head, generation).catch(async (error: unknown) => {
    await store.swapHead(held, { ...rest, fencing: held.fencing });
    throw error;
  });
  const attempt = { generation: head.generation + 1, fencing: held.fencing };
  const parent = { generation: head.generation, fencing: head.committedFencing };
  const facts = {
    createdAt: now,
    head: factsAfter(head, back),
    copyOf: { generation, fencing: back.fencing },
  };
  await store.writeGeneration(guest, {
    ...attempt,
    parent,
    codec: back.codec,
    sha256: back.sha256,
    root: back.root,
    ...facts,
  });
  const { reason: _reason, wakeAt: _wakeAt, wakeAfter: _wakeAfter, committedBy: _by, ...lasting } = rest;
  const next: Head = {
    ...lasting,
    ...facts.head,
    generation: attempt.generation,
    fencing: attempt.fencing,
    committedFencing: attempt.fencing,
    attempts: 0,
    updatedAt: now,
    ...timer(facts.head, now),
  };
  const committed = await store.swapHead(held, next);
  await store.unpin(guest, guest);
  if (!committed) throw running;
  return next;
}

async function keptAndPinned(
  store: CheckpointStore,
  head: Head,
  generation: number,
): Promise<GenerationRecord> {
  const record = await keptGeneration(store, head, generation);
  await pinGeneration(store, head.guest, record, head.guest);
  return record;
}

/** How long a rollback may take before a worker may run the guest again. */
const ROLLBACK_MS = 10_000;

type Facts = NonNullable<GenerationRecord['head']>;

/** The head's part of an earlier generation, with what is never taken back. */
function factsAfter(head: Head, back: GenerationRecord): Facts {
  const { consoleOffset, results, instructions } = head;
  const then = back.head ?? { status: 'runnable' as const, inboxCursor: head.inboxCursor };
  return { ...then, consoleOffset, results, instructions };
}

/** The timer of an idle guest starts anew. */
export function timer({ status, wakeAfter }: Facts, now: number): Pick<Head, 'wakeAt'> {
  return status === 'idle' && wakeAfter !== undefined
    ? { wakeAt: Math.ceil(now + Number(wakeAfter) / 1e6) }
    : {};
}

/** The head as it was when a generation was committed; for the record of generation 0 there is none. */
export async function recordedHead(
  store: CheckpointStore,
  guest: string,
  at: Attempt,
): Promise<Facts | undefined> {
  return (await readRecord(store, guest, at)).head;
}
