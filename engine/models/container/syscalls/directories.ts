/** The tree of names: making, removing, renaming, and where a task stands in it. */
import { Errno } from '../errno';
import { subjectOf } from '../kernel/files';
import type { Kernel } from '../kernel/kernel';
import type { TimeChange } from '../vfs/virtual-file-system';
import { toBytes } from '../vfs/name';
import { address, fd, flags, int, mode, offset, owner, path, size, uint } from './arguments';
import { AtFlags, locate } from './status';
import { call, family } from './table';

const UTIME_NOW = 0x3fffffffn;
const UTIME_OMIT = 0x3ffffffen;
const SECOND = 1_000_000_000n;

function mkdirat(kernel: Kernel, dirfd: number, name: string, permissions: number): number {
  const task = kernel.current;
  kernel.files.vfs.mkdir(subjectOf(task), name, permissions, kernel.files.at(task, dirfd, name));
  return 0;
}
function mknodat(kernel: Kernel, dirfd: number, name: string, type: number, device: number): number {
  const task = kernel.current;
  kernel.files.vfs.mknod(subjectOf(task), name, type, device, kernel.files.at(task, dirfd, name));
  return 0;
}
function unlinkat(kernel: Kernel, dirfd: number, name: string, how: number): number {
  const task = kernel.current;
  if (how & ~AtFlags.AT_REMOVEDIR) throw new Errno('EINVAL');
  const at = kernel.files.at(task, dirfd, name);
  if (how & AtFlags.AT_REMOVEDIR) kernel.files.vfs.rmdir(subjectOf(task), name, at);
  else kernel.files.vfs.unlink(subjectOf(task), name, at);
  return 0;
}
function symlinkat(kernel: Kernel, target: string, dirfd: number, name: string): number {
  const task = kernel.current;
  kernel.files.vfs.symlink(subjectOf(task), target, name, kernel.files.at(task, dirfd, name));
  return 0;
}
function linkat(
  kernel: Kernel,
  olddir: number,
  old: string,
  newdir: number,
  name: string,
  how: number,
): number {
  const task = kernel.current;
  if (how & ~(AtFlags.AT_SYMLINK_FOLLOW | AtFlags.AT_EMPTY_PATH)) throw new Errno('EINVAL');
  const nofollow = how & AtFlags.AT_SYMLINK_FOLLOW ? 0 : AtFlags.AT_SYMLINK_NOFOLLOW;
  const existing = locate(kernel, olddir, old, (how & AtFlags.AT_EMPTY_PATH) | nofollow);
  kernel.files.vfs.link(subjectOf(task), existing, name, kernel.files.at(task, newdir, name));
  return 0;
}
function renameat(
  kernel: Kernel,
  olddir: number,
  old: string,
  newdir: number,
  name: string,
  how: number,
): number {
  const task = kernel.current;
  const { files } = kernel;
  files.vfs.rename(
    subjectOf(task),
    old,
    name,
    how,
    files.at(task, olddir, old),
    files.at(task, newdir, name),
  );
  return 0;
}

function chdir(kernel: Kernel, name: string): number {
  enter(kernel, locate(kernel, -100, name, 0));
  return 0;
}
function enter(kernel: Kernel, location: ReturnType<typeof locate>): void {
  const task = kernel.current;
  const entered = kernel.files.vfs.enter(subjectOf(task), location);
  task.fileContext.cwd = entered;
}
function chroot(kernel: Kernel, name: string): number {
  const task = kernel.current;
  if (task.credentials.euid !== 0) throw new Errno('EPERM');
  const entered = kernel.files.vfs.enter(subjectOf(task), locate(kernel, -100, name, 0));
  task.fileContext.root = entered;
  return 0;
}
function getcwd(kernel: Kernel, buffer: number, room: number): number {
  const { cwd, root } = kernel.current.fileContext;
  const { path: name, exists, reachable } = kernel.files.vfs.pathOf(cwd, root);
  if (!exists) throw new Errno('ENOENT');
  const bytes = toBytes(`${reachable ? '' : '(unreachable)'}${name}\0`);
  if (bytes.length > room) throw new Errno('ERANGE');
  kernel.memory.write(buffer, bytes);
  return bytes.length;
}

function chmod(kernel: Kernel, dirfd: number, name: string, permissions: number, how: number): number {
  kernel.files.vfs.chmod(subjectOf(kernel.current), locate(kernel, dirfd, name, how), permissions);
  return 0;
}
function chown(
  kernel: Kernel,
  dirfd: number,
  name: string,
  user: number,
  group: number,
  how: number,
): number {
  kernel.files.vfs.chown(subjectOf(kernel.current), locate(kernel, dirfd, name, how), user, group);
  return 0;
}

