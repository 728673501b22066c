/** Pipes and event counters. */
import { Errno } from '../errno';
import { EventCounter } from '../ipc/event-counter';
import { Pipe, PipeEnd } from '../ipc/pipe';
import { Description } from '../kernel/description';
import type { Kernel } from '../kernel/kernel';
import { Signal } from '../kernel/signal-numbers';
import { fromTask, signalTask } from '../kernel/signals';
import { O } from '../vfs/constants';
import { address, flags, uint } from './arguments';
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
  const pipe = new Pipe(kernel.nextId++);
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

export const ipc = family('ipc', [
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
