/** Brings a guest to its committed generation: from memory, from packs, or from its image alone. */
import type { GuestFactory } from '../../engine/models/create';
import type { Guest, GuestDefinition } from '../../engine/models/guest';
import { emptyCheckpoint, type Checkpoint } from '../store/checkpoint';
import { loadPages, openCheckpoint, succeeds } from '../store/opened-checkpoint';
import type { Attempt, CheckpointStore, Head } from '../store/store';
import type { Images } from './image';

/** A guest in this process, and the generation that it is at. */
export interface LiveGuest {
  readonly guest: Guest;
  readonly definition: string;
  readonly checkpoint: Checkpoint;
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

  /** The guest of this head, at its generation or one before it. */
  take(head: Head): LiveGuest | undefined {
    const { live } = this;
    this.live = undefined;
    if (live === undefined) return undefined;
    const { at, guest } = live.checkpoint;
    const usable =
      guest === head.guest && live.definition === head.definition && at.generation <= head.generation;
    return usable ? live : undefined;
  }
}

export interface Restored extends LiveGuest {
  /** `behind`: from an earlier generation in memory, with what others have changed since. */
  readonly from: 'image' | 'cold' | 'behind' | 'warm';
  /** Pages put back. */
  readonly pages: number;
}

/** Where a guest comes from, and what it is to become. */
export interface RestoreSources {
  readonly store: CheckpointStore;
  readonly images: Images;
  readonly createGuest: GuestFactory;
  readonly warm: WarmPlace;
}

/** @throws ImageError, CorruptPackError, StateError: the guest must not run. */
export async function restore(
  { store, images, createGuest, warm }: RestoreSources,
  head: Head,
  definition: GuestDefinition,
): Promise<Restored> {
  const live = warm.take(head);
  const at = { generation: head.generation, fencing: head.committedFencing };
  if (live !== undefined && isAt(live, at)) return { ...live, from: 'warm', pages: 0 };

  const fresh = async (): Promise<Guest> => createGuest(definition, await images.files(definition));
  // Nothing is held: the guest is made while its checkpoint is opened and its packs come in.
  const early = live === undefined ? fresh() : undefined;
  early?.catch(() => undefined); // thrown where it is awaited
  if (head.generation === 0) {
    const checkpoint = emptyCheckpoint(head.guest);
    return {
      guest: await (early ?? fresh()),
      definition: head.definition,
      checkpoint,
      from: 'image',
      pages: 0,
    };
  }

  const opened = await openCheckpoint(store, head.guest, at);
  const behind = live !== undefined && succeeds(opened, live.checkpoint) ? live : undefined;
  const making = behind === undefined ? (early ?? fresh()) : Promise.resolve(behind.guest);
  const loading = loadPages(
    opened,
    making.then(({ spaces }) => spaces),
    behind?.checkpoint,
  );
  const [guest, pages] = await Promise.all([making, loading]);
  if (opened.state !== undefined) {
    guest.restore(opened.state);
    // What building the guest has put into its pages is part of the checkpoint already.
    for (const space of guest.spaces) space.clean();
  }
  const from = behind === undefined ? 'cold' : 'behind';
  return { guest, definition: head.definition, checkpoint: opened.checkpoint, from, pages };
}

const isAt = ({ checkpoint }: LiveGuest, { generation, fencing }: Attempt): boolean =>
  checkpoint.at.generation === generation && checkpoint.at.fencing === fencing;
