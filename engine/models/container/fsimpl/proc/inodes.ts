/** The three kinds of files that procfs has. */
import { Errno } from '../../errno';
import { DirectoryFile, PositionedFile } from '../../vfs/base-file';
import { BaseInode } from '../../vfs/base-inode';
import { directoryEntryType, O, S } from '../../vfs/constants';
import type { AttributeChanges, DirectoryEntry, Inode, NewInode, Stat } from '../../vfs/inode';
import type { Location } from '../../vfs/location';
import { type ByteString, fromBytes, toBytes } from '../../vfs/name';
import type { OpenFile } from '../../vfs/open-file';
import type { ProcFileSystem } from './file-system';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}
const ROOT_OWNER: Owner = { uid: 0, gid: 0 };

export abstract class ProcInode extends BaseInode {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;

  constructor(
    override readonly fileSystem: ProcFileSystem,
    override readonly ino: number,
    mode: number,
    owner: Owner,
  ) {
    super();
    this.mode = mode;
    this.uid = owner.uid;
    this.gid = owner.gid;
  }

  stat(): Stat {
    const time = this.fileSystem.source.bootTime();
    const { ino, mode, uid, gid } = this;
    const nlink = (mode & S.IFMT) === S.IFDIR ? 2 : 1;
    const blank = { rdev: 0, size: 0, blockSize: 1024, blocks: 0 };
    return {
      ...blank,
      dev: this.fileSystem.device,
      ino,
      mode,
      nlink,
      uid,
      gid,
      atime: time,
      mtime: time,
      ctime: time,
    };
  }
}

export class ProcDirectory extends ProcInode {
  constructor(
    fileSystem: ProcFileSystem,
    ino: number,
    permissions: number,
    readonly listing: {
      parent(): ProcDirectory;
      lookup(name: ByteString): ProcInode | undefined;
      /** Numbers come last and ascend, so that listing goes on after the last one shown. */
      names(): readonly string[];
    },
    owner = ROOT_OWNER,
  ) {
    super(fileSystem, ino, S.IFDIR | permissions, owner);
  }

  open(location: Location, flags: number): OpenFile {
    return new DirectoryFile(location, flags);
  }
  override get parent(): Inode {
    return this.listing.parent();
  }
  override nameOf(child: Inode): ByteString | undefined {
    return this.listing.names().find((name) => this.lookup(name)?.ino === child.ino);
  }
  override lookup(name: ByteString): ProcInode | undefined {
    return this.listing.lookup(name);
  }
  override *entries(position: number): Iterable<DirectoryEntry> {
    // Positions: fixed names count from 1; numbers stand for themselves behind those.
    const FIXED = 256;
    let fixed = 0;
    for (const name of this.listing.names()) {
      const next = /^\d+$/.test(name) ? FIXED + 1 + Number(name) : ++fixed;
      if (next <= position) continue;
      const child = this.lookup(name);
      if (child) yield { name, ino: child.ino, type: directoryEntryType(child.mode), next };
    }
  }
  override create(_name: ByteString, _file: NewInode): Inode {
    throw new Errno('ENOENT'); // what Linux says there
  }
}

export class ProcFile extends ProcInode {
  constructor(
    fileSystem: ProcFileSystem,
    ino: number,
    permissions: number,
    readonly behaviour: {
      contents(): string | Uint8Array;
      write?(text: ByteString): void;
    },
    owner = ROOT_OWNER,
  ) {
    super(fileSystem, ino, S.IFREG | permissions, owner);
  }
  open(location: Location, flags: number): OpenFile {
    if ((flags & O.ACCMODE) !== O.RDONLY && !this.behaviour.write) throw new Errno('EACCES');
    return new GeneratedFile(location, flags, this);
  }
  /** O_TRUNC means nothing here. */
  override change(attributes: AttributeChanges): void {
    if (attributes.size !== undefined && this.behaviour.write) return;
    super.change(attributes);
  }
}

export class ProcSymlink extends ProcInode {
  constructor(
    fileSystem: ProcFileSystem,
    ino: number,
    permissions: number,
    readonly target: {
      text(): ByteString;
      /** Of magic links. */
      location(): Location | undefined;
    },
    owner = ROOT_OWNER,
  ) {
    super(fileSystem, ino, S.IFLNK | permissions, owner);
  }
  open(): OpenFile {
    throw new Errno('ELOOP');
  }
  override readlink(): ByteString {
    return this.target.text();
  }
  override follow(): Location | undefined {
    return this.target.location();
  }
}

class GeneratedFile extends PositionedFile {
  constructor(
    location: Location,
    flags: number,
    private readonly file: ProcFile,
  ) {
    super(location, flags);
  }
  protected override readAt(offset: number, into: Uint8Array): number {
    const contents = this.file.behaviour.contents();
    const bytes = typeof contents === 'string' ? toBytes(contents) : contents;
    const found = bytes.subarray(offset, offset + into.length);
    into.set(found);
    return found.length;
  }
  protected override writeAt(_offset: number, from: Uint8Array): number {
    this.file.behaviour.write?.(fromBytes(from));
    return from.length;
  }
  protected override size(): number {
    return 0;
  }
}
