/**
 * The operations of system calls on paths: resolution, rights, rules that
 * hold whatever the file system. One object a container. All throw `Errno`.
 *
 * `at` is where relative paths start (a directory descriptor's location);
 * absent: the subject's working directory.
 */
import { Errno } from '../errno';
import { isDirectory, isRegular, isSymlink } from './base-inode';
import { MAX_FILE_SIZE } from './base-file';
import { ACCESS, O, RENAME, S } from './constants';
import type { StatFs } from './file-system';
import type { AttributeChanges, Inode, NewInode, Stat } from './inode';
import type { Location, Subject } from './location';
import { PATH_MAX, type ByteString } from './name';
import { type MountNamespace, sameInode } from './namespace';
import { newInode } from './new-inode';
import { openFound, openPath, openUnchecked, type OpenContext } from './open';
import { type OpenFile, WOULD_BLOCK, type WouldBlock } from './open-file';
import type { Openers } from './openers';
import {
  allowedMode,
  checkAccess,
  checkOwnerChange,
  checkRemoval,
  checkWritableMount,
  owns,
} from './permission';
import { type LocationPath, type ParentAndName, parentOf, pathOf, Resolution } from './resolution';

export interface VirtualFileSystemOptions {
  readonly namespace: MountNamespace;
  readonly openers: Openers;
  /** Nanoseconds since the Unix epoch. */
  readonly now: () => bigint;
}

/** Times of utimensat(2): a time, the present, or left as it is. */
export type TimeChange = bigint | 'now' | 'omit';

export class VirtualFileSystem {
  readonly namespace: MountNamespace;
  private readonly context: OpenContext;
  private readonly now: () => bigint;

  constructor({ namespace, openers, now }: VirtualFileSystemOptions) {
    this.namespace = namespace;
    this.context = { namespace, openers };
    this.now = now;
  }

  /** @param follow whether a symbolic link as the last component is followed; default true */
  resolve(
    subject: Subject,
    path: ByteString,
    { follow = true, at }: { follow?: boolean; at?: Location } = {},
  ): Location {
    return new Resolution(this.namespace, subject).resolve(at ?? subject.cwd, path, follow);
  }

  /** @param mode permission bits for O_CREAT, umask not yet applied */
  open(subject: Subject, path: ByteString, flags: number, mode = 0, at = subject.cwd): OpenFile | WouldBlock {
    return openPath(this.context, subject, at, path, flags, mode);
  }

  /** Opens a file that was resolved already, as execve does: with all checks. */
  openLocation(subject: Subject, location: Location, flags: number): OpenFile | WouldBlock {
    return openFound(this.context, subject, location, flags);
  }

  /** Opens again what was open when the state was saved: rights were checked then. @param flags as of the open file */
  reopen(location: Location, flags: number, offset: number): OpenFile | WouldBlock {
    const file = openUnchecked(this.context, location, flags & ~(O.CREAT | O.EXCL | O.TRUNC));
    if (file !== WOULD_BLOCK) file.offset = offset;
    return file;
  }

  stat(location: Location): Stat {
    return location.inode.stat();
  }
  statfs(location: Location): StatFs {
    return location.mount.fileSystem.statfs();
  }
  /** faccessat(2) with effective ids. @param wanted `ACCESS` */
  access(subject: Subject, location: Location, wanted: number): void {
    const { inode, mount } = location;
    if (wanted & ACCESS.WRITE && isContents(inode)) checkWritableMount(mount);
    checkAccess(inode, subject.credentials, wanted);
  }
  readlink(location: Location): ByteString {
    return location.inode.readlink();
  }
  pathOf(location: Location, root: Location): LocationPath {
    return pathOf(location, root);
  }
  /** The directory above, past mounts; the root's is itself. */
  parentOf(location: Location): Location {
    return parentOf(location) ?? location;
  }
  /** chdir, chroot: the directory itself has to be searchable. */
  enter(subject: Subject, location: Location): Location {
    if (!isDirectory(location.inode)) throw new Errno('ENOTDIR');
    checkAccess(location.inode, subject.credentials, ACCESS.EXECUTE);
    return location;
  }

