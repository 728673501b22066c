/** Descriptors themselves: dup, fcntl, ioctl. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import { O } from '../vfs/constants';
import type { UserMemory } from '../vfs/open-file';
import { fd, flags, int, uint, word } from './arguments';
import { descriptorLimit } from './limits';
import { call, family } from './table';

const FD_CLOEXEC = 1;
/** What F_SETFL may change. */
const CHANGEABLE = O.APPEND | O.NONBLOCK | O.DIRECT | O.NOATIME;
const FIONBIO = 0x5421;
const FIOCLEX = 0x5451;
const FIONCLEX = 0x5450;
const F_UNLCK = 2;

type Command = (kernel: Kernel, number: number, argument: bigint) => number;

const duplicate =
  (closeOnExec: boolean): Command =>
  ({ current }, number, argument) => {
    const { files } = current;
    const lowest = Number(BigInt.asIntN(32, argument));
    const limit = descriptorLimit(current);
    if (lowest < 0 || lowest >= limit) throw new Errno('EINVAL');
    const description = files.get(number);
    const to = files.free(lowest, limit);
    files.set(to, description.hold(), closeOnExec);
    return to;
  };

/** struct flock: a container's files are its own, so locks between processes are granted. */
const getLock: Command = (kernel, number, argument) => {
  kernel.current.files.get(number);
  const lock = kernel.memory.read(Number(argument), 32);
  new DataView(lock.buffer).setInt16(0, F_UNLCK, true);
  kernel.memory.write(Number(argument), lock);
  return 0;
};
const setLock: Command = (kernel, number, argument) => {
  kernel.current.files.get(number);
  kernel.memory.read(Number(argument), 32);
  return 0;
};

const commands: Readonly<Record<number, Command>> = {
  0: duplicate(false),
  1: (kernel, number) => (kernel.current.files.descriptor(number).closeOnExec ? FD_CLOEXEC : 0),
  2: (kernel, number, argument) => {
    kernel.current.files.descriptor(number).closeOnExec = (argument & 1n) !== 0n;
    return 0;
  },
  3: (kernel, number) => kernel.current.files.get(number).file.flags | O.LARGEFILE,
  4: (kernel, number, argument) => {
    const { file } = kernel.current.files.get(number);
    file.flags = (file.flags & ~CHANGEABLE) | (Number(BigInt.asUintN(32, argument)) & CHANGEABLE);
    return 0;
  },
  5: getLock,
  6: setLock,
  7: setLock,
  1030: duplicate(true),
  1031: () => 65536, // F_SETPIPE_SZ
  1032: () => 65536, // F_GETPIPE_SZ
};

function dup3(kernel: Kernel, from: number, to: number, how: number): number {
  const task = kernel.current;
  if (from === to || (how & ~O.CLOEXEC) !== 0) throw new Errno('EINVAL');
  const description = task.files.get(from);
  if (to < 0 || to >= descriptorLimit(task)) throw new Errno('EBADF');
  task.files.set(to, description.hold(), (how & O.CLOEXEC) !== 0);
  return to;
}

function closeRange(kernel: Kernel, first: number, last: number, how: number): number {
  if (first > last || (how & ~6) !== 0) throw new Errno('EINVAL');
  const { files } = kernel.current;
  for (const [number, descriptor] of files.entries) {
    if (number < first || number > last) continue;
    if (how & 4) descriptor.closeOnExec = true;
    else files.close(number);
  }
  return 0;
}

const memoryOf = (kernel: Kernel): UserMemory => ({
  read: (address, length) => kernel.memory.read(Number(address), length),
  write: (address, bytes) => kernel.memory.write(Number(address), bytes),
});

function ioctl(kernel: Kernel, number: number, request: number, argument: bigint): number {
  const descriptor = kernel.current.files.descriptor(number);
  const { file } = descriptor.description;
  if (request === FIOCLEX || request === FIONCLEX) {
    descriptor.closeOnExec = request === FIOCLEX;
    return 0;
  }
  if (request === FIONBIO) {
    const on = kernel.memory.i32(Number(argument)) !== 0;
    file.flags = on ? file.flags | O.NONBLOCK : file.flags & ~O.NONBLOCK;
    return 0;
  }
  return file.ioctl(request, argument, memoryOf(kernel));
}

export const descriptors = family('descriptors', [
  call(23, 'dup', [fd('oldfd')], (kernel, number) => duplicate(false)(kernel, number, 0n)),
  call(24, 'dup3', [fd('oldfd'), fd('newfd'), flags('flags', { O_CLOEXEC: O.CLOEXEC })], dup3),
  call(
    25,
    'fcntl',
    [fd('fd'), int('cmd'), word('arg')],
    (kernel, number, command, argument) => {
      const run = commands[command];
      kernel.current.files.get(number);
      if (!run) throw new Errno('EINVAL');
      return run(kernel, number, argument);
    },
    'locks between the processes of one container are always granted; no leases, owners or seals',
  ),
  call(29, 'ioctl', [fd('fd'), uint('request'), word('arg')], ioctl),
  call(
    32,
    'flock',
    [fd('fd'), int('operation')],
    (kernel, number) => {
      kernel.current.files.get(number);
      return 0;
    },
    'always granted',
  ),
  call(436, 'close_range', [uint('first'), uint('last'), uint('flags')], closeRange),
]);
