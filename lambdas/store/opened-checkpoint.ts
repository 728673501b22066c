/**
 * A committed generation, opened: index and state are here, and its pages go
 * into a guest's spaces. The way there is `flush` in checkpoint.ts.
 */
import type { PageSpace } from '../../engine/models/guest';
import { StateError } from '../../engine/snapshot/errors';
import { livePacks, type Checkpoint } from './checkpoint';
import { codecNamed, plain } from './codec';
import { CorruptPackError } from './errors';
import { packName } from './keys';
import { sha256, type FrameLocator, type OpenFrame } from './pack';
import { PackReader } from './pack-reader';
import { differenceFrom } from './page-frames';
import { decodeRoot, placeOf, Segment, type PagePlace, type Root, type SpaceIndex } from './page-index';
import type { Attempt, CheckpointStore } from './store';
import { PAGE_SIZE, ZERO_PAGE } from './zero-page';

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The guest's own state; undefined: it starts from its image. */
  readonly state: Uint8Array | undefined;
  readonly reader: PackReader;
}

/** Reads index and state of a committed generation. @throws CorruptPackError */
export async function openCheckpoint(
  store: CheckpointStore,
  guest: string,
  at: Attempt,
): Promise<OpenedCheckpoint> {
  const root = await readRoot(store, guest, at);
  const reader = new PackReader(store.packs, guest, at.generation);
  const spaces = new Map<string, SpaceIndex>();
  const wanted: { readonly space: SpaceIndex; readonly number: number; readonly frame: FrameLocator }[] = [];
  for (const [name, { pages, segmentPages, segments }] of root.spaces) {
    const space: SpaceIndex = { pages, segmentPages, segments: new Map() };
    spaces.set(name, space);
    for (const [number, frame] of segments) wanted.push({ space, number, frame });
  }
  const stateFrames = new Array<Uint8Array>(root.state.length);
  await reader.forEachPack(
    [
      ...wanted.map(({ space, number, frame }) => ({
        frame,
        take: ({ bytes }: OpenFrame): void => {
          space.segments.set(number, decodeSegment(bytes, space, frame, guest, at.generation));
        },
      })),
      ...root.state.map((frame, i) => ({
        frame,
        take: ({ bytes }: OpenFrame): void => void (stateFrames[i] = bytes),
      })),
    ],
    { ready: Promise.resolve(), keep: true },
  );
  return {
    checkpoint: { guest, at, spaces, state: root.state, live: livePacks(spaces, root.state) },
    state: root.state.length === 0 ? undefined : plain(Buffer.concat(stateFrames)),
    reader,
  };
}

