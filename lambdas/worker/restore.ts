/** Brings a guest to its committed generation: from memory, from packs, or from its image alone. */
import { canWaitForFiles, type GuestFactory } from '../../engine/models/create';
import type { Guest, GuestDefinition } from '../../engine/models/guest';
import { StateError } from '../../engine/snapshot/errors';
import { emptyCheckpoint, type Checkpoint } from '../store/checkpoint';
import { openCheckpoint, type OpenedCheckpoint } from '../store/opened-checkpoint';
import { PackReader } from '../store/pack-reader';
import { PageSource } from '../store/page-source';
import type { Attempt, CheckpointStore, Head } from '../store/store';
import type { Images } from './image';

/** A guest in this process, and the generation that it is at. */
export interface LiveGuest {
  readonly guest: Guest;
  readonly definition: string;
  readonly checkpoint: Checkpoint;
  /** Whether it has the files of its image. */
  readonly files: FilesOnce;
}

/** Gives a guest its files at most once, whoever asks. */
export class FilesOnce {
  private giving: Promise<void> | undefined;
  constructor(private readonly give: () => Promise<void>) {}
  provide(): Promise<void> {
    this.giving ??= this.give();
    return this.giving;
  }
}

/**
 * The guest that this process ran last. One, since memory holds no second.
 * Taking it empties the place: only a committed slice puts it back, so a
 * guest that ran past its checkpoint is never taken for one that did not.
 */
export class WarmPlace {
  private live: LiveGuest | undefined;

  keep(live: LiveGuest): void {
    this.live = live;
  }

  /** Whether the guest of this head is here. What else is here goes: memory holds no second guest. */
  holds(head: Head): boolean {
    if (!this.isOf(head)) this.live = undefined;
    return this.live !== undefined;
  }

  /** The guest of this head, at its generation or one before it. */
  take(head: Head): LiveGuest | undefined {
    const live = this.isOf(head) ? this.live : undefined;
    this.live = undefined;
    return live;
  }

  private isOf(head: Head): boolean {
    if (this.live === undefined) return false;
    const { checkpoint, definition } = this.live;
    const { at, guest } = checkpoint;
    return guest === head.guest && definition === head.definition && at.generation <= head.generation;
  }
}

export interface Restored extends LiveGuest {
  /** `behind`: from an earlier generation in memory, with what others have changed since. */
  readonly from: 'image' | 'cold' | 'behind' | 'warm';
  /** Pages that are still to come. */
  readonly source: PageSource;
}

/** Where a guest comes from, and what it is to become. */
export interface RestoreSources {
  readonly store: CheckpointStore;
  readonly images: Images;
  readonly createGuest: GuestFactory;
  readonly warm: WarmPlace;
}

/** What a worker has begun of a restore. */
export interface Foreseen {
  readonly at: Attempt;
  readonly opening: Promise<OpenedCheckpoint>;
  /** The guest, made while requests are under way; undefined when it has to be made with its files. */
  readonly shell: Promise<LiveGuest | undefined>;
}

/** Begins a cold restore before its worker has the lease. Without the lease nothing that comes of it counts. */
export function foresee(sources: RestoreSources, head: Head): Foreseen | undefined {
  if (head.generation === 0 || sources.warm.holds(head)) return undefined;
  const { store, images } = sources;
  const at = { generation: head.generation, fencing: head.committedFencing };
  const opening = openCheckpoint(store, head.guest, at);
  const shell = images
    .definition(head.definition, store)
    .then((definition) => (canWaitForFiles(definition) ? makeShell(sources, head, definition) : undefined));
  for (const begun of [opening, shell]) begun.catch(() => undefined); // thrown where it is awaited
  return { at, opening, shell };
}

/**
 * Brings a guest to where it can run on. Its pages may be absent: `source` brings those that it wants.
 * `whole`: all that is stored is fetched before.
 * @throws ImageError, CorruptPackError, StateError: the guest must not run.
 */
export async function restore(
  sources: RestoreSources,
  head: Head,
  definition: GuestDefinition,
  { whole = false, foreseen }: { readonly whole?: boolean; readonly foreseen?: Foreseen | undefined } = {},
): Promise<Restored> {
  const { store } = sources;
  const live = sources.warm.take(head);
  const at = { generation: head.generation, fencing: head.committedFencing };
  if (live !== undefined && isSame(live.checkpoint.at, at)) {
    const reader = new PackReader(store.packs, live.checkpoint);
    return { ...live, from: 'warm', source: sourceOf(live, reader) };
  }
  if (head.generation === 0) return fromImage(sources, head, definition);

  const begun = foreseen && isSame(foreseen.at, at) ? foreseen : undefined;
  const opening = begun?.opening ?? openCheckpoint(store, head.guest, at);
  const { checkpoint, reader, state, profile } = await opening;
  if (live !== undefined && state !== undefined) {
    const behind = { ...live, checkpoint };
    const source = sourceOf(behind, reader);
    if (await source.catchUp(live.checkpoint)) {
      await source.prefetch();
      return settle({ ...behind, from: 'behind', source }, state, profile);
    }
  }
  const fresh =
    state !== undefined && canWaitForFiles(definition)
      ? ((await begun?.shell) ?? makeShell(sources, head, definition))
      : await complete(sources, head, definition);
  const restored = { ...fresh, checkpoint };
  const source = sourceOf(restored, reader);
  source.omitAll();
  await source.prefetch();
  if (whole) await source.all();
  return settle({ ...restored, from: 'cold', source }, state, profile);
}

function settle(
  restored: Restored,
  state: Uint8Array | undefined,
  profile: Uint8Array | undefined,
): Restored {
  if (profile !== undefined) warmUp(restored.guest, profile);
  if (state === undefined) return restored;
  restored.guest.restore(state);
  // What making the guest has put into its pages is part of the checkpoint already.
  for (const space of restored.guest.spaces) space.clean();
  return restored;
}

/** A profile is a hint: one that another version has written, and this one does not understand, is passed over. */
function warmUp(guest: Guest, profile: Uint8Array): void {
  try {
    guest.useProfile?.(profile);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
  }
}

async function fromImage(
  sources: RestoreSources,
  head: Head,
  definition: GuestDefinition,
): Promise<Restored> {
  const live = await complete(sources, head, definition);
  const reader = new PackReader(sources.store.packs, live.checkpoint);
  return { ...live, from: 'image', source: sourceOf(live, reader) };
}

/** A guest with its files. */
async function complete(
  { images, createGuest }: RestoreSources,
  head: Head,
  definition: GuestDefinition,
): Promise<LiveGuest> {
  const guest = createGuest(definition, await images.files(definition));
  const files = new FilesOnce(() => Promise.resolve());
  return { guest, definition: head.definition, checkpoint: emptyCheckpoint(head.guest), files };
}

/** A guest without its files, which it gets when it touches what only they have. */
function makeShell(
  { images, createGuest }: RestoreSources,
  head: Head,
  definition: GuestDefinition,
): LiveGuest {
  const guest = createGuest(definition, undefined);
  const files = new FilesOnce(async () => guest.provideFiles?.(await images.files(definition)));
  return { guest, definition: head.definition, checkpoint: emptyCheckpoint(head.guest), files };
}

function sourceOf({ guest, checkpoint, files }: LiveGuest, reader: PackReader): PageSource {
  return new PageSource({ checkpoint, reader, spaces: guest.spaces, provideFiles: () => files.provide() });
}

const isSame = (a: Attempt, b: Attempt): boolean => a.generation === b.generation && a.fencing === b.fencing;
