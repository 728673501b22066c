/** Opening, reading, writing, seeking. */
import { Errno } from '../errno';
import { subjectOf } from '../kernel/files';
import type { Kernel } from '../kernel/kernel';
import { Blocked } from '../kernel/wait';
import { O, POLL } from '../vfs/constants';
import { toBytes } from '../vfs/name';
import { WOULD_BLOCK } from '../vfs/open-file';
import { address, fd, flags, int, mode, offset, path, size, uint } from './arguments';
import { descriptorLimit } from './limits';
import { call, family } from './table';
import { type Buffer, readInto, syncMapped, vectors, writeFrom } from './transfer';

const openFlags = { ...O, RDONLY: 0 };
const GETDENTS_HEADER = 19;

function openat(kernel: Kernel, dirfd: number, name: string, how: number, permissions: number): number {
  const task = kernel.current;
  const number = task.files.free(0, descriptorLimit(task));
  const description = kernel.files.open(task, dirfd, name, how & ~O.CLOEXEC, permissions);
  task.files.set(number, description, (how & O.CLOEXEC) !== 0);
  return number;
}

function read(kernel: Kernel, number: number, buffers: readonly Buffer[]): number {
  const description = kernel.current.files.get(number);
  syncMapped(kernel, description, 0, 0, 'read');
  return readInto(kernel, number, buffers, (into) => description.file.read(into));
}
function write(kernel: Kernel, number: number, buffers: readonly Buffer[]): number {
  const description = kernel.current.files.get(number);
  const { file } = description;
  return writeFrom(kernel, number, buffers, (from) => {
    const count = file.write(from);
    if (count !== WOULD_BLOCK) syncMapped(kernel, description, file.offset - count, count, 'written');
    return count;
  });
}
function pread(kernel: Kernel, number: number, buffers: readonly Buffer[], at: number): number {
  const description = kernel.current.files.get(number);
  if (at < 0) throw new Errno('EINVAL');
  syncMapped(kernel, description, 0, 0, 'read');
  return readInto(kernel, number, buffers, (into, done) => description.file.pread(into, at + done));
}
function pwrite(kernel: Kernel, number: number, buffers: readonly Buffer[], at: number): number {
  const description = kernel.current.files.get(number);
  if (at < 0) throw new Errno('EINVAL');
  return writeFrom(kernel, number, buffers, (from, done) => {
    const count = description.file.pwrite(from, at + done);
    if (count !== WOULD_BLOCK) syncMapped(kernel, description, at + done, count, 'written');
    return count;
  });
}
const one = (at: number, length: number): Buffer[] => {
  if (length >= 2 ** 63) throw new Errno('EINVAL');
  return [{ address: at, length: Math.min(length, 0x7ffff000) }];
};

/** struct linux_dirent64: ino, next offset, record length, type, name; records are multiples of eight bytes. */
function getdents(kernel: Kernel, number: number, into: number, room: number): number {
  const { file } = kernel.current.files.get(number);
  let used = 0;
  let tooSmall = false;
  file.getdents(({ name, ino, type, next }) => {
    const bytes = toBytes(name);
    const length = Math.ceil((GETDENTS_HEADER + bytes.length + 1) / 8) * 8;
    if (used + length > room) {
      tooSmall = used === 0;
      return false;
    }
    const record = new Uint8Array(length);
    const view = new DataView(record.buffer);
    view.setBigUint64(0, BigInt(ino), true);
    view.setBigInt64(8, BigInt(next), true);
    view.setUint16(16, length, true);
    view.setUint8(18, type);
    record.set(bytes, GETDENTS_HEADER);
    kernel.memory.write(into + used, record);
    used += length;
    return true;
  });
  if (tooSmall) throw new Errno('EINVAL');
  return used;
}

/** At most so much goes at once; the caller comes again. */
const SENDFILE_CHUNK = 1 << 16;