/** The root of any attempt whose record is still there. @throws CorruptPackError */
export async function readRoot(store: CheckpointStore, guest: string, at: Attempt): Promise<Root> {
  const corrupt = (found: string): CorruptPackError =>
    new CorruptPackError(guest, at.generation, 'root', found);
  const record = await store.generation(guest, at);
  if (record === undefined)
    throw corrupt(`there is no record of the attempt with fencing number ${at.fencing}`);
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

/** Far above the root of any guest: bounds what damaged bytes can ask for. */
const ROOT_BYTES = 16 * 1024 * 1024;

function decodeSegment(
  bytes: Uint8Array,
  space: SpaceIndex,
  frame: FrameLocator,
  guest: string,
  generation: number,
): Segment {
  try {
    return Segment.decode(bytes, space.segmentPages, frame);
  } catch (error) {
    const found = `frame ${frame.frame} is no segment of the page index (${error instanceof Error ? error.message : String(error)})`;
    throw new CorruptPackError(guest, generation, packName(frame.pack), found);
  }
}

/**
 * Whether a guest at `held` becomes one at `opened` by loading pages: it does
 * unless a page went back to what the image has, as after a reset.
 */
export function succeeds(opened: OpenedCheckpoint, held: Checkpoint): boolean {
  if (opened.state === undefined) return false;
  for (const [name, before] of held.spaces) {
    const after = opened.checkpoint.spaces.get(name);
    if (after?.pages !== before.pages) return false;
    for (const page of storedPages(before)) if (placeOf(after, page).kind === 'image') return false;
  }
  return true;
}

/**
 * Puts every stored page into the guest's spaces, and returns how many; with
 * `held`, those alone that lie elsewhere than in that earlier checkpoint, which
 * the spaces are at. Packs are asked for at once, and wait for the spaces.
 * @throws CorruptPackError; StateError when the guest has other spaces than the checkpoint.
 */
export async function loadPages(
  opened: OpenedCheckpoint,
  pageSpaces: readonly PageSpace[] | Promise<readonly PageSpace[]>,
  held?: Checkpoint,
): Promise<number> {
  const { checkpoint, reader } = opened;
  type Load = (spaces: readonly PageSpace[]) => void;
  const zeros: Load[] = [];
  const frames = new Map<string, { readonly frame: FrameLocator; readonly loads: PageLoad[] }>();
  let restored = 0;
  for (const [name, space] of checkpoint.spaces) {
    const before = held?.spaces.get(name);
    for (const page of storedPages(space, before)) {
      restored += 1;
      const place = placeOf(space, page);
      if (place.kind === 'zero') zeros.push((spaces) => loadZero(spaceNamed(spaces, name, space), page));
      if (place.kind !== 'stored') continue;
      const key = `${packName(place.at.pack)}/${place.at.frame}`;
      const wanted = frames.get(key) ?? { frame: place.at, loads: [] };
      frames.set(key, wanted);
      wanted.loads.push((spaces, opened) => {
        const target = spaceNamed(spaces, name, space);
        const stored = pageIn(opened.bytes, place.slot, place.at, checkpoint);
        target.load(page, opened.delta ? undoDifference(target, page, stored) : stored);
      });
    }
  }
  const loading = reader.forEachPack<readonly PageSpace[]>(
    [...frames.values()].map(({ frame, loads }) => ({
      frame,
      take: (opened, spaces) => loads.forEach((load) => load(spaces, opened)),
    })),
    { ready: Promise.resolve(pageSpaces) },
  );
  const [spaces] = await Promise.all([pageSpaces, loading]);
  for (const [name, space] of checkpoint.spaces) spaceNamed(spaces, name, space);
  for (const load of zeros) load(spaces);
  return restored;
}

type PageLoad = (spaces: readonly PageSpace[], frame: OpenFrame) => void;

/** @throws StateError when the guest's image has no such page: it is another one than the checkpoint's. */
function undoDifference(space: PageSpace, page: number, difference: Uint8Array): Uint8Array {
  const image = space.imagePage?.(page);
  if (image) return differenceFrom(image, difference);
  throw new StateError(
    `the checkpoint has changes to page ${page} of ${space.name} in the guest's image, and this image has none there: ` +
      'deploy the image that the guest was started from',
  );
}

/** @throws StateError when the guest has no such space. */
function spaceNamed(spaces: readonly PageSpace[], name: string, { pages }: SpaceIndex): PageSpace {
  const target = spaces.find((candidate) => candidate.name === name);
  if (target?.pages === pages) return target;
  throw new StateError(
    `the checkpoint has ${pages} pages of ${name}, and the guest has ${target?.pages ?? 0}: ` +
      `its definition was changed; restore the old one, or start the guest from its image`,
  );
}

function loadZero(space: PageSpace, page: number): void {
  if (space.loadZero) space.loadZero(page);
  else space.load(page, ZERO_PAGE);
}

/** Pages that are not the image's; with `before`, those alone that lie elsewhere there. */
function* storedPages(space: SpaceIndex, before?: SpaceIndex): Iterable<number> {
  for (const [number, segment] of space.segments) {
    const earlier = before?.segments.get(number);
    if (earlier?.stored !== undefined && sameFrame(earlier.stored, segment.stored)) continue;
    for (let i = 0; i < segment.pages; i += 1) {
      const page = number * space.segmentPages + i;
      const place = segment.place(i);
      if (page >= space.pages || place.kind === 'image') continue;
      if (earlier === undefined || !samePlace(place, earlier.place(i))) yield page;
    }
  }
}

function sameFrame(a: FrameLocator, b: FrameLocator | undefined): boolean {
  return b !== undefined && a.frame === b.frame && packName(a.pack) === packName(b.pack);
}

function samePlace(a: PagePlace, b: PagePlace): boolean {
  if (a.kind !== 'stored' || b.kind !== 'stored') return a.kind === b.kind;
  return a.slot === b.slot && sameFrame(a.at, b.at);
}

function pageIn(frame: Uint8Array, slot: number, at: FrameLocator, checkpoint: Checkpoint): Uint8Array {
  const page = frame.subarray(slot * PAGE_SIZE, (slot + 1) * PAGE_SIZE);
  if (page.length === PAGE_SIZE) return page;
  const found = `frame ${at.frame} has ${frame.length} bytes, and page ${slot} of it is wanted`;
  throw new CorruptPackError(checkpoint.guest, checkpoint.at.generation, packName(at.pack), found);
}
