/**
 * The writable file system: tmpfs, and, over an image, the overlay.
 *
 * What overlayfs does per path (copy-up, whiteouts, opaque directories) is
 * done per inode here: an inode that was never changed is the image's, by
 * number; the first change makes a node of the same number that holds the
 * difference. So numbers stay what they are, hard links of the image stay
 * links, directories of the image can be renamed, and the saved state is as
 * large as what changed, not as what was touched.
 */
import { PAGE_SIZE } from '../../../../memory/page-space';
import { StateError } from '../../../../snapshot/errors';
import { Errno } from '../../errno';
import { MAX_FILE_SIZE } from '../../vfs/base-file';
import { isDirectory, isRegular, isSymlink } from '../../vfs/base-inode';
import { S } from '../../vfs/constants';
import type { FileSystem, StatFs } from '../../vfs/file-system';
import type { AttributeChanges, Stat } from '../../vfs/inode';
import type { FileStore } from '../file-store';
import { emptyTree, type ImageNode, type ImageTree, NO_CONTENTS } from '../image/tree';
import { type PageSource, pagesHeld, readContents, resizeContents, writeContents } from './contents';
import { entrySize } from './directory';
import { MemoryInode } from './inode';
import { type MemoryNode, memoryLayout, restoredNode, savedNode } from './node';

export interface MemoryFileSystemOptions {
  /** As /proc/mounts shows it. Default: `overlay` over an image, else `tmpfs`. */
  readonly type?: string;
  /** `st_dev`, unique in the container. */
  readonly device: number;
  /** Where contents go. */
  readonly store: FileStore;
  /** Nanoseconds since the Unix epoch. */
  readonly now: () => bigint;
  /** What lies below. Default: an empty root directory. */
  readonly image?: ImageTree;
  /** Bytes of contents at most, on top of the store's own limit. */
  readonly limit?: number;
  /** Bytes that inodes and names may take. Default: 32 MiB. */
  readonly metadataLimit?: number;
  /** All changes fail with EROFS. */
  readonly readOnly?: boolean;
}

/** What one inode takes of the limit on metadata, without its target. */
const NODE_BYTES = 128;
const magicNumbers: Readonly<Record<string, number>> = { overlay: 0x794c7630, tmpfs: 0x01021994 };

export class MemoryFileSystem implements FileSystem {
  readonly type: string;
  readonly device: number;
  private readonly image: ImageTree;
  private readonly store: FileStore;
  private readonly limit: number;
  private readonly metadataLimit: number;
  private readonly readOnly: boolean;
  readonly now: () => bigint;

  // State
  private nodes = new Map<number, MemoryNode>();
  private nextIno: number;
  // Follows from the state
  private usedPages = 0;
  private usedMetadata = 0;
  /** How often inodes are held by something other than a name. */
  private readonly holds = new Map<number, number>();

  private readonly source: PageSource = {
    allocate: () => {
      if (this.usedPages >= this.limit) throw new Errno('ENOSPC');
      const page = this.store.allocate();
      this.usedPages++;
      return page;
    },
    free: (page) => {
      this.store.free(page);
      this.usedPages--;
    },
    read: (page) => this.store.read(page),
    writable: (page) => this.store.writable(page),
  };

  constructor(options: MemoryFileSystemOptions) {
    this.type = options.type ?? (options.image ? 'overlay' : 'tmpfs');
    this.device = options.device;
    this.store = options.store;
    this.now = options.now;
    this.image = options.image ?? emptyTree();
    this.limit = Math.floor((options.limit ?? Infinity) / PAGE_SIZE);
    this.metadataLimit = options.metadataLimit ?? 32 * 1024 * 1024;
    this.readOnly = options.readOnly ?? false;
    this.nextIno = this.image.end;
  }

  get root(): MemoryInode {
    return new MemoryInode(this, this.image.root);
  }
  inode(ino: number): MemoryInode | undefined {
    return this.nodes.has(ino) || this.image.node(ino) ? new MemoryInode(this, ino) : undefined;
  }

  statfs(): StatFs {
    const blocks = Math.min(this.store.pages, this.limit);
    const files = Math.floor(this.metadataLimit / NODE_BYTES);
    return {
      type: magicNumbers[this.type] ?? magicNumbers['tmpfs']!,
      blockSize: PAGE_SIZE,
      blocks,
      blocksFree: Math.min(blocks - this.usedPages, this.store.pages - this.store.used),
      files,
      filesFree: Math.max(0, files - Math.ceil(this.usedMetadata / NODE_BYTES)),
    };
  }

