/** Memory maps: mmap(2), brk(2), mprotect(2), mremap(2), madvise(2). */
import { Errno } from '../errno';
import type { Description } from '../kernel/description';
import type { Kernel } from '../kernel/kernel';
import { LOWEST, TASK_SIZE, pageUp } from '../mm/address-space';
import { Prot } from '../mm/area';
import type { SharedObject } from '../mm/shared-object';
import { O, S } from '../vfs/constants';
import { address, fd, flags, int, offset, size, uint } from './arguments';
import { call, family } from './table';

const MAP = { MAP_SHARED: 1, MAP_PRIVATE: 2, MAP_FIXED: 0x10, MAP_ANONYMOUS: 0x20, MAP_NORESERVE: 0x4000, MAP_POPULATE: 0x8000, MAP_STACK: 0x20000, MAP_FIXED_NOREPLACE: 0x100000 } as const; // prettier-ignore
const PROT = { PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4 } as const;
const ALL_PROT = 7;
const SHARED_VALIDATE = 3;
const PAGE = 4096;
const MREMAP = { MREMAP_MAYMOVE: 1, MREMAP_FIXED: 2, MREMAP_DONTUNMAP: 4 } as const;
const MADV_DONTNEED = 4;
const MADV_FREE = 8;

const aligned = (value: number): boolean => value % PAGE === 0;

/** Page-aligned range within user space. @throws Errno EINVAL, ENOMEM */
function range(start: number, length: number): { start: number; end: number } {
  if (!aligned(start)) throw new Errno('EINVAL');
  const end = start + pageUp(length);
  if (!(end <= TASK_SIZE)) throw new Errno('ENOMEM');
  return { start, end };
}

function mmap(
  kernel: Kernel,
  hint: number,
  length: number,
  prot: number,
  how: number,
  number: number,
  from: number,
): number {
  const { space } = kernel.current;
  const type = how & SHARED_VALIDATE;
  if (length === 0 || type === 0 || from < 0 || !aligned(from) || prot & ~ALL_PROT) throw new Errno('EINVAL');
  if (!(length <= TASK_SIZE)) throw new Errno('ENOMEM');
  const bytes = pageUp(length);
  const shared = type !== MAP.MAP_PRIVATE;
  const description = how & MAP.MAP_ANONYMOUS ? undefined : mappable(kernel, number, prot, shared);
  const start = place(kernel, hint, bytes, how);
  const base = { start, end: start + bytes, prot, label: '', offset: description || shared ? from : 0 };
  if (!shared) space.map({ ...base, file: description });
  else {
    const object = description ? objectOf(kernel, description) : kernel.createObject(undefined);
    space.map({ ...base, object, offset: description ? from : 0 });
  }
  return start;
}

function place(kernel: Kernel, hint: number, bytes: number, how: number): number {
  const { space } = kernel.current;
  if (!(how & (MAP.MAP_FIXED | MAP.MAP_FIXED_NOREPLACE))) {
    return space.findGap(bytes, hint <= TASK_SIZE ? Math.floor(hint / PAGE) * PAGE : 0);
  }
  const { start, end } = range(hint, bytes);
  if (start < LOWEST) throw new Errno('EPERM');
  if (how & MAP.MAP_FIXED_NOREPLACE && !space.areas.isFree(start, end)) throw new Errno('EEXIST');
  return start;
}

/** @throws Errno EACCES, ENODEV, EBADF */
function mappable(kernel: Kernel, number: number, prot: number, shared: boolean): Description {
  const description = kernel.current.files.get(number);
  const { flags: how, inode } = description.file;
  const access = how & O.ACCMODE;
  if (how & O.PATH) throw new Errno('EBADF');
  if (access === O.WRONLY || (shared && prot & Prot.write && access !== O.RDWR)) throw new Errno('EACCES');
  if ((inode.mode & S.IFMT) !== S.IFREG) throw new Errno('ENODEV');
  return description;
}

/** One object for each file, however often it is mapped. */
function objectOf(kernel: Kernel, description: Description): SharedObject {
  const { inode, flags: how } = description.file;
  for (const object of kernel.objects.values()) {
    const known = object.file?.file;
    if (known?.inode.ino !== inode.ino || known.inode.fileSystem !== inode.fileSystem) continue;
    // What was mapped for reading cannot be written back through.
    if ((known.flags & O.ACCMODE) === O.RDWR || (how & O.ACCMODE) !== O.RDWR) return object;
  }
  return kernel.createObject(description.hold());
}

function brk(kernel: Kernel, wanted: number): number {
  const { space } = kernel.current;
  const { programBreak: old, programBreakStart } = space;
  if (!(wanted >= programBreakStart && wanted < TASK_SIZE)) return old;
  const from = pageUp(old);
  const to = pageUp(wanted);
  if (to > from) {
    // Memory is not promised beyond what the container can ever have.
    if (!space.areas.isFree(from, to) || (to - programBreakStart) / PAGE > kernel.frames.total) return old;
    space.map({ start: from, end: to, prot: Prot.read | Prot.write, offset: 0, label: '[heap]' });
  } else if (to < from) space.unmap(to, from);
  space.programBreak = wanted;
  return wanted;
}