  mkdir(subject: Subject, path: ByteString, mode: number, at = subject.cwd): void {
    this.make(subject, at, path, S.IFDIR | (mode & (0o777 | S.ISVTX) & ~subject.umask));
  }
  /** @param mode type and permissions; a type of 0 is a regular file */
  mknod(subject: Subject, path: ByteString, mode: number, rdev: number, at = subject.cwd): void {
    const type = mode & S.IFMT || S.IFREG;
    if (type === S.IFDIR) throw new Errno('EPERM');
    if (type === S.IFLNK || !knownTypes.has(type)) throw new Errno('EINVAL');
    const device = type === S.IFCHR || type === S.IFBLK;
    if (device && subject.credentials.uid !== 0) throw new Errno('EPERM');
    this.make(subject, at, path, type | (mode & S.PERMISSIONS & ~subject.umask), device ? { rdev } : {});
  }
  symlink(subject: Subject, target: ByteString, path: ByteString, at = subject.cwd): void {
    if (target.length === 0) throw new Errno('ENOENT');
    if (target.length >= PATH_MAX) throw new Errno('ENAMETOOLONG');
    this.make(subject, at, path, S.IFLNK | 0o777, { target });
  }

  /** @param existing what the new name is to refer to, already resolved */
  link(subject: Subject, existing: Location, path: ByteString, at = subject.cwd): void {
    const place = this.placeForNew(subject, at, path, false);
    if (existing.mount !== place.directory.mount) throw new Errno('EXDEV');
    this.checkNew(subject, place);
    if (isDirectory(existing.inode)) throw new Errno('EPERM');
    place.directory.inode.link(place.name, existing.inode);
  }

  unlink(subject: Subject, path: ByteString, at = subject.cwd): void {
    const resolution = new Resolution(this.namespace, subject);
    const place = resolution.parent(at, path);
    if (!place.ordinary) throw new Errno('EISDIR');
    const found = this.existing(resolution, place);
    if (place.trailingSlash) throw new Errno(isDirectory(found.inode) ? 'EISDIR' : 'ENOTDIR');
    this.checkRemovable(subject, place, found);
    if (isDirectory(found.inode)) throw new Errno('EISDIR');
    place.directory.inode.unlink(place.name);
  }

  rmdir(subject: Subject, path: ByteString, at = subject.cwd): void {
    const resolution = new Resolution(this.namespace, subject);
    const place = resolution.parent(at, path);
    if (place.name === '..') throw new Errno('ENOTEMPTY');
    if (!place.ordinary) throw new Errno(/[^/]/.test(path) ? 'EINVAL' : 'EBUSY');
    const found = this.existing(resolution, place);
    this.checkRemovable(subject, place, found);
    if (!isDirectory(found.inode)) throw new Errno('ENOTDIR');
    place.directory.inode.rmdir(place.name);
  }

  rename(
    subject: Subject,
    from: ByteString,
    to: ByteString,
    flags = 0,
    fromAt = subject.cwd,
    toAt = subject.cwd,
  ): void {
    const { NOREPLACE, EXCHANGE } = RENAME;
    if (flags & ~(NOREPLACE | EXCHANGE) || (flags & NOREPLACE && flags & EXCHANGE)) throw new Errno('EINVAL');
    const resolution = new Resolution(this.namespace, subject);
    const source = resolution.parent(fromAt, from);
    const target = new Resolution(this.namespace, subject).parent(toAt, to);
    if (source.directory.mount !== target.directory.mount) throw new Errno('EXDEV');
    if (!source.ordinary) throw new Errno('EBUSY');
    if (!target.ordinary) throw new Errno(flags & NOREPLACE ? 'EEXIST' : 'EBUSY');
    checkWritableMount(source.directory.mount);
    const moved = this.existing(resolution, source);
    const replaced = resolution.child(target.directory, target.name);
    if (replaced && flags & NOREPLACE) throw new Errno('EEXIST');
    if (!replaced && flags & EXCHANGE) throw new Errno('ENOENT');
    if (
      !isDirectory(moved.inode) &&
      (source.trailingSlash || (target.trailingSlash && !(flags & EXCHANGE)))
    ) {
      throw new Errno('ENOTDIR');
    }
    if (isWithin(moved.inode, target.directory.inode)) throw new Errno('EINVAL');
    if (replaced && isWithin(replaced.inode, source.directory.inode)) {
      throw new Errno(flags & EXCHANGE ? 'EINVAL' : 'ENOTEMPTY');
    }
    if (replaced && sameInode(moved.inode, replaced.inode)) return;
    this.checkRemovable(subject, source, moved);
    if (replaced) this.checkRemovable(subject, target, replaced);
    else checkAccess(target.directory.inode, subject.credentials, ACCESS.WRITE | ACCESS.EXECUTE);
    if (!sameInode(source.directory.inode, target.directory.inode)) {
      // Its `..` changes.
      const turned = flags & EXCHANGE && replaced ? [moved, replaced] : [moved];
      for (const { inode } of turned) {
        if (isDirectory(inode)) checkAccess(inode, subject.credentials, ACCESS.WRITE);
      }
    }
    source.directory.inode.rename(source.name, target.directory.inode, target.name, flags);
  }

