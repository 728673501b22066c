/** From paths to files: path_resolution(7), symlink(7). */
import { Errno } from '../errno';
import { isDirectory, isSymlink } from './base-inode';
import { ACCESS } from './constants';
import type { Inode } from './inode';
import type { Location, Subject } from './location';
import { NAME_MAX, PATH_MAX, type ByteString } from './name';
import { type MountNamespace, sameInode } from './namespace';
import { checkAccess } from './permission';

/** Symbolic links followed at most in one resolution. */
const MAX_LINKS = 40;

/** All of a path but its last component. */
export interface ParentAndName {
  /** A directory. */
  readonly directory: Location;
  /** The last component; `.` for paths that have none, as `/`. */
  readonly name: ByteString;
  /** A slash follows it: it has to be a directory. */
  readonly trailingSlash: boolean;
  /** False for `.`, `..` and paths without components: nothing can be made or removed there. */
  readonly ordinary: boolean;
}

export const sameLocation = (a: Location, b: Location): boolean =>
  a.mount === b.mount && sameInode(a.inode, b.inode);

/** One resolution: remembers how many links it has followed. */
export class Resolution {
  private links = 0;

  constructor(
    private readonly namespace: MountNamespace,
    private readonly subject: Subject,
  ) {}

  /** @param follow whether a symbolic link as the last component is followed */
  resolve(start: Location, path: ByteString, follow: boolean): Location {
    const { directory, name, trailingSlash } = this.parent(start, path);
    const found = this.step(directory, name, follow || trailingSlash);
    if (trailingSlash && !isDirectory(found.inode)) throw new Errno('ENOTDIR');
    return found;
  }

  parent(start: Location, path: ByteString): ParentAndName {
    if (path.length === 0) throw new Errno('ENOENT');
    if (path.length >= PATH_MAX) throw new Errno('ENAMETOOLONG');
    const components = path.split('/').filter((component) => component !== '');
    const name = components.pop();
    let at = path.startsWith('/') ? this.subject.root : start;
    for (const component of components) {
      this.checkSearch(at);
      at = this.step(at, component, true);
    }
    if (name !== undefined) this.checkSearch(at);
    return {
      directory: at,
      name: name ?? '.',
      trailingSlash: path.endsWith('/'),
      ordinary: name !== undefined && name !== '.' && name !== '..',
    };
  }

  /** One component further. @throws Errno ENOENT, ELOOP and what the link's path gives */
  private step(directory: Location, name: ByteString, follow: boolean): Location {
    const found = this.child(directory, name);
    if (!found) throw new Errno('ENOENT');
    return follow && isSymlink(found.inode) ? this.follow(directory, found) : found;
  }

  /** What a directory has under a name, links not followed; undefined when there is nothing. */
  child(directory: Location, name: ByteString): Location | undefined {
    const { inode, mount } = directory;
    if (name === '.') return directory;
    if (name === '..') return this.up(directory);
    if (name.length > NAME_MAX) throw new Errno('ENAMETOOLONG');
    const child = inode.lookup(name);
    if (!child) return undefined;
    const entry = isDirectory(child) ? undefined : { parent: inode, name };
    return this.namespace.cross({ mount, inode: child, entry });
  }

  /** Where a link that was found in `directory` leads. */
  follow(directory: Location, link: Location): Location {
    if (++this.links > MAX_LINKS) throw new Errno('ELOOP');
    return link.inode.follow() ?? this.resolve(directory, link.inode.readlink(), true);
  }

  /** As `follow`, up to the target's parent: for files that may have to be made. Undefined for magic links. */
  followToParent(directory: Location, link: Location): ParentAndName | undefined {
    if (++this.links > MAX_LINKS) throw new Errno('ELOOP');
    return link.inode.follow() ? undefined : this.parent(directory, link.inode.readlink());
  }

  private checkSearch({ inode }: Location): void {
    if (!isDirectory(inode)) throw new Errno('ENOTDIR');
    checkAccess(inode, this.subject.credentials, ACCESS.EXECUTE);
  }
  private up(from: Location): Location {
    if (sameLocation(from, this.subject.root)) return from;
    const above = parentOf(from);
    return above ? this.namespace.cross(above) : from;
  }
}

/** The directory above, out of the mount at its root; undefined at the root of the namespace. */
export function parentOf(location: Location): Location | undefined {
  let at = location;
  while (sameInode(at.inode, at.mount.root)) {
    if (!at.mount.at) return undefined;
    at = at.mount.at;
  }
  const parent = at.entry?.parent ?? at.inode.parent;
  return { mount: at.mount, inode: parent, entry: undefined };
}

export interface LocationPath {
  /** Absolute, relative to the given root. */
  readonly path: ByteString;
  /** False: it was removed; the path is where it was last known. */
  readonly exists: boolean;
  /** False: it does not lie below the given root; the path starts at the namespace's. */
  readonly reachable: boolean;
}

/** The path of a location below `root`, as getcwd(2) and the links of procfs show it. */
export function pathOf(location: Location, root: Location): LocationPath {
  const names: ByteString[] = [];
  let at = location;
  let exists = true;
  for (;;) {
    if (sameLocation(at, root)) return { path: `/${names.reverse().join('/')}`, exists, reachable: true };
    while (sameInode(at.inode, at.mount.root) && at.mount.at) {
      at = at.mount.at;
      if (sameLocation(at, root)) return { path: `/${names.reverse().join('/')}`, exists, reachable: true };
    }
    if (sameInode(at.inode, at.mount.root)) {
      return { path: `/${names.reverse().join('/')}`, exists, reachable: false };
    }
    const above = named(at);
    if (!above.present) exists = false;
    names.push(above.name);
    if (!above.parent) return { path: `/${names.reverse().join('/')}`, exists, reachable: false };
    at = { mount: at.mount, inode: above.parent, entry: undefined };
  }
}

/** The name of a file in its directory. What was removed keeps the name that it was found under, if any. */
function named({ inode, entry }: Location): {
  name: ByteString;
  parent: Inode | undefined;
  present: boolean;
} {
  try {
    const parent = entry?.parent ?? inode.parent;
    if (!entry) {
      const name = parent.nameOf(inode);
      return { name: name ?? '?', parent, present: name !== undefined };
    }
    const found = parent.lookup(entry.name);
    return { name: entry.name, parent, present: found !== undefined && sameInode(found, inode) };
  } catch (error) {
    // The directory itself is gone, and nobody kept it.
    if (error instanceof Errno) return { name: entry?.name ?? '?', parent: undefined, present: false };
    throw error;
  }
}