  // Nodes

  imageNode(ino: number): ImageNode | undefined {
    return this.image.node(ino);
  }
  changedNode(ino: number): MemoryNode | undefined {
    return this.nodes.get(ino);
  }
  /** @throws Errno ESTALE when the file is gone */
  view(ino: number): MemoryNode | ImageNode {
    const found = this.nodes.get(ino) ?? this.image.node(ino);
    if (!found) throw new Errno('ESTALE');
    return found;
  }

  /** The node that a change goes to, made of the image's at the first one (copy-up). @throws Errno EROFS, ESTALE */
  own(ino: number): MemoryNode {
    this.checkWritable();
    const existing = this.nodes.get(ino);
    if (existing) return existing;
    const image = this.image.node(ino);
    if (!image) throw new Errno('ESTALE');
    const { mode, uid, gid, rdev, mtime, nlink, target, parent } = image;
    const size = image.contents.length;
    const times = { atime: mtime, mtime, ctime: mtime };
    return this.add({ ino, mode, uid, gid, rdev, nlink, ...times, target, size, imageSize: size, parent });
  }

  /** A file without a name yet. @throws Errno ENOSPC, EROFS */
  make(file: Pick<MemoryNode, 'mode' | 'uid' | 'gid' | 'rdev' | 'target' | 'parent'>): MemoryNode {
    this.checkWritable();
    this.checkMetadata(NODE_BYTES + file.target.length);
    const now = this.now();
    const times = { atime: now, mtime: now, ctime: now };
    return this.add({ ...file, ino: this.nextIno++, nlink: 0, ...times, size: 0, imageSize: 0 });
  }
  private add(node: Omit<MemoryNode, 'pages' | 'changes' | 'nextPosition'>): MemoryNode {
    const added: MemoryNode = { ...node, pages: new Map(), changes: new Map(), nextPosition: 1 };
    this.nodes.set(added.ino, added);
    this.usedMetadata += NODE_BYTES + added.target.length;
    return added;
  }

  /** @throws Errno ENOSPC */
  checkMetadata(bytes: number): void {
    if (this.usedMetadata + bytes > this.metadataLimit) throw new Errno('ENOSPC');
  }
  chargeMetadata(bytes: number): void {
    this.usedMetadata += bytes;
  }
  checkWritable(): void {
    if (this.readOnly) throw new Errno('EROFS');
  }

  acquire(ino: number): void {
    this.holds.set(ino, (this.holds.get(ino) ?? 0) + 1);
  }
  release(ino: number): void {
    const holds = (this.holds.get(ino) ?? 0) - 1;
    if (holds > 0) return void this.holds.set(ino, holds);
    this.holds.delete(ino);
    this.dropIfUnused(ino);
  }
  /** After the last name is gone. */
  dropIfUnused(ino: number): void {
    const node = this.nodes.get(ino);
    if (!node || node.nlink > 0 || this.holds.has(ino)) return;
    for (const page of node.pages.values()) this.source.free(page);
    this.usedMetadata -= metadataOf(node);
    this.nodes.delete(ino);
  }
  dropUnreferenced(): void {
    for (const ino of [...this.nodes.keys()]) this.dropIfUnused(ino);
  }

  // Attributes and contents

  stat(ino: number): Stat {
    const file = this.view(ino);
    const own = 'pages' in file ? file : undefined;
    const size = sizeOf(file);
    const held = own ? pagesHeld(own) : Math.ceil(size / PAGE_SIZE);
    return {
      dev: this.device,
      ino,
      mode: file.mode,
      nlink: file.nlink,
      uid: file.uid,
      gid: file.gid,
      rdev: file.rdev,
      size,
      blockSize: PAGE_SIZE,
      blocks: isRegular(file) ? held * (PAGE_SIZE / 512) : 0,
      atime: own?.atime ?? file.mtime,
      mtime: file.mtime,
      ctime: own?.ctime ?? file.mtime,
    };
  }

