/** Pipes and event counters. */
import { Errno } from '../errno';
import { EventCounter } from '../ipc/event-counter';
import { type Pipe, PipeEnd } from '../ipc/pipe';
import { SocketEnd } from '../ipc/socket-pair';
import { Description } from '../kernel/description';
import type { Kernel } from '../kernel/kernel';
import { createPipe } from '../kernel/pipes';
import { Signal } from '../kernel/signal-numbers';
import { fromTask, signalTask } from '../kernel/signals';
import { O } from '../vfs/constants';
import { WOULD_BLOCK } from '../vfs/open-file';
import { address, flags, int, path, uint } from './arguments';
import { descriptorLimit } from './limits';
import { call, family } from './table';

/** Who writes to a pipe without readers gets SIGPIPE. */
export const broken = (kernel: Kernel) => (): void =>
  signalTask(kernel, kernel.current, fromTask(kernel.current, Signal.SIGPIPE));

function pipe2(kernel: Kernel, at: number, how: number): number {
  const task = kernel.current;
  if (how & ~(O.CLOEXEC | O.NONBLOCK | O.DIRECT)) throw new Errno('EINVAL');
  const limit = descriptorLimit(task);
  const first = task.files.free(0, limit);
  const second = task.files.free(first + 1, limit);
  kernel.memory.setU32(at, first);
  kernel.memory.setU32(at + 4, second);
  const pipe = createPipe(kernel);
  const flag = how & O.NONBLOCK;
  const end = (access: number): Description =>
    new Description(new PipeEnd(pipe, access | flag, undefined, broken(kernel)));
  const closeOnExec = (how & O.CLOEXEC) !== 0;
  task.files.set(first, end(O.RDONLY), closeOnExec);
  task.files.set(second, end(O.WRONLY), closeOnExec);
  return 0;
}

function eventfd2(kernel: Kernel, initial: number, how: number): number {
  const task = kernel.current;
  if (how & ~(O.CLOEXEC | O.NONBLOCK | 1)) throw new Errno('EINVAL');
  const number = task.files.free(0, descriptorLimit(task));
  const counter = new EventCounter(kernel.nextId++, BigInt(initial), (how & 1) !== 0, how & O.NONBLOCK);
  task.files.set(number, new Description(counter), (how & O.CLOEXEC) !== 0);
  return number;
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;

function socketpair(kernel: Kernel, domain: number, type: number, protocol: number, at: number): number {
  const task = kernel.current;
  if (domain !== AF_UNIX) throw new Errno('EAFNOSUPPORT');
  if ((type & ~(O.CLOEXEC | O.NONBLOCK)) !== SOCK_STREAM) throw new Errno('ESOCKTNOSUPPORT');
  if (protocol !== 0 && protocol !== AF_UNIX) throw new Errno('EPROTONOSUPPORT');
  const limit = descriptorLimit(task);
  const first = task.files.free(0, limit);
  const second = task.files.free(first + 1, limit);
  kernel.memory.setU32(at, first);
  kernel.memory.setU32(at + 4, second);
  const there = createPipe(kernel);
  const back = createPipe(kernel);
  const end = (incoming: Pipe, outgoing: Pipe): Description =>
    new Description(new SocketEnd(kernel.nextId++, incoming, outgoing, type & O.NONBLOCK, broken(kernel)));
  const closeOnExec = (type & O.CLOEXEC) !== 0;
  task.files.set(first, end(back, there), closeOnExec);
  task.files.set(second, end(there, back), closeOnExec);
  return 0;
}

/** A file of /dev/shm that has lost its name already. */
function memfdCreate(kernel: Kernel, name: string, how: number): number {
  const task = kernel.current;
  if (how & ~3 || name.length > 249) throw new Errno('EINVAL');
  const { vfs } = kernel.files;
  const { root } = vfs.namespace;
  const everything = { root, cwd: root, umask: 0, credentials: { uid: 0, gid: 0, groups: [] } };
  const path = `/dev/shm/.memfd-${kernel.nextId++}`;
  const number = task.files.free(0, descriptorLimit(task));
  const file = vfs.open(everything, path, O.RDWR | O.CREAT | O.EXCL, 0o777);
  if (file === WOULD_BLOCK) throw new Errno('EIO');
  vfs.unlink(everything, path);
  task.files.set(number, new Description(file), (how & 1) !== 0);
  return number;
}

export const ipc = family('ipc', [
  call(
    199,
    'socketpair',
    [int('domain'), int('type'), int('protocol'), address('sv')],
    socketpair,
    'stream sockets of AF_UNIX, for read and write',
  ),
  call(
    279,
    'memfd_create',
    [path('name'), flags('flags', { MFD_CLOEXEC: 1, MFD_ALLOW_SEALING: 2 })],
    memfdCreate,
    'no seals',
  ),
  call(
    19,
    'eventfd2',
    [uint('initval'), flags('flags', { EFD_SEMAPHORE: 1, EFD_CLOEXEC: O.CLOEXEC, EFD_NONBLOCK: O.NONBLOCK })],
    eventfd2,
  ),
  call(
    59,
    'pipe2',
    [address('pipefd'), flags('flags', { O_CLOEXEC: O.CLOEXEC, O_NONBLOCK: O.NONBLOCK })],
    pipe2,
  ),
]);
