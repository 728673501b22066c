/** Sending signals. Linux: kernel/signal.c. */
import type { Kernel } from './kernel';
import { STOP_SIGNALS, Signal, bit, defaultAction } from './signal-numbers';
import { DEFAULT, IGNORE, type SignalInfo } from './signal-state';
import type { Process, Task } from './task';

const SA_NOCLDSTOP = 1;
const CONTINUED = 0xffff;

export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_TKILL = -6;

export const fromKernel = (signal: number, code = SI_KERNEL, value = 0n): SignalInfo => ({
  signal,
  code,
  pid: 0,
  uid: 0,
  value,
});
export const fromTask = (task: Task, signal: number, code = SI_USER): SignalInfo => ({
  signal,
  code,
  pid: task.process.pid,
  uid: task.credentials.uid,
  value: 0n,
});

function isIgnored(task: Task, signal: number): boolean {
  const { handler } = task.actions.get(signal);
  if (handler === IGNORE) return true;
  return handler === DEFAULT && defaultAction(signal) === 'ignore';
}

/** pid 1 gets only what it handles, and from outside its namespace nothing comes: pid_namespaces(7). */
const shielded = (process: Process, signal: number, task: Task): boolean =>
  process.pid === 1 && task.actions.get(signal).handler === DEFAULT;

/** A signal for any thread of a process. */
export function signalProcess(kernel: Kernel, process: Process, info: SignalInfo): void {
  const leader = process.leader;
  if (!leader || info.signal === 0 || process.exiting) return;
  if (shielded(process, info.signal, leader) && info.code !== SI_KERNEL) return;
  prepare(kernel, process, info.signal);
  const wanted = (task: Task): boolean => (task.blocked & bit(info.signal)) === 0n;
  if (isIgnored(leader, info.signal) && [...process.threads].some(wanted) && !awaited(process, info.signal))
    return;
  process.pending.add(info);
  const target = [...process.threads].find((task) => wanted(task) || waitsFor(task, info.signal));
  if (target) interrupt(kernel, target, info.signal);
}

/** A signal for one thread. */
export function signalTask(kernel: Kernel, task: Task, info: SignalInfo): void {
  if (info.signal === 0 || task.state === 'dead') return;
  if (shielded(task.process, info.signal, task) && info.code !== SI_KERNEL) return;
  prepare(kernel, task.process, info.signal);
  const blocked = (task.blocked & bit(info.signal)) !== 0n;
  if (!blocked && isIgnored(task, info.signal)) return;
  task.pending.add(info);
  if (!blocked || waitsFor(task, info.signal)) interrupt(kernel, task, info.signal);
}

const waitsFor = (task: Task, signal: number): boolean =>
  task.wait?.signals !== undefined && (task.wait.signals & bit(signal)) !== 0n;
const awaited = (process: Process, signal: number): boolean =>
  [...process.threads].some((task) => waitsFor(task, signal));

/** SIGCONT and stop signals undo each other when sent, whether blocked or not; SIGKILL ends a stop. */
function prepare(kernel: Kernel, process: Process, signal: number): void {
  const drop = (mask: bigint): void => {
    process.pending.drop(mask);
    for (const task of process.threads) task.pending.drop(mask);
  };
  if (signal === Signal.SIGCONT) drop(STOP_SIGNALS);
  else if ((bit(signal) & STOP_SIGNALS) !== 0n) drop(bit(Signal.SIGCONT));
  if ((signal !== Signal.SIGCONT && signal !== Signal.SIGKILL) || !process.stopped) return;
  process.stopped = false;
  if (signal === Signal.SIGCONT) reportToParent(kernel, process, CONTINUED);
  for (const task of process.threads) if (task.state === 'stopped') kernel.makeRunnable(task);
}

/** The task looks at its signals before it goes on; a blocking call is cut short. */
function interrupt(kernel: Kernel, task: Task, signal: number): void {
  kernel.stirred = true;
  // The memory is lent to the child: only death ends that wait early.
  if (task.wait?.kind === 'vfork' && signal !== Signal.SIGKILL) return;
  if (task.state === 'blocked' || (task.state === 'stopped' && signal === Signal.SIGKILL)) {
    const { wait } = task;
    kernel.makeRunnable(task);
    task.interrupted = wait;
  }
}

export function reportToParent(kernel: Kernel, process: Process, status: number): void {
  process.report = status;
  const { parent } = process;
  if (!parent) return;
  kernel.stirred = true;
  if ((parent.leader?.actions.get(Signal.SIGCHLD).flags ?? 0) & SA_NOCLDSTOP) return;
  const code = status === CONTINUED ? 6 : 5;
  signalProcess(kernel, parent, {
    signal: Signal.SIGCHLD,
    code,
    pid: process.pid,
    uid: 0,
    value: BigInt(status === CONTINUED ? Signal.SIGCONT : status >> 8),
  });
}
