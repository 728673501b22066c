/** Files without names: what pipes, eventfds and sockets lie on. Linux: pipefs, anon_inodefs. */
import { BaseInode } from '../vfs/base-inode';
import { S } from '../vfs/constants';
import type { FileSystem, StatFs } from '../vfs/file-system';
import type { Inode, Stat } from '../vfs/inode';
import type { Location, Mount } from '../vfs/location';
import type { OpenFile } from '../vfs/open-file';
import { Errno } from '../errno';

const DEVICE = 0xd;

class AnonymousFileSystem implements FileSystem {
  readonly type = 'pipefs';
  readonly device = DEVICE;
  readonly root: Inode = new AnonymousInode(this, 1, S.IFDIR | 0o555);
  inode(): undefined {
    return undefined;
  }
  statfs(): StatFs {
    return { type: 0x50495045, blockSize: 4096, blocks: 0, blocksFree: 0, files: 0, filesFree: 0 };
  }
  save(): Uint8Array {
    return new Uint8Array();
  }
  restore(): void {
    // The files are saved by those who hold them.
  }
  dropUnreferenced(): void {
    // Nothing is kept that nobody holds.
  }
}

class AnonymousInode extends BaseInode {
  readonly uid = 0;
  readonly gid = 0;
  constructor(
    readonly fileSystem: FileSystem,
    readonly ino: number,
    readonly mode: number,
  ) {
    super();
  }
  stat(): Stat {
    return {
      dev: DEVICE,
      ino: this.ino,
      mode: this.mode,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      size: 0,
      blockSize: 4096,
      blocks: 0,
      atime: 0n,
      mtime: 0n,
      ctime: 0n,
    };
  }
  override open(): OpenFile {
    throw new Errno('ENXIO');
  }
}

const fileSystem = new AnonymousFileSystem();
const mount: Mount = { id: 0, fileSystem, root: fileSystem.root, at: undefined, flags: 0, source: 'none' };

/** A place for a file of this number and mode. */
export const anonymousLocation = (ino: number, mode: number): Location => ({
  mount,
  inode: new AnonymousInode(fileSystem, ino, mode),
  entry: undefined,
});
