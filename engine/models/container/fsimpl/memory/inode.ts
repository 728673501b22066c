/** Inodes of the writable file system: a number, and the operations on what is there under it. */
import { Errno } from '../../errno';
import { DirectoryFile, PositionedFile } from '../../vfs/base-file';
import { BaseInode, isDirectory, isRegular, isSymlink } from '../../vfs/base-inode';
import { directoryEntryType, O, RENAME, S } from '../../vfs/constants';
import type { AttributeChanges, DirectoryEntry, Inode, NewInode, Stat } from '../../vfs/inode';
import type { Location } from '../../vfs/location';
import type { ByteString } from '../../vfs/name';
import type { OpenFile } from '../../vfs/open-file';
import { entrySize, isEmpty, listEntries, lookupEntry, removeEntry, setEntry } from './directory';
import type { MemoryFileSystem } from './file-system';
import type { MemoryNode } from './node';

/** Names of one file at most, as ext4 has it. */
const LINK_MAX = 65000;

export class MemoryInode extends BaseInode {
  constructor(
    override readonly fileSystem: MemoryFileSystem,
    override readonly ino: number,
  ) {
    super();
  }

  get mode(): number {
    return this.fileSystem.view(this.ino).mode;
  }
  get uid(): number {
    return this.fileSystem.view(this.ino).uid;
  }
  get gid(): number {
    return this.fileSystem.view(this.ino).gid;
  }
  stat(): Stat {
    return this.fileSystem.stat(this.ino);
  }
  override change(attributes: AttributeChanges): void {
    this.fileSystem.change(this.ino, attributes);
  }
  override acquire(): void {
    this.fileSystem.acquire(this.ino);
  }
  override release(): void {
    this.fileSystem.release(this.ino);
  }
  override readlink(): ByteString {
    const file = this.fileSystem.view(this.ino);
    if (!isSymlink(file)) throw new Errno('EINVAL');
    return file.target;
  }

  open(location: Location, flags: number): OpenFile {
    if (isDirectory(this)) return new DirectoryFile(location, flags);
    if (!isRegular(this)) throw new Errno('ENXIO');
    if ((flags & O.ACCMODE) !== O.RDONLY) this.fileSystem.checkWritable();
    return new MemoryFile(location, flags, this.fileSystem, this.ino);
  }

  override get parent(): MemoryInode {
    return new MemoryInode(this.fileSystem, this.directory().parent);
  }
  override nameOf(child: Inode): ByteString | undefined {
    for (const { name, ino } of this.list(0)) if (ino === child.ino) return name;
    return undefined;
  }
  override lookup(name: ByteString): MemoryInode | undefined {
    const ino = this.find(name);
    return ino === undefined ? undefined : new MemoryInode(this.fileSystem, ino);
  }
  override *entries(position: number): Iterable<DirectoryEntry> {
    for (const entry of this.list(position)) {
      yield { ...entry, type: directoryEntryType(this.fileSystem.view(entry.ino).mode) };
    }
  }

  override create(name: ByteString, file: NewInode): MemoryInode {
    this.checkFree(name);
    const { fileSystem } = this;
    fileSystem.checkMetadata(entrySize(name) + 256);
    const { mode, uid, gid, rdev = 0, target = '' } = file;
    const node = fileSystem.make({ mode, uid, gid, rdev, target, parent: this.ino });
    node.nlink = isDirectory(node) ? 2 : 1;
    const directory = this.put(name, node.ino);
    if (isDirectory(node)) directory.nlink++;
    return new MemoryInode(fileSystem, node.ino);
  }

  override link(name: ByteString, target: Inode): void {
    this.checkFree(name);
    const { fileSystem } = this;
    if (target.fileSystem !== fileSystem) throw new Errno('EXDEV');
    const file = fileSystem.view(target.ino);
    if (isDirectory(file)) throw new Errno('EPERM');
    if (file.nlink === 0) throw new Errno('ENOENT');
    if (file.nlink >= LINK_MAX) throw new Errno('EMLINK');
    fileSystem.checkMetadata(entrySize(name));
    const node = fileSystem.own(target.ino);
    node.nlink++;
    this.put(name, node.ino);
    node.ctime = fileSystem.now();
  }

  override unlink(name: ByteString): void {
    const ino = this.existing(name);
    if (isDirectory(this.fileSystem.view(ino))) throw new Errno('EISDIR');
    this.take(name);
    this.forgetLink(ino);
  }

  override rmdir(name: ByteString): void {
    const ino = this.existing(name);
    this.checkEmptyDirectory(ino);
    this.take(name);
    this.forgetLink(ino);
  }

