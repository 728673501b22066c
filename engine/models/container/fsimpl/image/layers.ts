/**
 * From layers to one tree: OCI image-spec, layer.md, "Applying Changesets".
 * Layers are applied in order, the lowest first; nothing of an archive leads
 * out of the tree, whatever its names say.
 */
import { ImageError } from '../../../image-error';
import { makeDevice, S } from '../../vfs/constants';
import { NAME_MAX, PATH_MAX, toText, type ByteString } from '../../vfs/name';
import { type ArchiveEntry, type ArchiveType, readArchive } from './archive';
import { type ImageNode, type ImageTree, NO_CONTENTS } from './tree';

/** One tar archive. `name` is for messages. */
export interface Layer {
  readonly name: string;
  readonly archive: Uint8Array;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** Other names of this kind are notes of aufs to itself. */
const AUFS_NOTE = '.wh..wh.';
const MAX_LINKS = 40;
/** Directories between the root and a file: keeps walks over the tree within the stack. */
const MAX_DEPTH = 512;

type BuildNode = { -readonly [K in keyof ImageNode]: ImageNode[K] } & { entries: Map<ByteString, number> };

const formats: Readonly<Record<Exclude<ArchiveType, 'hard link'>, number>> = {
  file: S.IFREG,
  'symbolic link': S.IFLNK,
  'character device': S.IFCHR,
  'block device': S.IFBLK,
  directory: S.IFDIR,
  fifo: S.IFIFO,
};

/** @throws ImageError naming layer and entry */
export function treeOfLayers(layers: readonly Layer[]): ImageTree {
  const builder = new TreeBuilder();
  for (const { name, archive } of layers) {
    const entries = [...readArchive(archive, name)].map((entry) => prepare(entry, name));
    // Whiteouts concern the layers below only, wherever in the archive they stand.
    for (const entry of entries) if (isWhiteout(entry)) builder.whiteOut(entry);
    for (const entry of entries) if (!isWhiteout(entry)) builder.add(entry);
  }
  return builder.tree();
}

interface Prepared extends ArchiveEntry {
  readonly components: readonly ByteString[];
  readonly fail: (problem: string) => ImageError;
}

function prepare(entry: ArchiveEntry, layer: string): Prepared {
  const fail = (problem: string): ImageError =>
    new ImageError(`layer ${layer}, entry "${toText(entry.path)}": ${problem}`);
  return { ...entry, components: componentsOf(entry.path, 'path', fail), fail };
}

/** Absolute paths start at the image's root. */
function componentsOf(path: ByteString, what: string, fail: Prepared['fail']): ByteString[] {
  const components = path.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..')) {
    throw fail(`its ${what} ${JSON.stringify(toText(path))} climbs by ".."; archive it without`);
  }
  if (path.includes('\0')) throw fail(`its ${what} holds a zero byte`);
  if (path.length >= PATH_MAX || components.some(({ length }) => length > NAME_MAX)) {
    throw fail(`its ${what} is too long: ${NAME_MAX} bytes a name, ${PATH_MAX - 1} a path`);
  }
  return components;
}

const lastOf = ({ components }: Prepared): ByteString => components.at(-1) ?? '';
const isWhiteout = (entry: Prepared): boolean => lastOf(entry).startsWith(WHITEOUT);

class TreeBuilder {
  private readonly nodes = new Map<number, BuildNode>();
  private nextIno = 1;
  private readonly root = this.make({ mode: S.IFDIR | 0o755, nlink: 2 });

  whiteOut(entry: Prepared): void {
    const name = lastOf(entry);
    if (name !== OPAQUE && name.startsWith(AUFS_NOTE)) return;
    const directory = this.directoryOf(entry, false);
    if (!directory) return;
    if (name === OPAQUE) for (const child of [...directory.entries.keys()]) this.remove(directory, child);
    else this.remove(directory, name.slice(WHITEOUT.length));
  }

  add(entry: Prepared): void {
    const name = lastOf(entry);
    if (name === '') {
      if (entry.type !== 'directory') throw entry.fail('it has no name; only a directory can be the root');
      return this.update(this.root, entry);
    }
    const directory = this.directoryOf(entry, true)!;
    const existing = this.child(directory, name);
    if (entry.type === 'hard link') return this.link(directory, name, entry);
    if (entry.type === 'directory' && existing && isDirectory(existing)) return this.update(existing, entry);
    if (entry.type === 'symbolic link' && (entry.link === '' || entry.link.length >= PATH_MAX)) {
      throw entry.fail(`a link's target has 1 to ${PATH_MAX - 1} bytes`);
    }
    this.remove(directory, name);
    const { mode, uid, gid, mtime, link, contents, major, minor, type } = entry;
    const node = this.make({
      mode: formats[type] | (type === 'symbolic link' ? 0o777 : mode),
      uid,
      gid,
      mtime,
      contents,
      target: type === 'symbolic link' ? link : '',
      rdev: makeDevice(major, minor),
    });
    this.put(directory, name, node);
  }

