/** A committed generation, opened: what its root names is here, and its pages can be fetched (page-source.ts). */
import { unreadSegments, readSegments, type Checkpoint } from './checkpoint';
import { codecNamed, plain } from './codec';
import { CorruptPackError } from './errors';
import { KnownPages } from './known-pages';
import { sha256, type FrameLocator, type OpenFrame } from './pack';
import { PackReader } from './pack-reader';
import { PackTable } from './pack-table';
import { decodeRoot, type Root, type SpaceIndex } from './page-index';
import type { Attempt, CheckpointStore, GenerationRecord } from './store';
import { decodeWorkingSet } from './working-set';

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The guest's own state; undefined: it starts from its image. */
  readonly state: Uint8Array | undefined;
  /** What was hot when it ran. */
  readonly profile: Uint8Array | undefined;
  readonly reader: PackReader;
}

/**
 * Reads a committed generation: its record, its state, its profile, its working set's list and its pack table; of the
 * page index nothing but the root. @throws CorruptPackError
 */
export async function openCheckpoint(
  store: CheckpointStore,
  guest: string,
  at: Attempt,
): Promise<OpenedCheckpoint> {
  const root = await readRoot(store, guest, at);
  const { lineage } = root;
  const reader = new PackReader(store.packs, { guest, lineage, at });
  const spaces = new Map<string, SpaceIndex>();
  for (const [name, { pages, segmentPages, image, segments }] of root.spaces) {
    spaces.set(name, { pages, segmentPages, image, segments: new Map(), unread: new Map(segments) });
  }
  const frames = [...root.state, ...root.workingSet, ...root.profile, ...root.packs];
  const pieces = new Array<Uint8Array>(frames.length);
  await reader.forEachPack(
    frames.map((frame, i) => ({ frame, take: ({ bytes }: OpenFrame): void => void (pieces[i] = bytes) })),
    { ready: Promise.resolve(), keep: true },
  );
  const state = pieces.splice(0, root.state.length);
  const workingSet = pieces.splice(0, root.workingSet.length);
  const profile = pieces.splice(0, root.profile.length);
  const understand = <T>(what: string, decode: () => T): T => {
    try {
      return decode();
    } catch (error) {
      throw new CorruptPackError(guest, at.generation, 'root', `${what}: ${(error as Error).message}`);
    }
  };
  return {
    checkpoint: {
      guest,
      at,
      lineage,
      spaces,
      workingSet: understand('working set', () => decodeWorkingSet(plain(Buffer.concat(workingSet)))),
      table: understand('pack table', () => PackTable.decode(pieces)),
      profile: root.profile,
      frames,
      known: new KnownPages(),
    },
    profile: profile[0],
    state: root.state.length === 0 ? undefined : plain(Buffer.concat(state)),
    reader,
  };
}

/** The whole of the page index. @throws CorruptPackError */
export async function readIndex({ checkpoint, reader }: OpenedCheckpoint): Promise<void> {
  await readSegments(reader, checkpoint, unreadSegments(checkpoint));
}

/** The record of an attempt. @throws CorruptPackError */
export async function readRecord(
  store: CheckpointStore,
  guest: string,
  at: Attempt,
): Promise<GenerationRecord> {
  const record = await store.generation(guest, at);
  if (record !== undefined) return record;
  const found = `there is no record of the attempt with fencing number ${at.fencing}`;
  throw new CorruptPackError(guest, at.generation, 'root', found);
}

/** The root of any attempt whose record is still there. @throws CorruptPackError */
export async function readRoot(store: CheckpointStore, guest: string, at: Attempt): Promise<Root> {
  return decodeRecord(guest, await readRecord(store, guest, at));
}

/** @throws CorruptPackError */
export async function decodeRecord(guest: string, record: GenerationRecord): Promise<Root> {
  const corrupt = (found: string): CorruptPackError =>
    new CorruptPackError(guest, record.generation, 'root', found);
  if (Buffer.compare(sha256(record.root), record.sha256) !== 0)
    throw corrupt('its SHA-256 differs from the stored one');
  const codec = codecNamed(record.codec);
  if (codec === undefined)
    throw corrupt(`its codec is ${JSON.stringify(record.codec)}, which this version does not know`);
  try {
    return decodeRoot(await codec.decompress(record.root, ROOT_BYTES));
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error));
  }
}

/** Packs that the generation of a root needs, read from its pack table. @throws CorruptPackError */
export async function readTable(
  store: CheckpointStore,
  guest: string,
  at: Attempt,
): Promise<Pick<Checkpoint, 'guest' | 'lineage' | 'table' | 'frames'>> {
  const root = await readRoot(store, guest, at);
  const { lineage } = root;
  const reader = new PackReader(store.packs, { guest, lineage, at });
  const pieces = new Array<Uint8Array>(root.packs.length);
  await reader.forEachPack(
    root.packs.map((frame, i) => ({ frame, take: ({ bytes }: OpenFrame): void => void (pieces[i] = bytes) })),
    { ready: Promise.resolve() },
  );
  const frames: readonly FrameLocator[] = [...root.state, ...root.workingSet, ...root.profile, ...root.packs];
  return { guest, lineage, table: PackTable.decode(pieces), frames };
}

/** Far above the root of any guest: bounds what damaged bytes can ask for. */
const ROOT_BYTES = 16 * 1024 * 1024;