  override rename(name: ByteString, to: Inode, newName: ByteString, flags: number): void {
    const { fileSystem } = this;
    fileSystem.checkWritable();
    if (!(to instanceof MemoryInode) || to.fileSystem !== fileSystem) throw new Errno('EXDEV');
    const moved = this.existing(name);
    const replaced = to.find(newName);
    if (replaced !== undefined && flags & RENAME.NOREPLACE) throw new Errno('EEXIST');
    if (replaced === undefined && flags & RENAME.EXCHANGE) throw new Errno('ENOENT');
    if (moved === replaced) return;
    to.checkInBeing();
    to.checkNotBelow(moved);
    if (flags & RENAME.EXCHANGE && replaced !== undefined) {
      this.checkNotBelow(replaced);
      this.put(name, replaced);
      to.put(newName, moved);
      this.adopt(replaced, to);
      to.adopt(moved, this);
      return;
    }
    if (replaced === undefined) fileSystem.checkMetadata(entrySize(newName));
    else if (isDirectory(fileSystem.view(moved))) to.checkEmptyDirectory(replaced);
    else if (isDirectory(fileSystem.view(replaced))) throw new Errno('EISDIR');
    to.put(newName, moved);
    this.take(name);
    if (replaced !== undefined) to.forgetLink(replaced);
    to.adopt(moved, this);
  }

  // Parts of the above

  private directory(): ReturnType<MemoryFileSystem['view']> {
    const file = this.fileSystem.view(this.ino);
    if (!isDirectory(file)) throw new Errno('ENOTDIR');
    return file;
  }
  private find(name: ByteString): number | undefined {
    this.directory();
    return lookupEntry(this.fileSystem.changedNode(this.ino), this.fileSystem.imageNode(this.ino), name);
  }
  private list(position: number): ReturnType<typeof listEntries> {
    this.directory();
    return listEntries(this.fileSystem.changedNode(this.ino), this.fileSystem.imageNode(this.ino), position);
  }
  private existing(name: ByteString): number {
    const ino = this.find(name);
    if (ino === undefined) throw new Errno('ENOENT');
    return ino;
  }
  /** Nothing is made in a directory that was removed. */
  private checkInBeing(): void {
    if (this.directory().nlink === 0) throw new Errno('ENOENT');
  }
  private checkFree(name: ByteString): void {
    this.checkInBeing();
    if (this.find(name) !== undefined) throw new Errno('EEXIST');
    this.fileSystem.checkWritable();
  }
  private checkEmptyDirectory(ino: number): void {
    const { fileSystem } = this;
    if (!isDirectory(fileSystem.view(ino))) throw new Errno('ENOTDIR');
    if (!isEmpty(fileSystem.changedNode(ino), fileSystem.imageNode(ino))) throw new Errno('ENOTEMPTY');
  }
  /** A directory cannot become its own descendant. */
  private checkNotBelow(ino: number): void {
    if (!isDirectory(this.fileSystem.view(ino))) return;
    for (let at = this.ino; ;) {
      if (at === ino) throw new Errno('EINVAL');
      const { parent } = this.fileSystem.view(at);
      if (parent === at) return;
      at = parent;
    }
  }

  /** Puts a name to a file. @returns this directory */
  private put(name: ByteString, ino: number): MemoryNode {
    const directory = this.touched();
    this.fileSystem.chargeMetadata(setEntry(directory, this.fileSystem.imageNode(this.ino), name, ino));
    return directory;
  }
  /** Takes a name away; never fails for want of space. */
  private take(name: ByteString): void {
    const directory = this.touched();
    this.fileSystem.chargeMetadata(removeEntry(directory, this.fileSystem.imageNode(this.ino), name));
  }
  private touched(): MemoryNode {
    const directory = this.fileSystem.own(this.ino);
    directory.mtime = directory.ctime = this.fileSystem.now();
    return directory;
  }
  /** A name of a file in this directory is gone. */
  private forgetLink(ino: number): void {
    const node = this.fileSystem.own(ino);
    if (isDirectory(node)) {
      node.nlink = 0;
      this.fileSystem.own(this.ino).nlink--;
    } else node.nlink--;
    node.ctime = this.fileSystem.now();
    this.fileSystem.dropIfUnused(ino);
  }
  /** A file moved here from another directory: its `..` and the directories' links follow. */
  private adopt(ino: number, from: MemoryInode): void {
    const node = this.fileSystem.own(ino);
    node.ctime = this.fileSystem.now();
    if ((node.mode & S.IFMT) !== S.IFDIR || from.ino === this.ino) return;
    node.parent = this.ino;
    this.fileSystem.own(from.ino).nlink--;
    this.fileSystem.own(this.ino).nlink++;
  }
}

/** A regular file, opened. */
class MemoryFile extends PositionedFile {
  constructor(
    location: Location,
    flags: number,
    private readonly fileSystem: MemoryFileSystem,
    private readonly ino: number,
  ) {
    super(location, flags);
  }
  protected override readAt(offset: number, into: Uint8Array): number {
    return this.fileSystem.readAt(this.ino, offset, into);
  }
  protected override writeAt(offset: number, from: Uint8Array): number {
    return this.fileSystem.writeAt(this.ino, offset, from);
  }
  protected override size(): number {
    return this.fileSystem.stat(this.ino).size;
  }
  override truncate(size: number): void {
    if ((this.flags & O.ACCMODE) === O.RDONLY) throw new Errno('EINVAL');
    this.fileSystem.change(this.ino, { size });
  }
}
