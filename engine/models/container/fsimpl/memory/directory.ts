/** Entries of a directory: the image's, with what was added and removed since. */
import type { ByteString } from '../../vfs/name';
import type { ImageNode } from '../image/tree';
import type { MemoryNode } from './node';

export interface Entry {
  readonly name: ByteString;
  readonly ino: number;
  /** Where listing goes on after it: stays valid whatever is added or removed. */
  readonly next: number;
}

type Changed = Pick<MemoryNode, 'changes' | 'nextPosition'>;

/** What one entry takes of the limit on metadata, without its name. */
export const ENTRY_BYTES = 32;

export function lookupEntry(
  changed: Changed | undefined,
  image: ImageNode | undefined,
  name: ByteString,
): number | undefined {
  const change = changed?.changes.get(name);
  if (change) return change.ino === 0 ? undefined : change.ino;
  return image?.entries.get(name);
}

/** @param from a position: image's entries count from 0, added ones follow by their own numbers */
export function* listEntries(
  changed: Changed | undefined,
  image: ImageNode | undefined,
  from: number,
): Generator<Entry> {
  const inImage = image?.entries.size ?? 0;
  if (image && from < inImage) {
    let index = 0;
    for (const [name, ino] of image.entries) {
      if (index++ >= from && !changed?.changes.has(name)) yield { name, ino, next: index };
    }
  }
  if (!changed) return;
  for (const [name, { ino, position }] of changed.changes) {
    const at = inImage + position;
    if (ino !== 0 && at > from) yield { name, ino, next: at };
  }
}

export function isEmpty(changed: Changed | undefined, image: ImageNode | undefined): boolean {
  for (const _ of listEntries(changed, image, 0)) return false;
  return true;
}

/** @returns bytes of metadata more than before */
export function setEntry(
  changed: Changed,
  image: ImageNode | undefined,
  name: ByteString,
  ino: number,
): number {
  const { changes } = changed;
  const before = changes.delete(name);
  // An entry that is the image's own again needs no record.
  if (image?.entries.get(name) !== ino) changes.set(name, { ino, position: changed.nextPosition++ });
  return (Number(changes.has(name)) - Number(before)) * entrySize(name);
}

/** @returns bytes of metadata more than before, perhaps fewer */
export function removeEntry(changed: Changed, image: ImageNode | undefined, name: ByteString): number {
  const { changes } = changed;
  const before = changes.delete(name);
  if (image?.entries.has(name)) changes.set(name, { ino: 0, position: 0 });
  return (Number(changes.has(name)) - Number(before)) * entrySize(name);
}

export const entrySize = (name: ByteString): number => ENTRY_BYTES + name.length;