function timeChange(kernel: Kernel, at: number): TimeChange {
  const nanoseconds = kernel.memory.u64(at + 8);
  if (nanoseconds === UTIME_NOW) return 'now';
  if (nanoseconds === UTIME_OMIT) return 'omit';
  if (nanoseconds >= SECOND) throw new Errno('EINVAL');
  return kernel.memory.i64(at) * SECOND + nanoseconds;
}
function utimensat(kernel: Kernel, dirfd: number, name: number, times: number, how: number): number {
  const task = kernel.current;
  const location =
    name === 0
      ? kernel.files.at(task, dirfd, '')
      : locate(kernel, dirfd, pathAt.decode(BigInt(name), kernel), how);
  const [atime, mtime]: TimeChange[] =
    times === 0 ? ['now', 'now'] : [timeChange(kernel, times), timeChange(kernel, times + 16)];
  kernel.files.vfs.utimens(subjectOf(task), location, atime as TimeChange, mtime as TimeChange);
  return 0;
}
const pathAt = path('pathname');

export const directories = family('directories', [
  call(17, 'getcwd', [address('buf'), size('size')], getcwd),
  call(33, 'mknodat', [fd('dirfd'), path('pathname'), mode('mode'), uint('dev')], mknodat),
  call(34, 'mkdirat', [fd('dirfd'), path('pathname'), mode('mode')], mkdirat),
  call(35, 'unlinkat', [fd('dirfd'), path('pathname'), flags('flags', { AT_REMOVEDIR: 0x200 })], unlinkat),
  call(36, 'symlinkat', [path('target'), fd('newdirfd'), path('linkpath')], symlinkat),
  call(
    37,
    'linkat',
    [fd('olddirfd'), path('oldpath'), fd('newdirfd'), path('newpath'), flags('flags', AtFlags)],
    linkat,
  ),
  call(45, 'truncate', [path('path'), offset('length')], (kernel, name, length) => {
    kernel.files.vfs.truncate(subjectOf(kernel.current), locate(kernel, -100, name, 0), length);
    return 0;
  }),
  call(46, 'ftruncate', [fd('fd'), offset('length')], (kernel, number, length) => {
    if (length < 0) throw new Errno('EINVAL');
    kernel.current.files.get(number).file.truncate(length);
    return 0;
  }),
  call(
    47,
    'fallocate',
    [fd('fd'), int('mode'), offset('offset'), offset('len')],
    (kernel, number, how, start, length) => {
      const { file } = kernel.current.files.get(number);
      if (start < 0 || length <= 0) throw new Errno('EINVAL');
      if (how !== 0) throw new Errno('EOPNOTSUPP');
      if (file.stat().size < start + length) file.truncate(start + length);
      return 0;
    },
    'only the plain form, which extends a file',
  ),
  call(49, 'chdir', [path('path')], chdir),
  call(50, 'fchdir', [fd('fd')], (kernel, number) => {
    enter(kernel, kernel.current.files.get(number).file.location);
    return 0;
  }),
  call(51, 'chroot', [path('path')], chroot),
  call(52, 'fchmod', [fd('fd'), mode('mode')], (kernel, number, permissions) => {
    const { location } = kernel.current.files.get(number).file;
    kernel.files.vfs.chmod(subjectOf(kernel.current), location, permissions);
    return 0;
  }),
  call(53, 'fchmodat', [fd('dirfd'), path('pathname'), mode('mode')], (kernel, dirfd, name, permissions) =>
    chmod(kernel, dirfd, name, permissions, 0),
  ),
  call(452, 'fchmodat2', [fd('dirfd'), path('pathname'), mode('mode'), flags('flags', AtFlags)], chmod),
  call(
    54,
    'fchownat',
    [fd('dirfd'), path('pathname'), owner('owner'), owner('group'), flags('flags', AtFlags)],
    chown,
  ),
  call(55, 'fchown', [fd('fd'), owner('owner'), owner('group')], (kernel, number, user, group) => {
    const { location } = kernel.current.files.get(number).file;
    kernel.files.vfs.chown(subjectOf(kernel.current), location, user, group);
    return 0;
  }),
  call(
    88,
    'utimensat',
    [fd('dirfd'), address('pathname'), address('times'), flags('flags', AtFlags)],
    utimensat,
  ),
  call(166, 'umask', [mode('mask')], ({ current: { fileContext } }, mask) => {
    const old = fileContext.umask;
    fileContext.umask = mask & 0o777;
    return old;
  }),
  call(
    276,
    'renameat2',
    [fd('olddirfd'), path('oldpath'), fd('newdirfd'), path('newpath'), uint('flags')],
    renameat,
  ),
]);