  tree(): ImageTree {
    const { nodes, nextIno } = this;
    return { root: this.root.ino, end: nextIno, node: (ino) => nodes.get(ino) };
  }

  private link(directory: BuildNode, name: ByteString, entry: Prepared): void {
    const components = componentsOf(entry.link, 'target', entry.fail);
    const from = this.walk(components.slice(0, -1), entry, false);
    const target = from && this.child(from, components.at(-1) ?? '');
    if (!target) throw entry.fail(`it is a hard link to "${toText(entry.link)}", which is not there`);
    if (isDirectory(target)) throw entry.fail(`it is a hard link to the directory "${toText(entry.link)}"`);
    if (this.child(directory, name) === target) return;
    target.nlink++; // first, so that taking away what had the name leaves the target be
    this.remove(directory, name);
    directory.entries.set(name, target.ino);
  }

  private update(node: BuildNode, { mode, uid, gid, mtime }: Prepared): void {
    node.mode = S.IFDIR | mode;
    Object.assign(node, { uid, gid, mtime });
  }
  private child(directory: BuildNode, name: ByteString): BuildNode | undefined {
    const ino = directory.entries.get(name);
    return ino === undefined ? undefined : this.nodes.get(ino);
  }
  private directoryOf(entry: Prepared, make: boolean): BuildNode | undefined {
    return this.walk(entry.components.slice(0, -1), entry, make);
  }

  /**
   * Down from the root, links followed inside the image, as an extraction in
   * a changed root would.
   * @param make whether directories that are not there are made
   */
  private walk(components: readonly ByteString[], entry: Prepared, make: boolean): BuildNode | undefined {
    const rest = [...components].reverse();
    const path = [this.root];
    for (let links = 0; rest.length > 0;) {
      const name = rest.pop()!;
      const directory = path.at(-1)!;
      if (name === '..') {
        if (path.length > 1) path.pop();
        continue;
      }
      let node = this.child(directory, name);
      if (node && (node.mode & S.IFMT) === S.IFLNK) {
        if (++links > MAX_LINKS) throw entry.fail('its path leads through a loop of symbolic links');
        if (node.target.startsWith('/')) path.length = 1;
        rest.push(
          ...node.target
            .split('/')
            .filter((part) => part !== '' && part !== '.')
            .reverse(),
        );
        continue;
      }
      if (!node) {
        if (!make) return undefined;
        node = this.make({ mode: S.IFDIR | 0o755, mtime: entry.mtime });
        this.put(directory, name, node);
      }
      if (!isDirectory(node)) {
        if (!make) return undefined;
        throw entry.fail(`"${toText(name)}" in its path is no directory`);
      }
      path.push(node);
      if (path.length > MAX_DEPTH) throw entry.fail(`it lies below more than ${MAX_DEPTH} directories`);
    }
    return path.at(-1);
  }

  private make(from: Partial<ImageNode>): BuildNode {
    const ino = this.nextIno++;
    const blank = {
      uid: 0,
      gid: 0,
      rdev: 0,
      mtime: 0n,
      nlink: 0,
      contents: NO_CONTENTS,
      target: '',
      mode: 0,
    };
    const node: BuildNode = { ...blank, ...from, ino, parent: ino, entries: new Map() };
    this.nodes.set(ino, node);
    return node;
  }
  private put(directory: BuildNode, name: ByteString, node: BuildNode): void {
    directory.entries.set(name, node.ino);
    if (isDirectory(node)) {
      node.parent = directory.ino;
      node.nlink = 2;
      directory.nlink++;
    } else node.nlink++;
  }
  private remove(directory: BuildNode, name: ByteString): void {
    const node = this.child(directory, name);
    if (!node) return;
    directory.entries.delete(name);
    if (isDirectory(node)) {
      directory.nlink--;
      for (const child of [...node.entries.keys()]) this.remove(node, child);
      this.nodes.delete(node.ino);
    } else if (--node.nlink === 0) this.nodes.delete(node.ino);
  }
}

const isDirectory = ({ mode }: { readonly mode: number }): boolean => (mode & S.IFMT) === S.IFDIR;