  change(ino: number, { mode, uid, gid, size, atime, mtime }: AttributeChanges): void {
    const type = this.view(ino);
    if (size !== undefined) {
      if (isDirectory(type)) throw new Errno('EISDIR');
      if (!isRegular(type) || !Number.isSafeInteger(size) || size < 0) throw new Errno('EINVAL');
      if (size > MAX_FILE_SIZE) throw new Errno('EFBIG');
    }
    const node = this.own(ino);
    const now = this.now();
    if (size !== undefined) {
      resizeContents(this.source, node, size);
      node.mtime = now;
    }
    if (mode !== undefined) node.mode = (node.mode & S.IFMT) | (mode & S.PERMISSIONS);
    if (uid !== undefined) node.uid = uid;
    if (gid !== undefined) node.gid = gid;
    if (atime !== undefined) node.atime = BigInt.asIntN(64, atime);
    if (mtime !== undefined) node.mtime = BigInt.asIntN(64, mtime);
    node.ctime = now;
  }

  /** Times of access are not kept, as with `noatime`: reading must not change what has to be saved. */
  readAt(ino: number, offset: number, into: Uint8Array): number {
    const file = this.view(ino);
    if ('pages' in file) return readContents(this.source, file, this.imageContents(ino), offset, into);
    const found = file.contents.subarray(offset, offset + into.length);
    into.set(found);
    return found.length;
  }
  writeAt(ino: number, offset: number, from: Uint8Array): number {
    const node = this.own(ino);
    const written = writeContents(this.source, node, this.imageContents(ino), offset, from);
    node.mtime = node.ctime = this.now();
    return written;
  }
  private imageContents(ino: number): Uint8Array {
    return this.image.node(ino)?.contents ?? NO_CONTENTS;
  }

  // State

  save(): Uint8Array {
    return this.encode(this.nextIno, this.nodes);
  }
  private encode(nextIno: number, nodes: ReadonlyMap<number, MemoryNode>): Uint8Array {
    const inOrder = [...nodes.values()].sort((a, b) => a.ino - b.ino);
    return memoryLayout.encode({ imageEnd: this.image.end, nextIno, nodes: inOrder.map(savedNode) });
  }

  /** Before it, `FileStore.forget` of the store, once for all file systems on it. */
  restore(payload: Uint8Array): void {
    const { imageEnd, nextIno, nodes } = memoryLayout.decode(payload);
    if (imageEnd !== this.image.end) {
      throw new StateError(
        `${this.type}: saved over another image; restore it over the one that it was made of`,
      );
    }
    const restored = new Map(nodes.map((node) => [node.ino, restoredNode(node)]));
    if (!isSame(this.encode(nextIno, restored), payload)) {
      throw new StateError(
        `${this.type}: the saved state is out of order or holds a thing twice; it is damaged`,
      );
    }
    let pages = 0;
    let metadata = 0;
    for (const node of restored.values()) {
      this.checkRestored(node, nextIno, restored);
      for (const page of node.pages.values()) this.store.claim(page);
      pages += node.pages.size;
      metadata += metadataOf(node);
    }
    this.nodes = restored;
    this.nextIno = nextIno;
    this.usedPages = pages;
    this.usedMetadata = metadata;
    this.holds.clear();
  }

  private checkRestored(node: MemoryNode, nextIno: number, all: ReadonlyMap<number, MemoryNode>): void {
    const known = (ino: number): boolean => all.has(ino) || this.image.node(ino) !== undefined;
    const isChild = ({ ino }: { ino: number }): boolean => ino === 0 || known(ino);
    const wellFormed =
      node.ino > 0 &&
      node.ino < nextIno &&
      node.size <= MAX_FILE_SIZE &&
      node.imageSize <= Math.min(node.size, this.imageContents(node.ino).length) &&
      (!isDirectory(node) || node.nlink === 0 || known(node.parent)) &&
      [...node.changes.values()].every(isChild);
    if (!wellFormed) {
      throw new StateError(`${this.type}: inode ${node.ino} contradicts itself; the saved state is damaged`);
    }
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

function metadataOf(node: MemoryNode): number {
  let bytes = NODE_BYTES + node.target.length;
  for (const name of node.changes.keys()) bytes += entrySize(name);
  return bytes;
}

function sizeOf(file: MemoryNode | ImageNode): number {
  if (isDirectory(file)) return PAGE_SIZE;
  if (isSymlink(file)) return file.target.length;
  return 'pages' in file ? file.size : file.contents.length;
}
