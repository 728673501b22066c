/**
 * What a worker holds of a guest's committed generation besides the guest: its
 * page index, as far as it has been read. flush.ts moves it on by one attempt;
 * opened-checkpoint.ts reads it.
 */
import { CorruptPackError } from './errors';
import { packName } from './keys';
import { KnownPages } from './known-pages';
import type { FrameLocator, OpenFrame } from './pack';
import type { PackReader } from './pack-reader';
import { PackTable } from './pack-table';
import { ownerOf, Segment, type Lineage, type SpaceIndex } from './page-index';
import type { Attempt, PackId } from './store';
import { EVERYTHING, type WorkingSet } from './working-set';

/** A flush changes it: after a flush that is not committed, throw it away. */
export interface Checkpoint {
  readonly guest: string;
  /** The committed generation that it describes. */
  readonly at: Attempt;
  readonly lineage: Lineage;
  readonly spaces: Map<string, SpaceIndex>;
  readonly workingSet: WorkingSet;
  /** Where pages and segments lie. */
  readonly table: PackTable;
  /** Where the profile of what was hot lies, which goes on from generation to generation as long as it holds. */
  readonly profile: readonly FrameLocator[];
  /** What the root names itself: state, working set, pack table, profile. */
  readonly frames: readonly FrameLocator[];
  /** What is remembered of pages as this generation has them. */
  readonly known: KnownPages;
}

/** Generation 0: everything is as the image has it. */
export function emptyCheckpoint(guest: string): Checkpoint {
  const at = { generation: 0, fencing: 0 };
  const table = new PackTable();
  return {
    guest,
    at,
    lineage: [],
    spaces: new Map(),
    workingSet: EVERYTHING,
    table,
    profile: [],
    frames: [],
    known: new KnownPages(),
  };
}

/** Every pack that the generation needs, by name. */
export function neededPacks({ table, frames }: Pick<Checkpoint, 'table' | 'frames'>): Map<string, PackId> {
  const needed = new Map<string, PackId>();
  for (const { id } of table.entries()) needed.set(packName(id), id);
  for (const { pack } of frames) needed.set(packName(pack), pack);
  return needed;
}

/** Those of them that lie under the guest's own name; the others are an ancestor's. */
export function ownPacks(checkpoint: Pick<Checkpoint, 'guest' | 'lineage' | 'table' | 'frames'>): PackId[] {
  const { guest, lineage } = checkpoint;
  return [...neededPacks(checkpoint).values()].filter((id) => ownerOf(guest, lineage, id) === guest);
}

/** A segment of one space, by its number. */
export interface SegmentNumber {
  readonly space: SpaceIndex;
  readonly number: number;
}

/** All segments that have not been read. */
export function unreadSegments(checkpoint: Checkpoint): SegmentNumber[] {
  return [...checkpoint.spaces.values()].flatMap((space) =>
    [...space.unread.keys()].map((number) => ({ space, number })),
  );
}

/** Reads segments of the page index; those that are there are left alone. @throws CorruptPackError */
export async function readSegments(
  reader: PackReader,
  checkpoint: Checkpoint,
  wanted: Iterable<SegmentNumber>,
): Promise<void> {
  const missing = [...wanted].filter(({ space, number }) => space.unread.has(number));
  if (missing.length === 0) return;
  await reader.forEachPack(
    missing.map(({ space, number }) => {
      const frame = space.unread.get(number)!;
      return {
        frame,
        take: ({ bytes }: OpenFrame): void => {
          if (!space.unread.delete(number)) return;
          space.segments.set(number, decodeSegment(bytes, space, frame, checkpoint));
        },
      };
    }),
    { ready: Promise.resolve(), keep: true },
  );
}

function decodeSegment(
  bytes: Uint8Array,
  space: SpaceIndex,
  frame: FrameLocator,
  { guest, at }: Checkpoint,
): Segment {
  try {
    return Segment.decode(bytes, space.segmentPages, frame);
  } catch (error) {
    const found = `frame ${frame.frame} is no segment of the page index (${error instanceof Error ? error.message : String(error)})`;
    throw new CorruptPackError(guest, at.generation, packName(frame.pack), found);
  }
}
