/**
 * Deletes what no kept generation needs. A generation's record lists the
 * packs that its parent needed and it did not: when the parent falls out of
 * the history, those go, and then the parent's record. The chain of parents
 * is followed by exact keys from the committed head, so nothing that a zombie
 * wrote is ever believed; the oldest goes first, so what a crash interrupts
 * is found again by the next call.
 */
import { readRoot } from './opened-checkpoint';
import { forEachBounded } from './bounded';
import type { Attempt, CheckpointStore, Head, PackId } from './store';

/** Generations kept by default: the committed one and the one before. */
export const KEPT_GENERATIONS = 2;

export interface Collected {
  readonly generations: number;
  readonly packs: number;
}

const GENERATION_0: Attempt = { generation: 0, fencing: 0 };

/** `expired` is asked between deletions: what is left over waits for the next call. */
export async function collect(
  store: CheckpointStore,
  head: Pick<Head, 'guest' | 'generation' | 'committedFencing'>,
  keep = KEPT_GENERATIONS,
  expired: () => boolean = () => false,
): Promise<Collected> {
  const total = { generations: 0, packs: 0 };
  for (const { record, child } of await outdated(store, head, keep)) {
    if (expired()) break;
    total.packs += await deletePacks(store, head.guest, (await readRoot(store, head.guest, child)).dropped);
    total.packs += await deleteAbandoned(store, head.guest, child, record);
    // Generation 0 is the image, and has no record of its own to hang this on.
    if (record.generation === 1)
      total.packs += await deleteAbandoned(store, head.guest, record, GENERATION_0);
    await store.deleteGeneration(head.guest, record);
    total.generations += 1;
  }
  return total;
}

/** Records beyond the kept ones, each with its committed successor, the oldest first. */
async function outdated(
  store: CheckpointStore,
  head: Pick<Head, 'guest' | 'generation' | 'committedFencing'>,
  keep: number,
): Promise<{ readonly record: Attempt; readonly child: Attempt }[]> {
  const found: { readonly record: Attempt; readonly child: Attempt }[] = [];
  let child: Attempt = { generation: head.generation, fencing: head.committedFencing };
  for (let age = 1; child.generation > 1; age += 1) {
    const parent = (await store.generation(head.guest, child))?.parent;
    if (parent === undefined) break;
    if (age >= keep) {
      if ((await store.generation(head.guest, parent)) === undefined) break;
      found.unshift({ record: parent, child });
    }
    child = parent;
  }
  return found;
}

async function deletePacks(store: CheckpointStore, guest: string, packs: readonly PackId[]): Promise<number> {
  await forEachBounded(packs, (id) => store.packs.delete(guest, id));
  return packs.length;
}

/** Leases that ended without a commit between two generations may have left packs and a record. */
async function deleteAbandoned(
  store: CheckpointStore,
  guest: string,
  committed: Attempt,
  parent: Attempt,
): Promise<number> {
  if (committed.fencing === parent.fencing + 1) return 0;
  const abandoned = (await store.packs.list(guest, committed.generation)).filter(
    ({ fencing }) => fencing !== committed.fencing,
  );
  await deletePacks(store, guest, abandoned);
  for (const fencing of new Set(abandoned.map((id) => id.fencing))) {
    await store.deleteGeneration(guest, { generation: committed.generation, fencing });
  }
  return abandoned.length;
}
