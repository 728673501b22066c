/** futex(2) and what belongs to it. */
import { Errno } from '../errno';
import { requeueFutex, wakeFutex, waitFutex } from '../kernel/futex';
import type { Kernel } from '../kernel/kernel';
import { address, int, size, uint } from './arguments';
import { readTimespec } from './timespec';
import { call, family } from './table';

const PRIVATE = 128;
const CLOCK_REALTIME = 256;
const ALL_BITS = 0xffffffff;

interface Arguments {
  readonly at: number;
  readonly value: number;
  readonly fourth: number;
  readonly second: number;
  readonly third: number;
  readonly realtime: boolean;
}
type Operation = (kernel: Kernel, args: Arguments) => number;

/** Relative for FUTEX_WAIT, absolute for FUTEX_WAIT_BITSET. */
function deadline(kernel: Kernel, at: number, absolute: boolean, realtime: boolean): bigint | undefined {
  if (at === 0) return undefined;
  const time = readTimespec(kernel, at);
  if (!absolute) return kernel.now + time;
  return realtime ? time - kernel.epoch : time;
}

const requeue =
  (compare: boolean): Operation =>
  (kernel, { at, value, fourth, second, third }) => {
    if (compare && kernel.memory.u32(at) !== third) throw new Errno('EAGAIN');
    const { woken, moved } = requeueFutex(kernel, kernel.current.space, at, value | 0, second, fourth | 0);
    return compare ? woken + moved : woken;
  };

/** FUTEX_WAKE_OP: changes one word, wakes on the other, and on the first if its old value compares. */
const wakeOperation: Operation = (kernel, { at, value, fourth, second, third }) => {
  const { space } = kernel.current;
  const old = kernel.memory.i32(second);
  const shift = (third >>> 28) & 8 ? 1 << (((third << 8) >> 20) & 31) : (third << 8) >> 20;
  const changes = [shift, (old + shift) | 0, old | shift, old & ~shift, old ^ shift];
  const changed = changes[(third >>> 28) & 7];
  if (changed === undefined) throw new Errno('ENOSYS');
  kernel.memory.setU32(second, changed >>> 0);
  const against = (third << 20) >> 20;
  const comparisons = [
    old === against,
    old !== against,
    old < against,
    old <= against,
    old > against,
    old >= against,
  ];
  let woken = wakeFutex(kernel, space, at, value | 0, ALL_BITS);
  if (comparisons[(third >>> 24) & 15]) woken += wakeFutex(kernel, space, second, fourth | 0, ALL_BITS);
  return woken;
};

const operations: Readonly<Record<number, Operation>> = {
  0: (kernel, { at, value, fourth }) =>
    waitFutex(kernel, kernel.current, at, value, ALL_BITS, deadline(kernel, fourth, false, false)),
  1: (kernel, { at, value }) => wakeFutex(kernel, kernel.current.space, at, Math.max(1, value | 0), ALL_BITS),
  3: requeue(false),
  4: requeue(true),
  5: wakeOperation,
  9: (kernel, { at, value, fourth, third, realtime }) =>
    waitFutex(kernel, kernel.current, at, value, third, deadline(kernel, fourth, true, realtime)),
  10: (kernel, { at, value, third }) =>
    wakeFutex(kernel, kernel.current.space, at, Math.max(1, value | 0), third),
};

function futex(
  kernel: Kernel,
  at: number,
  operation: number,
  value: number,
  fourth: number,
  second: number,
  third: number,
): number {
  const run = operations[operation & ~(PRIVATE | CLOCK_REALTIME)];
  if (!run) throw new Errno('ENOSYS');
  return run(kernel, { at, value, fourth, second, third, realtime: (operation & CLOCK_REALTIME) !== 0 });
}

export const futexes = family('futexes', [
  call(
    98,
    'futex',
    [address('uaddr'), int('op'), uint('val'), size('timeout'), address('uaddr2'), uint('val3')],
    futex,
    'no priority inheritance',
  ),
  call(
    99,
    'set_robust_list',
    [address('head'), size('len')],
    (kernel, head, length) => {
      if (length !== 24) throw new Errno('EINVAL');
      kernel.current.robustList = head;
      return 0;
    },
    'kept, but a dying thread wakes nobody through it',
  ),
  call(100, 'get_robust_list', [int('pid'), address('head'), address('len')], (kernel, pid, head, length) => {
    const task = pid === 0 ? kernel.current : kernel.tasks.get(pid);
    if (!task) throw new Errno('ESRCH');
    kernel.memory.setU64(head, BigInt(task.robustList));
    kernel.memory.setU64(length, 24n);
    return 0;
  }),
]);
