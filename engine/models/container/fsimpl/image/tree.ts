/** The files of an image: a tree that never changes, shared by all containers made of it. */
import { S } from '../../vfs/constants';
import type { ByteString } from '../../vfs/name';

export interface ImageNode {
  readonly ino: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Nanoseconds since the Unix epoch. */
  readonly mtime: bigint;
  readonly nlink: number;
  /** Of regular files: a view into the archive. */
  readonly contents: Uint8Array;
  /** Of symbolic links. */
  readonly target: ByteString;
  /** Of directories: the directory that this one lies in. */
  readonly parent: number;
  /** Of directories: inode numbers by name, in the order of the archives. */
  readonly entries: ReadonlyMap<ByteString, number>;
}

export interface ImageTree {
  readonly root: number;
  /** Above all inode numbers of the tree. */
  readonly end: number;
  node(ino: number): ImageNode | undefined;
}

export const NO_CONTENTS = new Uint8Array(0);
export const NO_ENTRIES: ReadonlyMap<ByteString, number> = new Map();

/** Nothing but a root directory: what a tmpfs starts from. */
export function emptyTree(mode = 0o755, mtime = 0n): ImageTree {
  const root: ImageNode = {
    ino: 1,
    mode: S.IFDIR | mode,
    uid: 0,
    gid: 0,
    rdev: 0,
    mtime,
    nlink: 2,
    contents: NO_CONTENTS,
    target: '',
    parent: 1,
    entries: NO_ENTRIES,
  };
  return { root: 1, end: 2, node: (ino) => (ino === 1 ? root : undefined) };
}
