/** epoll(7). */
import { Errno } from '../errno';
import { EpollFile, type Interest } from '../ipc/epoll';
import { Description } from '../kernel/description';
import type { Kernel } from '../kernel/kernel';
import { O, POLL, S } from '../vfs/constants';
import { address, fd, flags, int, size } from './arguments';
import { descriptorLimit } from './limits';
import { beginWait, waitForAny } from './polling';
import { call, family } from './table';
import { readTimespec } from './timespec';

const ADD = 1;
const DELETE = 2;
const MODIFY = 3;
const ONESHOT = 1 << 30;
/** struct epoll_event on riscv64: events, padding, data. */
const EVENT_SIZE = 16;
const MILLISECOND = 1_000_000n;

function setOf(kernel: Kernel, number: number): EpollFile {
  const { file } = kernel.current.files.get(number);
  if (!(file instanceof EpollFile)) throw new Errno('EINVAL');
  return file;
}

function create(kernel: Kernel, how: number): number {
  const task = kernel.current;
  if (how & ~O.CLOEXEC) throw new Errno('EINVAL');
  const number = task.files.free(0, descriptorLimit(task));
  task.files.set(number, new Description(new EpollFile(kernel.nextId++)), (how & O.CLOEXEC) !== 0);
  return number;
}

function control(kernel: Kernel, epfd: number, operation: number, number: number, at: number): number {
  const set = setOf(kernel, epfd);
  const description = kernel.current.files.get(number);
  const type = description.file.inode.mode & S.IFMT;
  if (type === S.IFREG || type === S.IFDIR) throw new Errno('EPERM');
  if (description.file === set) throw new Errno('EINVAL');
  const known = set.find(number, description);
  if (operation === DELETE) {
    if (!known) throw new Errno('ENOENT');
    set.replace(known, undefined);
    return 0;
  }
  if (operation !== ADD && operation !== MODIFY) throw new Errno('EINVAL');
  const next: Interest = {
    fd: number,
    description,
    events: kernel.memory.u32(at),
    data: kernel.memory.u64(at + 8),
    armed: true,
  };
  if (operation === ADD) {
    if (known) throw new Errno('EEXIST');
    set.interests.push(next);
  } else {
    if (!known) throw new Errno('ENOENT');
    set.replace(known, next);
  }
  return 0;
}

function wait(
  kernel: Kernel,
  epfd: number,
  at: number,
  most: number,
  timeout: bigint | undefined,
  mask: number,
  length: number,
): number {
  const set = setOf(kernel, epfd);
  if (most <= 0 || most > 0x7ffffff) throw new Errno('EINVAL');
  beginWait(kernel, timeout, mask, length);
  const ready = set.ready(most);
  if (ready.length === 0) waitForAny(kernel, [{ fd: epfd, events: POLL.IN }]);
  ready.forEach(({ interest, events }, i) => {
    kernel.memory.setU32(at + i * EVENT_SIZE, events);
    kernel.memory.setU64(at + i * EVENT_SIZE + 8, interest.data);
    if (interest.events & ONESHOT) set.replace(interest, { ...interest, armed: false });
  });
  return ready.length;
}

export const epoll = family('epoll', [
  call(20, 'epoll_create1', [flags('flags', { EPOLL_CLOEXEC: O.CLOEXEC })], create),
  call(
    21,
    'epoll_ctl',
    [fd('epfd'), int('op'), fd('fd'), address('event')],
    control,
    'edge-triggered interests are level-triggered',
  ),
  call(
    22,
    'epoll_pwait',
    [fd('epfd'), address('events'), int('maxevents'), int('timeout'), address('sigmask'), size('sigsetsize')],
    (kernel, epfd, at, most, timeout, mask, length) =>
      wait(kernel, epfd, at, most, timeout < 0 ? undefined : BigInt(timeout) * MILLISECOND, mask, length),
  ),
  call(
    441,
    'epoll_pwait2',
    [
      fd('epfd'),
      address('events'),
      int('maxevents'),
      address('timeout'),
      address('sigmask'),
      size('sigsetsize'),
    ],
    (kernel, epfd, at, most, timeout, mask, length) =>
      wait(kernel, epfd, at, most, timeout === 0 ? undefined : readTimespec(kernel, timeout), mask, length),
  ),
]);
