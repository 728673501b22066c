/** A file system: inodes by number, and their saved state. */
import type { Inode } from './inode';

/** What statfs(2) tells, in blocks of `blockSize` bytes. */
export interface StatFs {
  /** Magic number, statfs(2). */
  readonly type: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly files: number;
  readonly filesFree: number;
}

export interface FileSystem {
  /** As /proc/mounts shows it: `overlay`, `tmpfs`, `proc`. */
  readonly type: string;
  /** `st_dev` of its files. */
  readonly device: number;
  readonly root: Inode;
  /** The inode of a number that was saved; undefined when there is none. */
  inode(ino: number): Inode | undefined;
  statfs(): StatFs;

  /** Everything that is in neither the image nor a page space, as canonical bytes. */
  save(): Uint8Array;
  /**
   * Inodes taken before are void. Afterwards whoever held inodes acquires
   * them again by number, then calls `dropUnreferenced`.
   * @throws StateError when the payload is malformed or not of this file system
   */
  restore(payload: Uint8Array): void;
  /** Frees files that have no name and that nobody acquired. */
  dropUnreferenced(): void;
}
