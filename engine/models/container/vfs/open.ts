/** open(2): what of it holds whatever the file system. */
import { Errno } from '../errno';
import { PathFile } from './base-file';
import { isDirectory, isRegular, isSymlink } from './base-inode';
import { ACCESS, MOUNT, O, S } from './constants';
import type { Location, Subject } from './location';
import type { ByteString } from './name';
import type { MountNamespace } from './namespace';
import { newInode } from './new-inode';
import type { OpenFile, WouldBlock } from './open-file';
import type { Openers } from './openers';
import { checkAccess, checkWritableMount, owns } from './permission';
import { type ParentAndName, Resolution } from './resolution';

export interface OpenContext {
  readonly namespace: MountNamespace;
  readonly openers: Openers;
}

/** What `O_PATH` leaves of the other flags. */
const PATH_FLAGS = O.PATH | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;

export function openPath(
  context: OpenContext,
  subject: Subject,
  at: Location,
  path: ByteString,
  wanted: number,
  mode: number,
): OpenFile | WouldBlock {
  const flags = wanted & O.PATH ? wanted & PATH_FLAGS : wanted;
  if ((flags & O.TMPFILE) === O.TMPFILE) throw new Errno('EOPNOTSUPP');
  if (flags & O.CREAT && flags & O.DIRECTORY) throw new Errno('EINVAL');
  const resolution = new Resolution(context.namespace, subject);
  if (flags & O.CREAT) return openOrCreate(context, subject, resolution, at, path, flags, mode);
  return openFound(context, subject, resolution.resolve(at, path, !(flags & O.NOFOLLOW)), flags);
}

function openOrCreate(
  context: OpenContext,
  subject: Subject,
  resolution: Resolution,
  at: Location,
  path: ByteString,
  flags: number,
  mode: number,
): OpenFile | WouldBlock {
  let place: ParentAndName = resolution.parent(at, path);
  for (;;) {
    const { directory, name, trailingSlash, ordinary } = place;
    if (trailingSlash && ordinary) throw new Errno('EISDIR');
    const found = resolution.child(directory, name);
    if (!found) return create(subject, directory, name, flags, mode);
    if (flags & O.EXCL) throw new Errno('EEXIST');
    if (!isSymlink(found.inode)) return openFound(context, subject, found, flags);
    if (flags & O.NOFOLLOW) throw new Errno('ELOOP');
    // A dangling link: the file that it names is made.
    const next = resolution.followToParent(directory, found);
    if (!next) return openFound(context, subject, resolution.follow(directory, found), flags);
    place = next;
  }
}

function create(
  subject: Subject,
  directory: Location,
  name: ByteString,
  flags: number,
  mode: number,
): OpenFile | WouldBlock {
  checkWritableMount(directory.mount);
  checkAccess(directory.inode, subject.credentials, ACCESS.WRITE | ACCESS.EXECUTE);
  const permissions = mode & S.PERMISSIONS & ~subject.umask;
  const inode = directory.inode.create(name, newInode(subject, directory.inode, S.IFREG | permissions));
  // Whoever makes a file may use it, whatever its mode says.
  const location = { mount: directory.mount, inode, entry: { parent: directory.inode, name } };
  return inode.open(location, flags);
}

/** Opens a file that was found, after all checks. */
export function openFound(
  context: OpenContext,
  subject: Subject,
  location: Location,
  flags: number,
): OpenFile | WouldBlock {
  const { inode, mount } = location;
  const access = flags & O.ACCMODE;
  const writes = access !== O.RDONLY || (flags & O.TRUNC) !== 0;
  if (flags & O.DIRECTORY && !isDirectory(inode)) throw new Errno('ENOTDIR');
  if (flags & O.PATH) return openUnchecked(context, location, flags);
  if (isSymlink(inode)) throw new Errno('ELOOP');
  if (isDirectory(inode) && (writes || flags & O.CREAT)) throw new Errno('EISDIR');
  const read = access === O.WRONLY ? 0 : ACCESS.READ;
  checkAccess(inode, subject.credentials, read | (writes ? ACCESS.WRITE : 0));
  if (flags & O.NOATIME && !owns(inode, subject.credentials)) throw new Errno('EPERM');
  if (isRegular(inode) || isDirectory(inode)) {
    if (writes) checkWritableMount(mount);
    if (flags & O.TRUNC && isRegular(inode)) inode.change({ size: 0 });
  }
  return openUnchecked(context, location, flags);
}

/** Opens whatever kind of file it is, without asking who may. */
export function openUnchecked(
  { openers }: OpenContext,
  location: Location,
  flags: number,
): OpenFile | WouldBlock {
  const { inode, mount } = location;
  if (flags & O.PATH) return new PathFile(location, flags);
  const type = inode.mode & S.IFMT;
  if (type === S.IFREG || type === S.IFDIR) return inode.open(location, flags);
  if (type === S.IFSOCK) throw new Errno('ENXIO');
  if (type === S.IFIFO) return openers.fifo ? openers.fifo(location, flags) : inode.open(location, flags);
  if (mount.flags & MOUNT.NODEV) throw new Errno('EACCES');
  const opener = (type === S.IFCHR ? openers.character : openers.block).get(inode.stat().rdev);
  if (!opener) throw new Errno('ENXIO');
  return opener(location, flags);
}
