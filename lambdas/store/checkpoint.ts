/**
 * From a guest's pages to packs. A `Checkpoint` is the page index of one guest
 * as its worker holds it; `flush` moves it on by one attempt. The way back is
 * opened-checkpoint.ts.
 */
import type { PageSpace } from '../../engine/models/guest';
import { codecNamed, PREFERRED_CODEC } from './codec';
import { packName } from './keys';
import { FRAME_BYTES, PackWriter, sha256, type FrameLocator } from './pack';
import { differenceFrom, PageFrames, type Ticket } from './page-frames';
import {
  emptySpace,
  encodeRoot,
  PAGES_PER_FRAME,
  segmentOf,
  type RootSpace,
  type SpaceIndex,
} from './page-index';
import type { Attempt, CheckpointStore, CodecName, PackId } from './store';
import { isZero, PAGE_SIZE } from './zero-page';

/** The page index of one guest. `flush` changes it: after a flush that is not committed, throw it away. */
export interface Checkpoint {
  readonly guest: string;
  /** The committed generation that it describes. */
  readonly at: Attempt;
  readonly spaces: Map<string, SpaceIndex>;
  readonly state: readonly FrameLocator[];
  /** Every pack that the generation needs, by name. */
  readonly live: ReadonlyMap<string, PackId>;
}

/** Generation 0: everything is as the image has it. */
export function emptyCheckpoint(guest: string): Checkpoint {
  return { guest, at: { generation: 0, fencing: 0 }, spaces: new Map(), state: [], live: new Map() };
}

export interface FlushStats {
  readonly dirty: number;
  readonly zero: number;
  readonly equal: number;
  readonly packs: number;
}

export interface FlushResult {
  readonly checkpoint: Checkpoint;
  readonly stats: FlushStats;
}

/** What a slice leaves behind. A guest that is to start from its image again has no `state`, and only its disks' spaces. */
export interface Changes {
  readonly spaces: readonly PageSpace[];
  readonly state: Uint8Array | undefined;
}

/** Bytes of the guest's own state in one frame. */
const STATE_FRAME = 128 * 1024;

/**
 * Writes the pages changed since `base`, the guest's state and the record of
 * generation `attempt.generation`. Nothing of it counts until a head names
 * the attempt. The spaces stay dirty: clean them after the commit.
 */
export async function flush(
  store: CheckpointStore,
  base: Checkpoint,
  attempt: Attempt,
  changes: Changes,
  codec: CodecName = PREFERRED_CODEC,
): Promise<FlushResult> {
  const writer = new PackWriter(store.packs, base.guest, attempt, codec);
  const spaces = new Map(
    changes.spaces.map((space) => [space.name, base.spaces.get(space.name) ?? emptySpace(space.pages)]),
  );
  const stats = await writePages(writer, changes.spaces, spaces);
  await writeSegments(writer, spaces);
  const state: FrameLocator[] = [];
  for (let at = 0; at < (changes.state?.length ?? 0); at += STATE_FRAME) {
    state.push(await writer.add(changes.state?.subarray(at, at + STATE_FRAME) ?? new Uint8Array(0)));
  }

  const live = livePacks(spaces, state);
  const dropped = [...base.live].filter(([name]) => !live.has(name)).map(([, id]) => id);
  const root = encodeRoot({ spaces: rootSpaces(spaces), state, dropped });
  const stored = codecNamed(codec)?.compress(root) ?? root;
  const record = { ...attempt, parent: base.at, codec, sha256: sha256(stored), root: stored };
  await Promise.all([writer.finish(), store.writeGeneration(base.guest, record)]);
  return {
    checkpoint: { guest: base.guest, at: attempt, spaces, state, live },
    stats: { ...stats, packs: writer.count },
  };
}

/** Pages go into frames in the order of their spaces; equal ones once, zero ones not at all. */
async function writePages(
  writer: PackWriter,
  pageSpaces: readonly PageSpace[],
  spaces: ReadonlyMap<string, SpaceIndex>,
): Promise<Omit<FlushStats, 'packs'>> {
  const whole = new PageFrames(writer, false);
  const changed = new PageFrames(writer, true);
  const placed: { readonly space: SpaceIndex; readonly page: number; readonly ticket: Ticket }[] = [];
  const stats = { dirty: 0, zero: 0 };

  for (const pageSpace of pageSpaces) {
    const space = spaces.get(pageSpace.name);
    if (space === undefined) continue;
    for (const page of pageSpace.dirty()) {
      stats.dirty += 1;
      const bytes = pageSpace.read(page);
      if (isZero(bytes)) {
        stats.zero += 1;
        segmentOf(space, page).setZero(page % space.segmentPages);
        continue;
      }
      const image = pageSpace.imagePage?.(page);
      const ticket = await (image ? changed.add(differenceFrom(image, bytes)) : whole.add(bytes));
      placed.push({ space, page, ticket });
    }
  }
  await whole.finish();
  await changed.finish();
  for (const { space, page, ticket } of placed) {
    const { at, slot } = ticket.frames.place(ticket.ordinal);
    segmentOf(space, page).setStored(page % space.segmentPages, at, slot);
  }
  return { ...stats, equal: whole.equal + changed.equal };
}

async function writeSegments(writer: PackWriter, spaces: ReadonlyMap<string, SpaceIndex>): Promise<void> {
  for (const space of spaces.values()) {
    for (const segment of space.segments.values()) segment.stored ??= await writer.add(segment.encode());
  }
}

function rootSpaces(spaces: ReadonlyMap<string, SpaceIndex>): Map<string, RootSpace> {
  const result = new Map<string, RootSpace>();
  for (const [name, { pages, segmentPages, segments }] of spaces) {
    const stored = new Map<number, FrameLocator>();
    for (const [number, segment] of segments)
      if (segment.stored !== undefined) stored.set(number, segment.stored);
    result.set(name, { pages, segmentPages, segments: stored });
  }
  return result;
}

/** Every pack that pages, segments or state lie in. */
export function livePacks(
  spaces: ReadonlyMap<string, SpaceIndex>,
  state: readonly FrameLocator[],
): Map<string, PackId> {
  const live = new Map<string, PackId>();
  const add = (id: PackId): void => void live.set(packName(id), id);
  for (const { pack } of state) add(pack);
  for (const space of spaces.values()) {
    for (const segment of space.segments.values()) {
      segment.references().forEach(add);
      if (segment.stored !== undefined) add(segment.stored.pack);
    }
  }
  return live;
}

if (STATE_FRAME > FRAME_BYTES || PAGES_PER_FRAME * PAGE_SIZE > FRAME_BYTES)
  throw new RangeError('frames are too long');