function mprotect(kernel: Kernel, at: number, length: number, prot: number): number {
  const { start, end } = range(at, length);
  if (prot & ~ALL_PROT) throw new Errno('EINVAL');
  const { space } = kernel.current;
  if (prot & Prot.write) {
    for (const { object } of space.areas.overlapping(start, end)) {
      const writable = object?.file === undefined || (object.file.file.flags & O.ACCMODE) === O.RDWR;
      if (!writable) throw new Errno('EACCES');
    }
  }
  if (end > start) space.protect(start, end, prot);
  return 0;
}

function munmap(kernel: Kernel, at: number, length: number): number {
  if (length === 0 || !(at + length <= TASK_SIZE)) throw new Errno('EINVAL');
  const { start, end } = range(at, length);
  kernel.current.space.unmap(start, end);
  return 0;
}

function mremap(
  kernel: Kernel,
  old: number,
  oldLength: number,
  newLength: number,
  how: number,
  fixed: number,
): number {
  const { space } = kernel.current;
  if (how & ~(MREMAP.MREMAP_MAYMOVE | MREMAP.MREMAP_FIXED) || newLength === 0 || oldLength === 0)
    throw new Errno('EINVAL');
  if (how & MREMAP.MREMAP_FIXED && !(how & MREMAP.MREMAP_MAYMOVE)) throw new Errno('EINVAL');
  const { start, end } = range(old, oldLength);
  if (!(newLength <= TASK_SIZE)) throw new Errno('ENOMEM');
  const length = pageUp(newLength);
  const area = space.areas.find(start);
  if (!area || area.end < end) throw new Errno('EFAULT');
  if (how & MREMAP.MREMAP_FIXED) {
    const target = range(fixed, newLength);
    if (target.start < LOWEST || (target.start < end && start < target.end)) throw new Errno('EINVAL');
    space.unmap(target.start, target.end);
    space.move(start, end - start, target.start, length);
    return target.start;
  }
  if (length <= end - start) {
    if (length < end - start) space.unmap(start + length, end);
    return start;
  }
  if (area.end === end && start + length <= TASK_SIZE && space.areas.isFree(end, start + length)) {
    space.map({ ...area, start: end, end: start + length, offset: area.offset + (end - area.start) });
    return start;
  }
  if (!(how & MREMAP.MREMAP_MAYMOVE)) throw new Errno('ENOMEM');
  const to = space.findGap(length);
  space.move(start, end - start, to, length);
  return to;
}

function madvise(kernel: Kernel, at: number, length: number, advice: number): number {
  const { start, end } = range(at, length);
  if (advice === MADV_DONTNEED || advice === MADV_FREE) kernel.current.space.discard(start, end);
  else if (advice < 0 || advice > 25) throw new Errno('EINVAL');
  if (!kernel.current.space.areas.covers(start, end)) throw new Errno('ENOMEM');
  return 0;
}

function msync(kernel: Kernel, at: number, length: number): number {
  const { start, end } = range(at, length);
  const { areas } = kernel.current.space;
  for (const { object } of areas.overlapping(start, end)) object?.writeBack();
  if (!areas.covers(start, end)) throw new Errno('ENOMEM');
  return 0;
}

export const memory = family('memory', [
  call(214, 'brk', [address('addr')], brk),
  call(215, 'munmap', [address('addr'), size('length')], munmap),
  call(
    216,
    'mremap',
    [
      address('old_address'),
      size('old_size'),
      size('new_size'),
      flags('flags', MREMAP),
      address('new_address'),
    ],
    mremap,
    'no MREMAP_DONTUNMAP',
  ),
  call(
    222,
    'mmap',
    [address('addr'), size('length'), flags('prot', PROT), flags('flags', MAP), fd('fd'), offset('offset')],
    mmap,
    'only regular files; no huge pages, no locking',
  ),
  call(226, 'mprotect', [address('addr'), size('len'), flags('prot', PROT)], mprotect),
  call(227, 'msync', [address('addr'), size('length'), int('flags')], msync),
  ...[
    [228, 'mlock'],
    [229, 'munlock'],
  ].map(([number, name]) => call(number as number, name as string, [address('addr'), size('len')], () => 0)),
  call(233, 'madvise', [address('addr'), size('length'), int('advice')], madvise),
  call(283, 'membarrier', [int('cmd'), uint('flags')], (_kernel, command) => {
    // One hart: every barrier is one already. MEMBARRIER_CMD_QUERY says which there are.
    if (command === 0) return 0x1f;
    if (command < 0 || command & ~0x1ff) throw new Errno('EINVAL');
    return 0;
  }),
]);
