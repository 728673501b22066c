/** What a file is to the virtual file system, whatever file system it lies in. All operations throw `Errno`. */
import type { FileSystem } from './file-system';
import type { Location } from './location';
import type { ByteString } from './name';
import type { OpenFile, WouldBlock } from './open-file';

/** What stat(2) tells. Times in nanoseconds since the Unix epoch. */
export interface Stat {
  readonly dev: number;
  readonly ino: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Bytes. */
  readonly size: number;
  /** Best size of one transfer, bytes. */
  readonly blockSize: number;
  /** Units of 512 bytes that are allocated. */
  readonly blocks: number;
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
}

/** What chmod, chown, utimensat and truncate change; what is absent stays. Rights were checked by the caller. */
export interface AttributeChanges {
  /** Permission bits; the type stays. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atime?: bigint;
  readonly mtime?: bigint;
}

/** A file to be made. */
export interface NewInode {
  /** Type and permissions, umask applied. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of device nodes. */
  readonly rdev?: number;
  /** Of symbolic links. */
  readonly target?: ByteString;
}

export interface DirectoryEntry {
  readonly name: ByteString;
  readonly ino: number;
  /** `DT`. */
  readonly type: number;
  /** Where reading goes on after this entry; stays valid whatever is added or removed. */
  readonly next: number;
}

/**
 * One file. Objects may be made anew at every lookup: what identifies a file
 * is `fileSystem` and `ino`, and these are what is saved.
 */
export interface Inode {
  readonly fileSystem: FileSystem;
  readonly ino: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;

  stat(): Stat;
  /** @throws Errno EROFS, EPERM, ENOSPC, EFBIG; EISDIR and EINVAL for a size that this type cannot have. */
  change(attributes: AttributeChanges): void;

  /** Keeps the file in being while something other than a name refers to it: an open file, a working directory. */
  acquire(): void;
  release(): void;

  /** Opens the file itself: reached through `VirtualFileSystem.open`, which checks rights and finds devices. */
  open(location: Location, flags: number): OpenFile | WouldBlock;

  /** Of a symbolic link: its target. @throws Errno EINVAL for other types */
  readlink(): ByteString;
  /** Of a magic link as those in /proc/self/fd: where it leads, past all names. Undefined: `readlink` says. */
  follow(): Location | undefined;

  // Directories; other types throw ENOTDIR. Names are valid and neither `.` nor `..`.

  /** The directory that this directory lies in; the root's is itself. */
  readonly parent: Inode;
  /** The name of `child`, a directory whose parent this is; undefined when it was removed. */
  nameOf(child: Inode): ByteString | undefined;
  lookup(name: ByteString): Inode | undefined;
  /** Entries from a position (0, or a `next`) on, without `.` and `..`. */
  entries(position: number): Iterable<DirectoryEntry>;
  /** @throws Errno EEXIST, ENOSPC, EROFS */
  create(name: ByteString, file: NewInode): Inode;
  /** @throws Errno EEXIST, EPERM, EMLINK, ENOSPC, EROFS */
  link(name: ByteString, target: Inode): void;
  /** @throws Errno ENOENT, EISDIR, EROFS */
  unlink(name: ByteString): void;
  /** @throws Errno ENOENT, ENOTDIR, ENOTEMPTY, EROFS */
  rmdir(name: ByteString): void;
  /** `to` is of the same file system. @param flags `RENAME` @throws Errno as rename(2) */
  rename(name: ByteString, to: Inode, newName: ByteString, flags: number): void;
}
