/** Locations as they are saved: by numbers, which outlive the objects. */
import { count, type Field, nested, optional, text, u32 } from '../../../snapshot/codec';
import { StateError } from '../../../snapshot/errors';
import type { Inode } from './inode';
import type { Location, Mount } from './location';
import type { ByteString } from './name';
import type { MountNamespace } from './namespace';

export interface SavedLocation {
  /** The mount's id. */
  readonly mount: number;
  readonly ino: number;
  readonly entry: { readonly parent: number; readonly name: ByteString } | undefined;
}

export const savedLocation: Field<SavedLocation> = nested<SavedLocation>({
  mount: u32,
  ino: count,
  entry: optional(nested({ parent: count, name: text })),
});

export function saveLocation({ mount, inode, entry }: Location): SavedLocation {
  return {
    mount: mount.id,
    ino: inode.ino,
    entry: entry && { parent: entry.parent.ino, name: entry.name },
  };
}

/**
 * Acquires nothing: whoever held the location before does so again.
 * @throws StateError when there is no such mount or file
 */
export function restoreLocation(
  namespace: MountNamespace,
  { mount: id, ino, entry }: SavedLocation,
): Location {
  const mount = namespace.mountOf(id);
  const inode = mount?.fileSystem.inode(ino);
  if (!mount || !inode) {
    throw new StateError(
      `saved location: no ${mount ? `inode ${ino} in` : 'mount'} ${id}; the saved state is damaged`,
    );
  }
  if (!entry) return { mount, inode, entry: undefined };
  // The directory that it was found in may be gone meanwhile: then the name is all that is left.
  const parent = mount.fileSystem.inode(entry.parent) ?? goneDirectory(mount);
  return { mount, inode, entry: { parent, name: entry.name } };
}

/** Stands for a directory that is gone: nothing is in the root under the name of what was in it, or it is another file. */
const goneDirectory = (mount: Mount): Inode => mount.root;
