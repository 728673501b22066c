/** Brings a guest to its committed generation: from memory, from packs, or from its image alone. */
import type { GuestFactory } from '../../engine/models/create';
import type { Guest, GuestDefinition } from '../../engine/models/guest';
import { emptyCheckpoint, loadPages, openCheckpoint, type Checkpoint } from '../store/checkpoint';
import type { CheckpointStore, Head } from '../store/store';
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

  take(head: Head): LiveGuest | undefined {
    const { live } = this;
    this.live = undefined;
    if (live === undefined) return undefined;
    const { at, guest } = live.checkpoint;
    const same =
      guest === head.guest &&
      live.definition === head.definition &&
      at.generation === head.generation &&
      at.fencing === head.committedFencing;
    return same ? live : undefined;
  }
}

export interface Restored extends LiveGuest {
  readonly from: 'image' | 'cold' | 'warm';
  /** Pages put back. */
  readonly pages: number;
}

/** @throws ImageError, CorruptPackError, StateError: the guest must not run. */
export async function restore(
  store: CheckpointStore,
  images: Images,
  createGuest: GuestFactory,
  warm: WarmPlace,
  head: Head,
  definition: GuestDefinition,
): Promise<Restored> {
  const live = warm.take(head);
  if (live !== undefined) return { ...live, from: 'warm', pages: 0 };

  const at = { generation: head.generation, fencing: head.committedFencing };
  const opened = head.generation === 0 ? undefined : await openCheckpoint(store, head.guest, at);
  const guest = createGuest(definition, await images.files(definition));
  if (opened === undefined) {
    return {
      guest,
      definition: head.definition,
      checkpoint: emptyCheckpoint(head.guest),
      from: 'image',
      pages: 0,
    };
  }
  const pages = await loadPages(opened, guest.spaces);
  if (opened.state !== undefined) {
    guest.restore(opened.state);
    // What building the guest has put into its pages is part of the checkpoint already.
    for (const space of guest.spaces) space.clean();
  }
  return { guest, definition: head.definition, checkpoint: opened.checkpoint, from: 'cold', pages };
}
