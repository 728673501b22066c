/** The table of mounts of one container, mount_namespaces(7). */
import { Errno } from '../errno';
import { isDirectory } from './base-inode';
import type { FileSystem } from './file-system';
import type { Inode } from './inode';
import type { Location, Mount } from './location';

export interface MountOptions {
  /** What to show as root; by default the file system's. */
  readonly root?: Inode;
  readonly flags?: number;
  readonly source?: string;
}

export const sameInode = (a: Inode, b: Inode): boolean => a.fileSystem === b.fileSystem && a.ino === b.ino;

export class MountNamespace {
  private readonly table = new Map<number, Mount>();
  private nextId = 1;
  readonly rootMount: Mount;

  constructor(root: FileSystem, options: MountOptions = {}) {
    this.rootMount = this.add(root, undefined, options);
  }

  /** In the order in which they were made. */
  get mounts(): readonly Mount[] {
    return [...this.table.values()];
  }
  /** The tree's root, under whatever covers it. */
  get root(): Location {
    return this.cross(rootOf(this.rootMount));
  }
  /** The mount of a number that was saved. */
  mountOf(id: number): Mount | undefined {
    return this.table.get(id);
  }

  /** @throws Errno ENOTDIR when one is a directory and the other is not */
  mount(fileSystem: FileSystem, at: Location, options: MountOptions = {}): Mount {
    const root = options.root ?? fileSystem.root;
    if (isDirectory(root) !== isDirectory(at.inode)) throw new Errno('ENOTDIR');
    return this.add(fileSystem, at, options);
  }
  /** Takes away the mount whose root `location` is. @throws Errno EINVAL, EBUSY when others are mounted in it */
  unmount(location: Location): Mount {
    const { mount } = location;
    if (!mount.at || !sameInode(mount.root, location.inode)) throw new Errno('EINVAL');
    for (const other of this.table.values()) if (other.at?.mount === mount) throw new Errno('EBUSY');
    this.table.delete(mount.id);
    return mount;
  }

  /** The root of what is mounted on a location, or the location itself. */
  cross(location: Location): Location {
    let at = location;
    for (let over = this.mountedAt(at); over; over = this.mountedAt(at)) at = rootOf(over);
    return at;
  }
  /** True when something is mounted on this file of this mount. */
  isMountPoint(location: Location): boolean {
    return this.mountedAt(location) !== undefined;
  }
  /** True when any mount of the file system lies on the file: it cannot be removed or renamed. */
  isBusy(inode: Inode): boolean {
    for (const { at } of this.table.values()) if (at && sameInode(at.inode, inode)) return true;
    return false;
  }

  private mountedAt(location: Location): Mount | undefined {
    // The newest one lies on top. A container has a dozen mounts: no index is worth its upkeep.
    let found: Mount | undefined;
    for (const mount of this.table.values()) {
      if (mount.at?.mount === location.mount && sameInode(mount.at.inode, location.inode)) found = mount;
    }
    return found;
  }
  private add(fileSystem: FileSystem, at: Location | undefined, options: MountOptions): Mount {
    const mount: Mount = {
      id: this.nextId++,
      fileSystem,
      root: options.root ?? fileSystem.root,
      at,
      flags: options.flags ?? 0,
      source: options.source ?? fileSystem.type,
    };
    this.table.set(mount.id, mount);
    return mount;
  }
}

export const rootOf = (mount: Mount): Location => ({ mount, inode: mount.root, entry: undefined });
