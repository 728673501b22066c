/**
 * Deletes what no kept generation needs. A generation is kept when it is one
 * of the newest, young, or forked. One that is not goes with those of its packs
 * that no kept generation's table has, nor that of one that goes after it: what
 * is still there is whole, wherever a collection stops. The oldest goes first and
 * its record last, so what a crash interrupts is found again by the next call.
 *
 * Against forks that come meanwhile: a collection says how far it will go
 * before it looks for pins, a fork pins before it looks whether its generation
 * is going. Of the two, one sees the other.
 */
import { forEachBounded } from './bounded';
import { neededPacks, ownPacks, type Checkpoint } from './checkpoint';
import { CorruptPackError } from './errors';
import { attemptSort, packName } from './keys';
import { readTable } from './opened-checkpoint';
import { ownerOf } from './page-index';
import type { Attempt, CheckpointStore, CommittedHead, GenerationRecord, PackId, Pin } from './store';

export interface History {
  /** Generations kept at least, the committed one counted. */
  readonly generations: number;
  /** Younger ones are kept, too (milliseconds). */
  readonly ageMs: number;
}

/** The committed generation and the one before. */
export const SHORTEST_HISTORY: History = { generations: 2, ageMs: 0 };

/** Generations looked at in one call, the oldest: what is left over waits for the next one. */
const AT_ONCE = 8;

export interface Collected {
  readonly generations: number;
  readonly packs: number;
}

export interface CollectOptions {
  readonly history?: History;
  /** Milliseconds since the epoch. */
  readonly now?: number;
  /** Asked between deletions: what is left over waits for the next call. */
  readonly expired?: () => boolean;
  /** Fewer generations than that are not worth the requests. */
  readonly batch?: number;
  /** Generations whose tables are at hand. */
  readonly known?: readonly PackNeeds[];
}

/** What tells which packs a generation needs. */
export type PackNeeds = Pick<Checkpoint, 'guest' | 'at' | 'lineage' | 'table' | 'frames'>;

export async function collect(
  store: CheckpointStore,
  head: CommittedHead,
  options: CollectOptions = {},
): Promise<Collected> {
  const { history = SHORTEST_HISTORY, now = 0, expired = () => false, known = [], batch = 1 } = options;
  const total = { generations: 0, packs: 0 };
  const oldest = await store.generations(head, { limit: AT_ONCE });
  const young = (record: GenerationRecord): boolean =>
    record.generation > head.generation - Math.max(1, history.generations) ||
    (record.createdAt ?? 0) > now - history.ageMs;
  const candidates = oldest.filter((record) => !young(record));
  const last = candidates.at(-1);
  if (last === undefined || candidates.length < batch || expired()) return total;

  await store.setCollecting(head.guest, last.generation);
  const pins = await store.pins(head.guest);
  const going = candidates.filter((record) => !isPinned(pins, record));
  if (going.length > 0) {
    const kept = await keptPacks(store, head, { going, pins, known });
    const needs = await Promise.all(going.map((record) => needsOf(store, head.guest, record)));
    for (const [i, record] of going.entries()) {
      if (expired()) break;
      const after = needs.slice(i + 1).flatMap((each) => (each ? [...neededPacks(each).keys()] : []));
      const needed = new Set([...kept.names, ...after]);
      total.packs += await collectOne(store, head.guest, record, { needs: needs[i], needed });
      total.generations += 1;
    }
    if (!expired()) await releasePins(store, head.guest, kept);
  }
  await store.setCollecting(head.guest, undefined);
  return total;
}

const isPinned = (pins: readonly Pin[], { generation, fencing }: Attempt): boolean =>
  pins.some((pin) => pin.generation === generation && pin.fencing === fencing);

/** What the kept generations need, by name; with the ancestors whose packs are among it. */
interface Kept {
  readonly names: ReadonlySet<string>;
  readonly ancestors: ReadonlySet<string>;
  readonly formerAncestors: ReadonlySet<string>;
}

async function keptPacks(
  store: CheckpointStore,
  head: CommittedHead,
  { going, pins, known }: { going: readonly Attempt[]; pins: readonly Pin[]; known: readonly PackNeeds[] },
): Promise<Kept> {
  const later = await store.generations(head, { from: (going.at(-1)?.generation ?? 0) + 1 });
  // From one generation to the next packs only go, and come only with the new one: what none of these needs, none of
  // the others does. A rollback brings old ones back.
  const telling = later.filter(({ copyOf }, i) => i === 0 || copyOf !== undefined);
  const kept = new Map<string, Attempt>([...telling, ...pins].map((at) => [attemptSort(at), at]));
  const names = new Set<string>();
  const ancestors = new Set<string>();
  const lineages = new Set<string>();
  await forEachBounded(kept, async ([sort, at]) => {
    const needs =
      known.find((each) => attemptSort(each.at) === sort) ?? (await readTable(store, head.guest, at));
    for (const { guest } of needs.lineage) lineages.add(guest);
    for (const [name, id] of neededPacks(needs)) {
      names.add(name);
      const owner = ownerOf(head.guest, needs.lineage, id);
      if (owner !== head.guest) ancestors.add(owner);
    }
  });
  return { names, ancestors, formerAncestors: new Set([...lineages].filter((each) => !ancestors.has(each))) };
}

/** Undefined: an interrupted collection has deleted the table, and so all else before it. */
async function needsOf(
  store: CheckpointStore,
  guest: string,
  record: GenerationRecord,
): Promise<PackNeeds | undefined> {
  try {
    return { at: record, ...(await readTable(store, guest, record)) };
  } catch (error) {
    if (error instanceof CorruptPackError) return undefined;
    throw error;
  }
}

async function collectOne(
  store: CheckpointStore,
  guest: string,
  record: GenerationRecord,
  { needs, needed }: { readonly needs: PackNeeds | undefined; readonly needed: ReadonlySet<string> },
): Promise<number> {
  let packs = await deleteAbandoned(store, guest, record);
  if (needs) {
    const going = ownPacks(needs).filter((id) => !needed.has(packName(id)));
    // The table itself goes last: with it the rest is found.
    const own = new Set(needs.frames.map(({ pack }) => packName(pack)));
    const isOwn = (id: PackId): boolean => own.has(packName(id));
    const others = going.filter((id) => !isOwn(id));
    await deletePacks(store, guest, others);
    await deletePacks(store, guest, going.filter(isOwn));
    packs += going.length;
  }
  await store.deleteGeneration(guest, record);
  return packs;
}

/** A fork that needs nothing of an ancestor any more lets it go. */
async function releasePins(store: CheckpointStore, guest: string, kept: Kept): Promise<void> {
  for (const ancestor of kept.formerAncestors) await store.unpin(ancestor, guest);
}

async function deletePacks(store: CheckpointStore, guest: string, packs: readonly PackId[]): Promise<void> {
  await forEachBounded(packs, (id) => store.packs.delete(guest, id));
}

/** Leases that ended without a commit between two generations may have left packs and a record. */
async function deleteAbandoned(
  store: CheckpointStore,
  guest: string,
  committed: GenerationRecord,
): Promise<number> {
  if (committed.fencing === committed.parent.fencing + 1) return 0;
  const abandoned = (await store.packs.list(guest, committed.generation)).filter(
    ({ fencing }) => fencing !== committed.fencing,
  );
  await deletePacks(store, guest, abandoned);
  for (const fencing of new Set(abandoned.map((id) => id.fencing))) {
    await store.deleteGeneration(guest, { generation: committed.generation, fencing });
  }
  return abandoned.length;
}