function sendfile(kernel: Kernel, out: number, input: number, at: number, count: number): number {
  const task = kernel.current;
  const source = task.files.get(input).file;
  const target = task.files.get(out).file;
  const bytes = new Uint8Array(Math.min(count, SENDFILE_CHUNK));
  const start = at === 0 ? source.offset : Number(kernel.memory.i64(at));
  const got = source.pread(bytes, start);
  if (got === WOULD_BLOCK || got === 0) return 0;
  const sent = target.write(bytes.subarray(0, got));
  if (sent === WOULD_BLOCK) {
    if (target.flags & O.NONBLOCK) throw new Errno('EAGAIN');
    throw new Blocked({ kind: 'files', files: [{ fd: out, events: POLL.OUT | POLL.ERR }], restart: true });
  }
  if (at === 0) source.offset = start + sent;
  else kernel.memory.setU64(at, BigInt(start + sent));
  return sent;
}

function readlinkat(kernel: Kernel, dirfd: number, name: string, buffer: number, room: number): number {
  const task = kernel.current;
  if (room <= 0) throw new Errno('EINVAL');
  const at = kernel.files.at(task, dirfd, name);
  const location = name === '' ? at : kernel.files.vfs.resolve(subjectOf(task), name, { at, follow: false });
  const target = toBytes(kernel.files.vfs.readlink(location)).subarray(0, room);
  kernel.memory.write(buffer, target);
  return target.length;
}

export const files = family('files', [
  call(56, 'openat', [fd('dirfd'), path('pathname'), flags('flags', openFlags), mode('mode')], openat),
  call(57, 'close', [fd('fd')], (kernel, number) => {
    kernel.current.files.close(number);
    return 0;
  }),
  call(61, 'getdents64', [fd('fd'), address('dirp'), uint('count')], getdents),
  call(62, 'lseek', [fd('fd'), offset('offset'), int('whence')], (kernel, number, to, whence) =>
    kernel.current.files.get(number).file.seek(to, whence),
  ),
  call(63, 'read', [fd('fd'), address('buf'), size('count')], (kernel, number, at, length) =>
    read(kernel, number, one(at, length)),
  ),
  call(64, 'write', [fd('fd'), address('buf'), size('count')], (kernel, number, at, length) =>
    write(kernel, number, one(at, length)),
  ),
  call(65, 'readv', [fd('fd'), address('iov'), int('iovcnt')], (kernel, number, at, count) =>
    read(kernel, number, vectors(kernel, at, count)),
  ),
  call(66, 'writev', [fd('fd'), address('iov'), int('iovcnt')], (kernel, number, at, count) =>
    write(kernel, number, vectors(kernel, at, count)),
  ),
  call(
    67,
    'pread64',
    [fd('fd'), address('buf'), size('count'), offset('offset')],
    (kernel, number, at, length, from) => pread(kernel, number, one(at, length), from),
  ),
  call(
    68,
    'pwrite64',
    [fd('fd'), address('buf'), size('count'), offset('offset')],
    (kernel, number, at, length, to) => pwrite(kernel, number, one(at, length), to),
  ),
  call(
    69,
    'preadv',
    [fd('fd'), address('iov'), int('iovcnt'), offset('offset')],
    (kernel, number, at, count, from) => pread(kernel, number, vectors(kernel, at, count), from),
  ),
  call(
    70,
    'pwritev',
    [fd('fd'), address('iov'), int('iovcnt'), offset('offset')],
    (kernel, number, at, count, to) => pwrite(kernel, number, vectors(kernel, at, count), to),
  ),
  call(71, 'sendfile', [fd('out_fd'), fd('in_fd'), address('offset'), size('count')], sendfile),
  call(78, 'readlinkat', [fd('dirfd'), path('pathname'), address('buf'), int('bufsiz')], readlinkat),
  call(81, 'sync', [], (kernel) => {
    for (const object of kernel.objects.values()) object.writeBack();
    return 0;
  }),
  ...[
    [82, 'fsync'],
    [83, 'fdatasync'],
    [267, 'syncfs'],
  ].map(([number, name]) =>
    call(number as number, name as string, [fd('fd')], (kernel, file) => {
      syncMapped(kernel, kernel.current.files.get(file), 0, 0, 'read');
      return 0;
    }),
  ),
  call(223, 'fadvise64', [fd('fd'), offset('offset'), offset('len'), int('advice')], (kernel, number) => {
    kernel.current.files.get(number);
    return 0;
  }),
]);