  chmod(subject: Subject, location: Location, mode: number): void {
    const { inode } = location;
    checkWritableMount(location.mount);
    if (!owns(inode, subject.credentials)) throw new Errno('EPERM');
    if (isSymlink(inode)) throw new Errno('EOPNOTSUPP');
    inode.change({ mode: allowedMode(inode, subject.credentials, mode) });
  }
  /** -1 leaves user or group as it is. */
  chown(subject: Subject, location: Location, user: number, group: number): void {
    const { inode } = location;
    checkWritableMount(location.mount);
    const uid = user === -1 ? undefined : user;
    const gid = group === -1 ? undefined : group;
    checkOwnerChange(inode, subject.credentials, uid, gid);
    const cleared = isDirectory(inode) ? inode.mode : withoutSetId(inode.mode);
    const change: AttributeChanges = { mode: cleared & S.PERMISSIONS };
    inode.change({ ...change, ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) });
  }
  utimens(subject: Subject, location: Location, atime: TimeChange, mtime: TimeChange): void {
    const { inode } = location;
    if (atime === 'omit' && mtime === 'omit') return;
    checkWritableMount(location.mount);
    if (!owns(inode, subject.credentials)) {
      if (atime !== 'now' || mtime !== 'now') throw new Errno('EPERM');
      checkAccess(inode, subject.credentials, ACCESS.WRITE);
    }
    const now = this.now();
    const time = (change: TimeChange): bigint => (change === 'now' ? now : (change as bigint));
    inode.change({
      ...(atime !== 'omit' && { atime: time(atime) }),
      ...(mtime !== 'omit' && { mtime: time(mtime) }),
    });
  }
  truncate(subject: Subject, location: Location, size: number): void {
    if (!(size >= 0)) throw new Errno('EINVAL');
    if (isDirectory(location.inode)) throw new Errno('EISDIR');
    if (!isRegular(location.inode)) throw new Errno('EINVAL');
    checkWritableMount(location.mount);
    checkAccess(location.inode, subject.credentials, ACCESS.WRITE);
    if (size > MAX_FILE_SIZE) throw new Errno('EFBIG');
    location.inode.change({ size });
  }

  private make(
    subject: Subject,
    at: Location,
    path: ByteString,
    mode: number,
    more: Partial<NewInode> = {},
  ): void {
    const place = this.placeForNew(subject, at, path, (mode & S.IFMT) === S.IFDIR);
    this.checkNew(subject, place);
    place.directory.inode.create(place.name, newInode(subject, place.directory.inode, mode, more));
  }
  /** Where a name is free. @throws Errno EEXIST; ENOENT when a slash says that something else than a directory is one */
  private placeForNew(subject: Subject, at: Location, path: ByteString, directory: boolean): ParentAndName {
    const resolution = new Resolution(this.namespace, subject);
    const place = resolution.parent(at, path);
    if (!place.ordinary || resolution.child(place.directory, place.name)) throw new Errno('EEXIST');
    if (place.trailingSlash && !directory) throw new Errno('ENOENT');
    return place;
  }
  private checkNew(subject: Subject, { directory }: ParentAndName): void {
    checkWritableMount(directory.mount);
    checkAccess(directory.inode, subject.credentials, ACCESS.WRITE | ACCESS.EXECUTE);
  }
  private existing(resolution: Resolution, place: ParentAndName): Location {
    const found = resolution.child(place.directory, place.name);
    if (!found) throw new Errno('ENOENT');
    return found;
  }
  private checkRemovable(subject: Subject, { directory }: ParentAndName, found: Location): void {
    checkWritableMount(directory.mount);
    checkRemoval(directory.inode, found.inode, subject.credentials);
    if (found.mount !== directory.mount || this.namespace.isBusy(found.inode)) throw new Errno('EBUSY');
  }
}

const knownTypes = new Set<number>([S.IFREG, S.IFCHR, S.IFBLK, S.IFIFO, S.IFSOCK]);

/** Changes to devices, FIFOs and sockets are no writes to their file system. */
const isContents = (inode: Inode): boolean => isRegular(inode) || isDirectory(inode) || isSymlink(inode);

const withoutSetId = (mode: number): number => mode & ~S.ISUID & (mode & 0o010 ? ~S.ISGID : ~0);

/** Whether `inode` lies in `directory` or below, or is it. */
function isWithin(directory: Inode, inode: Inode): boolean {
  if (!isDirectory(directory)) return false;
  for (let at = inode; ; at = at.parent) {
    if (sameInode(at, directory)) return true;
    if (sameInode(at, at.parent)) return false;
  }
}
