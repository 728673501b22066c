/** Limits, usage, scheduling. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import type { Process } from '../kernel/task';
import { address, int, size, uint } from './arguments';
import { LIMITS, limitOf } from './limits';
import { call, family } from './table';
import { SECOND, writeTimespec, writeTimeval } from './timespec';

/** A hundred million instructions a second, nominally: as the timebase has it. */
export const stepsToTime = (steps: bigint): bigint => steps * 10n;
const TICKS = 100n;

const spent = (process: Process): bigint =>
  [...process.threads].reduce((sum, task) => sum + task.steps, process.spentSteps);

function prlimit(kernel: Kernel, pid: number, resource: number, next: number, old: number): number {
  const own = kernel.current;
  const task = pid === 0 ? own : kernel.processes.get(pid)?.leader;
  if (!task) throw new Errno('ESRCH');
  if (resource < 0 || resource >= LIMITS) throw new Errno('EINVAL');
  const before = limitOf(task, resource);
  if (next !== 0) {
    const limit = { current: kernel.memory.u64(next), maximum: kernel.memory.u64(next + 8) };
    if (limit.current > limit.maximum) throw new Errno('EINVAL');
    const raised = limit.maximum > before.maximum;
    // A descriptor table of the host's size is not the container's to ask for.
    if (raised && (own.credentials.euid !== 0 || resource === 7)) throw new Errno('EPERM');
    if (old !== 0) writeLimit(kernel, old, before);
    task.process.limits.set(resource, limit);
    return 0;
  }
  if (old !== 0) writeLimit(kernel, old, before);
  return 0;
}
function writeLimit(
  kernel: Kernel,
  at: number,
  { current, maximum }: { current: bigint; maximum: bigint },
): void {
  kernel.memory.setU64(at, current);
  kernel.memory.setU64(at + 8, maximum);
}

function getrusage(kernel: Kernel, who: number, at: number): number {
  const { process, steps } = kernel.current;
  const times: Readonly<Record<number, bigint>> = { 0: spent(process), 1: steps, [-1]: process.childSteps };
  const found = times[who];
  if (found === undefined) throw new Errno('EINVAL');
  kernel.memory.zero(at, 144);
  writeTimeval(kernel, at, stepsToTime(found));
  return 0;
}

/** struct sysinfo: 112 bytes. */
function sysinfo(kernel: Kernel, at: number): number {
  const bytes = new Uint8Array(112);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, kernel.now / SECOND, true);
  view.setBigUint64(32, BigInt(kernel.frames.total) * 4096n, true);
  view.setBigUint64(40, BigInt(kernel.frames.free) * 4096n, true);
  view.setUint16(80, kernel.tasks.size, true);
  view.setUint32(104, 1, true);
  kernel.memory.write(at, bytes);
  return 0;
}

function taskOf(kernel: Kernel, pid: number): void {
  if (pid < 0) throw new Errno('EINVAL');
  if (pid !== 0 && !kernel.tasks.has(pid)) throw new Errno('ESRCH');
}

/** One hart: hart 0. */
function getaffinity(kernel: Kernel, pid: number, length: number, at: number): number {
  taskOf(kernel, pid);
  if (length < 8 || length % 8 !== 0) throw new Errno('EINVAL');
  kernel.memory.setU64(at, 1n);
  return 8;
}

export const resources = family('resources', [
  call(
    118,
    'sched_setparam',
    [int('pid'), address('param')],
    (kernel, pid) => {
      taskOf(kernel, pid);
      return 0;
    },
    'all tasks are scheduled alike',
  ),
  call(
    119,
    'sched_setscheduler',
    [int('pid'), int('policy'), address('param')],
    (kernel, pid, policy) => {
      taskOf(kernel, pid);
      if (policy < 0 || policy > 6) throw new Errno('EINVAL');
      return 0;
    },
    'all tasks are scheduled alike',
  ),
  call(120, 'sched_getscheduler', [int('pid')], (kernel, pid) => {
    taskOf(kernel, pid);
    return 0;
  }),
  call(121, 'sched_getparam', [int('pid'), address('param')], (kernel, pid, at) => {
    taskOf(kernel, pid);
    kernel.memory.setU32(at, 0);
    return 0;
  }),
  call(122, 'sched_setaffinity', [int('pid'), size('len'), address('mask')], (kernel, pid, length, at) => {
    taskOf(kernel, pid);
    if (length === 0 || (kernel.memory.read(at, 1)[0]! & 1) === 0) throw new Errno('EINVAL');
    return 0;
  }),
  call(123, 'sched_getaffinity', [int('pid'), size('len'), address('mask')], getaffinity),
  call(124, 'sched_yield', [], (kernel) => {
    kernel.turnEnd = kernel.steps;
    return 0;
  }),
  call(125, 'sched_get_priority_max', [int('policy')], (_kernel, policy) =>
    policy === 1 || policy === 2 ? 99 : 0,
  ),
  call(126, 'sched_get_priority_min', [int('policy')], (_kernel, policy) =>
    policy === 1 || policy === 2 ? 1 : 0,
  ),
  call(127, 'sched_rr_get_interval', [int('pid'), address('tp')], (kernel, pid, at) => {
    taskOf(kernel, pid);
    writeTimespec(kernel, at, 2_000_000n);
    return 0;
  }),
  call(140, 'setpriority', [int('which'), int('who'), int('prio')], () => 0, 'all tasks are scheduled alike'),
  call(141, 'getpriority', [int('which'), int('who')], () => 20),
  call(153, 'times', [address('buf')], (kernel, at) => {
    const { process } = kernel.current;
    const ticks = (steps: bigint): bigint => (stepsToTime(steps) * TICKS) / SECOND;
    if (at !== 0) {
      const words = new BigInt64Array([ticks(spent(process)), 0n, ticks(process.childSteps), 0n]);
      kernel.memory.write(at, new Uint8Array(words.buffer));
    }
    return (kernel.now * TICKS) / SECOND;
  }),
  call(163, 'getrlimit', [int('resource'), address('rlim')], (kernel, resource, at) => {
    if (at === 0) throw new Errno('EFAULT');
    return prlimit(kernel, 0, resource, 0, at);
  }),
  call(164, 'setrlimit', [int('resource'), address('rlim')], (kernel, resource, at) => {
    if (at === 0) throw new Errno('EFAULT');
    return prlimit(kernel, 0, resource, at, 0);
  }),
  call(165, 'getrusage', [int('who'), address('usage')], getrusage, 'user time only'),
  call(168, 'getcpu', [address('cpu'), address('node')], (kernel, cpu, node) => {
    if (cpu !== 0) kernel.memory.setU32(cpu, 0);
    if (node !== 0) kernel.memory.setU32(node, 0);
    return 0;
  }),
  call(179, 'sysinfo', [address('info')], sysinfo),
  call(
    261,
    'prlimit64',
    [int('pid'), uint('resource'), address('new_limit'), address('old_limit')],
    prlimit,
    'of the limits only those on descriptors are enforced',
  ),
]);
