/** An inode that was made or changed since the image: its state, and how it is saved. */
import { count, type Field, list, nested, record, text, u32, u64 } from '../../../../snapshot/codec';
import type { ByteString } from '../../vfs/name';

/** A page of contents of its own, by its place in the file. */
export type Pages = Map<number, number>;

export interface MemoryNode {
  readonly ino: number;
  mode: number;
  uid: number;
  gid: number;
  readonly rdev: number;
  nlink: number;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  readonly target: ByteString;

  /** Regular files: bytes. */
  size: number;
  /** Regular files: how much of the image's contents still shows where there is no page of its own. */
  imageSize: number;
  readonly pages: Pages;

  /** Directories. */
  parent: number;
  /** Directories: differences to the image's directory of this number, by name. */
  readonly changes: Map<ByteString, Change>;
  /** Directories: `position` of the next change. */
  nextPosition: number;
}

/** A name in a changed directory. */
export interface Change {
  /** 0: a whiteout; the image's entry of this name is gone. */
  readonly ino: number;
  /** Order of listing among the added names, from 1; 0 for whiteouts. */
  readonly position: number;
}

interface SavedNode extends Omit<MemoryNode, 'pages' | 'changes'> {
  readonly pages: { readonly index: number; readonly page: number }[];
  readonly changes: { readonly name: ByteString; readonly ino: number; readonly position: number }[];
}

/** Signed: files may be older than the epoch. */
const time: Field<bigint> = {
  minimumSize: 8,
  write: (out, value) => out.u64(BigInt.asUintN(64, value)),
  read: (input) => BigInt.asIntN(64, u64.read(input)),
};

const fields: Field<SavedNode> = nested<SavedNode>({
  ino: count,
  mode: u32,
  uid: u32,
  gid: u32,
  rdev: u32,
  nlink: u32,
  atime: time,
  mtime: time,
  ctime: time,
  target: text,
  size: count,
  imageSize: count,
  pages: list(nested({ index: u32, page: u32 })),
  parent: count,
  changes: list(nested({ name: text, ino: count, position: count })),
  nextPosition: count,
});

export const memoryLayout = record('memory-file-system', 1, {
  /** Of the image that the differences refer to. */
  imageEnd: count,
  nextIno: count,
  nodes: list(fields),
});

const inOrder = (a: Change & { name: ByteString }, b: Change & { name: ByteString }): number =>
  a.position - b.position || (a.name < b.name ? -1 : 1);

export const savedNode = (node: MemoryNode): SavedNode => ({
  ...node,
  pages: [...node.pages].sort(([a], [b]) => a - b).map(([index, page]) => ({ index, page })),
  changes: [...node.changes].map(([name, change]) => ({ name, ...change })).sort(inOrder),
});

export const restoredNode = ({ pages, changes, ...rest }: SavedNode): MemoryNode => ({
  ...rest,
  pages: new Map(pages.map(({ index, page }) => [index, page])),
  changes: new Map(changes.map(({ name, ino, position }) => [name, { ino, position }])),
});
