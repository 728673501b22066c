/** Clocks, sleeping, interval timers. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import { Blocked } from '../kernel/wait';
import { address, int } from './arguments';
import { stepsToTime } from './resources';
import { call, family } from './table';
import { readTimespec, readTimeval, writeTimespec, writeTimeval } from './timespec';

type Clock = (kernel: Kernel) => bigint;
const monotonic: Clock = (kernel) => kernel.now;
const wall: Clock = (kernel) => kernel.wall;
const processTime: Clock = ({ current: { process } }) =>
  stepsToTime([...process.threads].reduce((sum, task) => sum + task.steps, process.spentSteps));
const threadTime: Clock = ({ current }) => stepsToTime(current.steps);

/** By clockid_t: clock_gettime(2). */
const clocks: readonly Clock[] = [
  wall, // CLOCK_REALTIME
  monotonic,
  processTime,
  threadTime,
  monotonic, // CLOCK_MONOTONIC_RAW
  wall, // CLOCK_REALTIME_COARSE
  monotonic, // CLOCK_MONOTONIC_COARSE
  monotonic, // CLOCK_BOOTTIME
  wall, // CLOCK_REALTIME_ALARM
  monotonic, // CLOCK_BOOTTIME_ALARM
  monotonic,
  wall, // CLOCK_TAI
];
/** One tick of the timebase. */
const RESOLUTION = 100n;
const TIMER_ABSTIME = 1;

function clock(id: number): Clock {
  const found = clocks[id];
  if (!found) throw new Errno('EINVAL');
  return found;
}

/** Until a time of the monotonic clock. */
function sleepUntil(kernel: Kernel, deadline: bigint, remainder: number): number {
  const task = kernel.current;
  const until = task.call?.deadline ?? deadline;
  if (kernel.now >= until) return 0;
  task.call = { deadline: until, progress: 0, woken: false };
  throw new Blocked({ kind: 'time', deadline: until, restart: false, remainder: remainder || undefined });
}

function clockNanosleep(kernel: Kernel, id: number, how: number, request: number, remainder: number): number {
  const now = clock(id)(kernel);
  if (clock(id) === threadTime) throw new Errno('EINVAL');
  const time = readTimespec(kernel, request);
  if (how & TIMER_ABSTIME) return sleepUntil(kernel, kernel.now + (time - now), 0);
  return sleepUntil(kernel, kernel.now + time, remainder);
}

function getTimer(kernel: Kernel, which: number, at: number): number {
  if (which < 0 || which > 2) throw new Errno('EINVAL');
  const timer = which === 0 ? kernel.current.process.timer : undefined;
  writeTimeval(kernel, at, timer?.interval ?? 0n);
  const left = timer ? timer.deadline - kernel.now : 0n;
  writeTimeval(kernel, at + 16, timer && left < 1000n ? 1000n : left);
  return 0;
}
function setTimer(kernel: Kernel, which: number, at: number, old: number): number {
  if (which < 0 || which > 2) throw new Errno('EINVAL');
  if (which !== 0) throw new Errno('EOPNOTSUPP');
  const interval = at === 0 ? 0n : readTimeval(kernel, at);
  const value = at === 0 ? 0n : readTimeval(kernel, at + 16);
  if (old !== 0) getTimer(kernel, which, old);
  kernel.current.process.timer = value === 0n ? undefined : { deadline: kernel.now + value, interval };
  return 0;
}

export const time = family('time', [
  call(101, 'nanosleep', [address('req'), address('rem')], (kernel, request, remainder) =>
    sleepUntil(kernel, kernel.now + readTimespec(kernel, request), remainder),
  ),
  call(102, 'getitimer', [int('which'), address('value')], getTimer),
  call(103, 'setitimer', [int('which'), address('new'), address('old')], setTimer, 'ITIMER_REAL only'),
  call(112, 'clock_settime', [int('clockid'), address('tp')], () => {
    throw new Errno('EPERM'); // The clock is the host's.
  }),
  call(113, 'clock_gettime', [int('clockid'), address('tp')], (kernel, id, at) => {
    writeTimespec(kernel, at, clock(id)(kernel));
    return 0;
  }),
  call(114, 'clock_getres', [int('clockid'), address('res')], (kernel, id, at) => {
    clock(id);
    if (at !== 0) writeTimespec(kernel, at, RESOLUTION);
    return 0;
  }),
  call(
    115,
    'clock_nanosleep',
    [int('clockid'), int('flags'), address('request'), address('remain')],
    clockNanosleep,
  ),
  call(169, 'gettimeofday', [address('tv'), address('tz')], (kernel, at, zone) => {
    if (at !== 0) writeTimeval(kernel, at, kernel.wall);
    if (zone !== 0) kernel.memory.setU64(zone, 0n);
    return 0;
  }),
]);
