/**
 * A new guest from a generation of another. Nothing is copied: the fork's
 * index names the other's packs, which the other keeps as long as the fork's
 * pin stands; what the fork changes lies under its own name.
 */
import { codecNamed } from './codec';
import { InputError } from './errors';
import { keptGeneration, timer } from './history';
import { sha256 } from './pack';
import { decodeRecord } from './opened-checkpoint';
import { encodeRoot } from './page-index';
import { pinGeneration } from './pinning';
import type { Attempt, CheckpointStore, GenerationRecord, Head } from './store';

export interface ForkOptions {
  readonly guest: string;
  /** Default: the committed one. */
  readonly generation?: number;
  /** Id of the new guest. */
  readonly fork: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Takes two reads and three writes, whatever the guest's size. Console, results and inbox of the fork are empty. The
 * caller sends its token.
 * @throws InputError when there is no such generation, or the fork's id is taken.
 */
export async function fork(
  store: CheckpointStore,
  { guest, fork: id, ...options }: ForkOptions,
): Promise<Head> {
  const head = await store.head(guest);
  if (head === undefined)
    throw new InputError(`there is no guest "${guest}" to fork: give the id of one that has run`);
  const generation = options.generation ?? head.generation;
  if (generation === 0) {
    throw new InputError(
      `guest "${guest}" has not run: its generation 0 is its image, so declare another guest instead`,
    );
  }
  if ((await store.head(id)) !== undefined) throw taken(id);
  const record = await keptGeneration(store, head, generation);
  const at = { generation, fencing: record.fencing };

  await pinGeneration(store, guest, at, id);
  const root = await decodeRecord(guest, record);
  const lineage = [...root.lineage, { guest, generation }];
  await writeFirst(store, id, record, encodeRoot({ ...root, lineage }), options.now);
  const first = firstHead(id, head.definition, record, options.now);
  if ((await store.createHead(first)) !== first) throw taken(id);
  return first;
}

const taken = (id: string): InputError =>
  new InputError(`there is a guest "${id}" already: choose another id`);

/** The record of a guest's first generation, taken over from elsewhere. */
export async function writeFirst(
  store: CheckpointStore,
  guest: string,
  from: GenerationRecord,
  root: Uint8Array,
  now: number,
): Promise<void> {
  const stored = codecNamed(from.codec)?.compress(root) ?? root;
  const { generation, fencing, codec } = from;
  await store.writeGeneration(guest, {
    generation,
    fencing,
    parent: { generation: 0, fencing: 0 },
    codec,
    sha256: sha256(stored),
    root: stored,
    createdAt: now,
    head: factsOf(from),
  });
}

/** The head of a guest that begins at a generation taken over from elsewhere. */
export function firstHead(guest: string, definition: string, from: GenerationRecord, now: number): Head {
  const facts = factsOf(from);
  const at: Attempt = { generation: from.generation, fencing: from.fencing };
  return {
    guest,
    definition,
    ...facts,
    ...at,
    committedFencing: at.fencing,
    attempts: 0,
    slices: 0,
    ...timer(facts, now),
    createdAt: now,
    updatedAt: now,
  };
}

/** What goes over of the head as it was: all but what is counted per guest. */
function factsOf({ head }: GenerationRecord): NonNullable<GenerationRecord['head']> {
  const then = head ?? { status: 'runnable' as const, instructions: 0 };
  return { ...then, inboxCursor: 0, consoleOffset: 0, results: 0 };
}
