/** Where path resolution arrives: a file together with the way to it. */
import type { FileSystem } from './file-system';
import type { Inode } from './inode';
import type { ByteString } from './name';

/** A file system attached to the tree. */
export interface Mount {
  /** Unique in the namespace; stays the same over save and restore. */
  readonly id: number;
  readonly fileSystem: FileSystem;
  /** What the mount shows as its root: the file system's, or a directory or file of it (bind mount). */
  readonly root: Inode;
  /** The directory or file that it covers; undefined for the namespace's root. */
  readonly at: Location | undefined;
  /** `MOUNT` flags. */
  readonly flags: number;
  /** First column of /proc/mounts. */
  readonly source: string;
}

export interface Location {
  readonly mount: Mount;
  readonly inode: Inode;
  /**
   * The directory and the name under which it was found. Undefined for
   * directories (they know where they lie, also after a rename) and for what
   * has no name, as pipes.
   */
  readonly entry: { readonly parent: Inode; readonly name: ByteString } | undefined;
}

/** Who asks: rights are checked with these. */
export interface Credentials {
  /** Effective (file system) user; 0 passes all checks but execution without any x bit. */
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** What of a task path resolution and the creation of files depend on. */
export interface Subject {
  readonly root: Location;
  readonly cwd: Location;
  readonly credentials: Credentials;
  readonly umask: number;
}
