/** What a file is: stat and its kin. */
import { Errno } from '../errno';
import { subjectOf } from '../kernel/files';
import type { Kernel } from '../kernel/kernel';
import { majorOf, minorOf } from '../vfs/constants';
import type { Stat } from '../vfs/inode';
import type { Location } from '../vfs/location';
import { address, fd, flags, int, path, uint } from './arguments';
import { call, family } from './table';

export const AtFlags = { AT_SYMLINK_NOFOLLOW: 0x100, AT_EACCESS: 0x200, AT_REMOVEDIR: 0x200, AT_SYMLINK_FOLLOW: 0x400, AT_EMPTY_PATH: 0x1000 } as const; // prettier-ignore
const SECOND = 1_000_000_000n;

/** struct stat of asm-generic: 128 bytes. */
function statBytes(stat: Stat): Uint8Array {
  const bytes = new Uint8Array(128);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(stat.dev), true);
  view.setBigUint64(8, BigInt(stat.ino), true);
  view.setUint32(16, stat.mode, true);
  view.setUint32(20, stat.nlink, true);
  view.setUint32(24, stat.uid, true);
  view.setUint32(28, stat.gid, true);
  view.setBigUint64(32, BigInt(stat.rdev), true);
  view.setBigInt64(48, BigInt(stat.size), true);
  view.setInt32(56, stat.blockSize, true);
  view.setBigInt64(64, BigInt(stat.blocks), true);
  [stat.atime, stat.mtime, stat.ctime].forEach((time, i) => {
    view.setBigInt64(72 + 16 * i, time / SECOND, true);
    view.setBigInt64(80 + 16 * i, time % SECOND, true);
  });
  return bytes;
}

/** struct statx: 256 bytes. */
function statxBytes(stat: Stat): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7ff, true); // STATX_BASIC_STATS
  view.setUint32(4, stat.blockSize, true);
  view.setUint32(16, stat.nlink, true);
  view.setUint32(20, stat.uid, true);
  view.setUint32(24, stat.gid, true);
  view.setUint16(28, stat.mode, true);
  view.setBigUint64(32, BigInt(stat.ino), true);
  view.setBigUint64(40, BigInt(stat.size), true);
  view.setBigUint64(48, BigInt(stat.blocks), true);
  const times: [number, bigint][] = [
    [64, stat.atime],
    [96, stat.ctime],
    [112, stat.mtime],
  ];
  for (const [at, time] of times) {
    view.setBigInt64(at, time / SECOND, true);
    view.setUint32(at + 8, Number(time % SECOND), true);
  }
  view.setUint32(128, majorOf(stat.rdev), true);
  view.setUint32(132, minorOf(stat.rdev), true);
  view.setUint32(136, majorOf(stat.dev), true);
  view.setUint32(140, minorOf(stat.dev), true);
  return bytes;
}

/** Where a path leads, or an empty one with AT_EMPTY_PATH. @throws Errno */
export function locate(kernel: Kernel, dirfd: number, name: string, how: number): Location {
  const task = kernel.current;
  if (name === '') {
    if (!(how & AtFlags.AT_EMPTY_PATH)) throw new Errno('ENOENT');
    return kernel.files.at(task, dirfd, '');
  }
  const at = kernel.files.at(task, dirfd, name);
  return kernel.files.vfs.resolve(subjectOf(task), name, {
    at,
    follow: !(how & AtFlags.AT_SYMLINK_NOFOLLOW),
  });
}

function statOf(kernel: Kernel, dirfd: number, name: string, how: number): Stat {
  if (name === '' && how & AtFlags.AT_EMPTY_PATH && dirfd >= 0)
    return kernel.current.files.get(dirfd).file.stat();
  return kernel.files.vfs.stat(locate(kernel, dirfd, name, how));
}

function newfstatat(kernel: Kernel, dirfd: number, name: string, buffer: number, how: number): number {
  kernel.memory.write(buffer, statBytes(statOf(kernel, dirfd, name, how)));
  return 0;
}
function fstat(kernel: Kernel, number: number, buffer: number): number {
  kernel.memory.write(buffer, statBytes(kernel.current.files.get(number).file.stat()));
  return 0;
}
function statx(
  kernel: Kernel,
  dirfd: number,
  name: string,
  how: number,
  _mask: number,
  buffer: number,
): number {
  kernel.memory.write(buffer, statxBytes(statOf(kernel, dirfd, name, how)));
  return 0;
}

function access(kernel: Kernel, dirfd: number, name: string, wanted: number, how: number): number {
  const task = kernel.current;
  if (wanted & ~7 || how & ~(AtFlags.AT_EACCESS | AtFlags.AT_SYMLINK_NOFOLLOW | AtFlags.AT_EMPTY_PATH)) {
    throw new Errno('EINVAL');
  }
  const subject = subjectOf(task);
  const real = {
    ...subject,
    credentials: { ...subject.credentials, uid: task.credentials.uid, gid: task.credentials.gid },
  };
  const location = locate(kernel, dirfd, name, how);
  if (wanted !== 0) kernel.files.vfs.access(how & AtFlags.AT_EACCESS ? subject : real, location, wanted);
  return 0;
}

/** struct statfs: 120 bytes. */
function writeStatfs(kernel: Kernel, location: Location, buffer: number): number {
  const found = kernel.files.vfs.statfs(location);
  const words = new BigInt64Array(15);
  words.set(
    [
      found.type,
      found.blockSize,
      found.blocks,
      found.blocksFree,
      found.blocksFree,
      found.files,
      found.filesFree,
    ].map(BigInt),
  );
  words[8] = 255n; // f_namelen
  words[9] = BigInt(found.blockSize);
  kernel.memory.write(buffer, new Uint8Array(words.buffer));
  return 0;
}

export const status = family('status', [
  call(43, 'statfs', [path('path'), address('buf')], (kernel, name, buffer) =>
    writeStatfs(kernel, locate(kernel, -100, name, 0), buffer),
  ),
  call(44, 'fstatfs', [fd('fd'), address('buf')], (kernel, number, buffer) =>
    writeStatfs(kernel, kernel.current.files.get(number).file.location, buffer),
  ),
  call(48, 'faccessat', [fd('dirfd'), path('pathname'), int('mode')], (kernel, dirfd, name, wanted) =>
    access(kernel, dirfd, name, wanted, 0),
  ),
  call(
    79,
    'newfstatat',
    [fd('dirfd'), path('pathname'), address('statbuf'), flags('flags', AtFlags)],
    newfstatat,
  ),
  call(80, 'fstat', [fd('fd'), address('statbuf')], fstat),
  call(
    291,
    'statx',
    [fd('dirfd'), path('pathname'), flags('flags', AtFlags), uint('mask'), address('statxbuf')],
    statx,
  ),
  call(439, 'faccessat2', [fd('dirfd'), path('pathname'), int('mode'), flags('flags', AtFlags)], access),
]);
