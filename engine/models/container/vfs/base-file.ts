/** Open files by kind: bases for file systems, devices and the kernel's own files. */
import { Errno } from '../errno';
import { directoryEntryType, O, POLL, S, SEEK } from './constants';
import type { DirectoryEntry, Inode, Stat } from './inode';
import type { Location } from './location';
import type { OpenFile, UserMemory, WouldBlock } from './open-file';
import type { WaitQueue } from './wait-queue';

/** Above every file's size; offsets stay exact numbers. */
export const MAX_FILE_SIZE = 2 ** 43;

/** Neither readable, writable nor seekable, until a subclass says otherwise. Holds its inode until closed. */
export abstract class BaseFile implements OpenFile {
  offset = 0;
  readonly inode: Inode;
  readonly readiness: WaitQueue | undefined = undefined;

  constructor(
    readonly location: Location,
    public flags: number,
  ) {
    this.inode = location.inode;
    this.inode.acquire();
  }

  read(_into: Uint8Array): number | WouldBlock {
    throw new Errno('EINVAL');
  }
  write(_from: Uint8Array): number | WouldBlock {
    throw new Errno('EINVAL');
  }
  pread(_into: Uint8Array, _offset: number): number | WouldBlock {
    throw new Errno('ESPIPE');
  }
  pwrite(_from: Uint8Array, _offset: number): number | WouldBlock {
    throw new Errno('ESPIPE');
  }
  seek(_offset: number, _whence: number): number {
    throw new Errno('ESPIPE');
  }
  getdents(_emit: (entry: DirectoryEntry) => boolean): void {
    throw new Errno('ENOTDIR');
  }
  stat(): Stat {
    return this.inode.stat();
  }
  truncate(_size: number): void {
    throw new Errno('EINVAL');
  }
  poll(): number {
    return POLL.IN | POLL.OUT;
  }
  ioctl(_request: number, _argument: bigint, _memory: UserMemory): number {
    throw new Errno('ENOTTY');
  }
  close(): void {
    this.inode.release();
  }

  /** @throws Errno EBADF when not opened for reading */
  protected checkReadable(): void {
    if ((this.flags & O.ACCMODE) === O.WRONLY || this.flags & O.PATH) throw new Errno('EBADF');
  }
  /** @throws Errno EBADF when not opened for writing */
  protected checkWritable(): void {
    if ((this.flags & O.ACCMODE) === O.RDONLY || this.flags & O.PATH) throw new Errno('EBADF');
  }
}

/** What has bytes at offsets: regular files, and devices and generated files that behave so. */
export abstract class PositionedFile extends BaseFile {
  /** Up to `into.length` bytes. */
  protected abstract readAt(offset: number, into: Uint8Array): number;
  protected abstract writeAt(offset: number, from: Uint8Array): number;
  protected abstract size(): number;

  override read(into: Uint8Array): number {
    const count = this.pread(into, this.offset);
    this.offset += count;
    return count;
  }
  override pread(into: Uint8Array, offset: number): number {
    this.checkReadable();
    checkOffset(offset);
    return into.length === 0 ? 0 : this.readAt(offset, into);
  }
  override write(from: Uint8Array): number {
    this.checkWritable();
    if (this.flags & O.APPEND) this.offset = this.size();
    const count = this.pwrite(from, this.offset);
    this.offset += count;
    return count;
  }
  /** With O_APPEND Linux appends here too, whatever the offset (pwrite(2), "BUGS"). */
  override pwrite(from: Uint8Array, offset: number): number {
    this.checkWritable();
    checkOffset(offset);
    if (from.length === 0) return 0;
    const at = this.flags & O.APPEND ? this.size() : offset;
    if (at >= MAX_FILE_SIZE) throw new Errno('EFBIG');
    return this.writeAt(at, from.subarray(0, Math.min(from.length, MAX_FILE_SIZE - at)));
  }
  override seek(offset: number, whence: number): number {
    if (this.flags & O.PATH) throw new Errno('EBADF');
    const from = seekBase(whence, this.offset, offset, () => this.size());
    if (from === undefined || from < 0 || from > MAX_FILE_SIZE || !Number.isSafeInteger(from)) {
      throw new Errno('EINVAL');
    }
    return (this.offset = from);
  }
}

/** Where a seek arrives. Holes are not told apart: lseek(2) lets a file system call all of a file data. */
function seekBase(whence: number, current: number, offset: number, size: () => number): number | undefined {
  switch (whence) {
    case SEEK.SET:
      return offset;
    case SEEK.CUR:
      return current + offset;
    case SEEK.END:
      return size() + offset;
    case SEEK.DATA:
    case SEEK.HOLE: {
      const end = size();
      if (offset < 0 || offset >= end) throw new Errno('ENXIO');
      return whence === SEEK.DATA ? offset : end;
    }
    default:
      return undefined;
  }
}

function checkOffset(offset: number): void {
  if (!(offset >= 0)) throw new Errno('EINVAL');
}

/** A directory opened for getdents64. */
export class DirectoryFile extends BaseFile {
  override read(_into: Uint8Array): number {
    throw new Errno('EISDIR');
  }
  override pread(_into: Uint8Array, _offset: number): number {
    throw new Errno('EISDIR');
  }
  override write(_from: Uint8Array): number {
    throw new Errno('EBADF');
  }
  override pwrite(_from: Uint8Array, _offset: number): number {
    throw new Errno('EBADF');
  }
  /** Offsets are what `getdents` gave, or 0: no others mean anything. */
  override seek(offset: number, whence: number): number {
    const to = whence === SEEK.SET ? offset : whence === SEEK.CUR ? this.offset + offset : -1;
    if (!Number.isSafeInteger(to) || to < 0) throw new Errno('EINVAL');
    return (this.offset = to);
  }
  override getdents(emit: (entry: DirectoryEntry) => boolean): void {
    if (this.inode.stat().nlink === 0) throw new Errno('ENOENT'); // removed meanwhile
    // 0 and 1 stand for `.` and `..`; the inode's own positions begin at 2.
    const dots = [
      { name: '.', inode: () => this.inode },
      { name: '..', inode: () => this.inode.parent },
    ];
    while (this.offset < dots.length) {
      const { name, inode } = dots[this.offset]!;
      const next = this.offset + 1;
      if (!emit({ name, ino: inode().ino, type: directoryEntryType(S.IFDIR), next })) return;
      this.offset = next;
    }
    for (const { name, ino, type, next } of this.inode.entries(this.offset - dots.length)) {
      if (!emit({ name, ino, type, next: next + dots.length })) return;
      this.offset = next + dots.length;
    }
  }
  override poll(): number {
    return POLL.IN | POLL.OUT;
  }
}

/** Opened with O_PATH: says where the file is, and nothing else, open(2). */
export class PathFile extends BaseFile {
  override read(_into: Uint8Array): number {
    throw new Errno('EBADF');
  }
  override write(_from: Uint8Array): number {
    throw new Errno('EBADF');
  }
  override pread(_into: Uint8Array, _offset: number): number {
    throw new Errno('EBADF');
  }
  override pwrite(_from: Uint8Array, _offset: number): number {
    throw new Errno('EBADF');
  }
  override seek(_offset: number, _whence: number): number {
    throw new Errno('EBADF');
  }
  override getdents(_emit: (entry: DirectoryEntry) => boolean): void {
    throw new Errno('EBADF');
  }
  override truncate(_size: number): void {
    throw new Errno('EBADF');
  }
  override ioctl(_request: number, _argument: bigint, _memory: UserMemory): number {
    throw new Errno('EBADF');
  }
  override poll(): number {
    return POLL.NVAL;
  }
}
