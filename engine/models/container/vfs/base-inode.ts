/** What a file does that is nothing in particular: bases for inodes and open files. */
import { Errno } from '../errno';
import { S } from './constants';
import type { FileSystem } from './file-system';
import type { AttributeChanges, DirectoryEntry, Inode, NewInode, Stat } from './inode';
import type { Location } from './location';
import type { ByteString } from './name';
import type { OpenFile, WouldBlock } from './open-file';

export const isDirectory = ({ mode }: { readonly mode: number }): boolean => (mode & S.IFMT) === S.IFDIR;
export const isRegular = ({ mode }: { readonly mode: number }): boolean => (mode & S.IFMT) === S.IFREG;
export const isSymlink = ({ mode }: { readonly mode: number }): boolean => (mode & S.IFMT) === S.IFLNK;

/** An inode that is neither a directory nor a link and cannot be changed, until a subclass says otherwise. */
export abstract class BaseInode implements Inode {
  abstract readonly fileSystem: FileSystem;
  abstract readonly ino: number;
  abstract readonly mode: number;
  abstract readonly uid: number;
  abstract readonly gid: number;
  abstract stat(): Stat;
  abstract open(location: Location, flags: number): OpenFile | WouldBlock;

  change(_attributes: AttributeChanges): void {
    throw new Errno('EPERM');
  }
  acquire(): void {}
  release(): void {}
  readlink(): ByteString {
    throw new Errno('EINVAL');
  }
  follow(): Location | undefined {
    return undefined;
  }

  get parent(): Inode {
    throw new Errno('ENOTDIR');
  }
  nameOf(_child: Inode): ByteString | undefined {
    throw new Errno('ENOTDIR');
  }
  lookup(_name: ByteString): Inode | undefined {
    throw new Errno('ENOTDIR');
  }
  entries(_position: number): Iterable<DirectoryEntry> {
    throw new Errno('ENOTDIR');
  }
  create(_name: ByteString, _file: NewInode): Inode {
    throw this.unchangeable();
  }
  link(_name: ByteString, _target: Inode): void {
    throw this.unchangeable();
  }
  unlink(_name: ByteString): void {
    throw this.unchangeable();
  }
  rmdir(_name: ByteString): void {
    throw this.unchangeable();
  }
  rename(_name: ByteString, _to: Inode, _newName: ByteString, _flags: number): void {
    throw this.unchangeable();
  }
  private unchangeable(): Errno {
    return new Errno(isDirectory(this) ? 'EPERM' : 'ENOTDIR');
  }
}
