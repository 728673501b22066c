/** Sending signals, and their delivery on the way back to user mode. Linux: kernel/signal.c. */
import { Errno } from '../errno';
import { exitGroup } from './exit';
import type { Kernel } from './kernel';
import { STOP_SIGNALS, Signal, UNBLOCKABLE, bit, defaultAction, dumpsCore } from './signal-numbers';
import { pushFrame } from './signal-frame';
import { DEFAULT, IGNORE, type SignalInfo } from './signal-state';
import type { Process, Task } from './task';

const SA_NOCLDSTOP = 1;
const SA_RESTART = 0x10000000;
const SA_NODEFER = 0x40000000;
const SA_RESETHAND = 0x80000000;
const CORE_DUMPED = 0x80;
const STOPPED = 0x7f;
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

/** A fault of the task's own: it cannot be held off. */
export function forceSignal(kernel: Kernel, task: Task, info: SignalInfo): void {
  const blocked = (task.blocked & bit(info.signal)) !== 0n;
  const action = task.actions.get(info.signal);
  if (blocked || action.handler === IGNORE) {
    task.actions.set(info.signal, { handler: DEFAULT, flags: 0, mask: 0n });
    task.blocked &= ~bit(info.signal);
  }
  if (task.actions.get(info.signal).handler === DEFAULT) fatal(kernel, task, info.signal);
  else task.pending.add(info);
}

function fatal(kernel: Kernel, task: Task, signal: number): void {
  exitGroup(kernel, task.process, signal | (dumpsCore(signal) ? CORE_DUMPED : 0));
}

export const deliverable = (task: Task): bigint =>
  (task.pending.mask | task.process.pending.mask) & ~task.blocked;

/**
 * Delivers what is pending to the loaded task, which is about to go on in user
 * mode. Afterwards it may be dead or stopped.
 */
export function deliverSignals(kernel: Kernel, task: Task): void {
  while (task.state === 'runnable') {
    const mask = deliverable(task);
    if (mask === 0n) break;
    const info = task.pending.take(mask) ?? task.process.pending.take(mask);
    if (!info) break;
    act(kernel, task, info);
  }
  if (task.state !== 'runnable') return;
  // Nobody handled it: the call that was cut short begins anew, under the mask that it had set.
  task.interrupted = undefined;
}

function act(kernel: Kernel, task: Task, info: SignalInfo): void {
  const { signal } = info;
  const action = task.actions.get(signal);
  if (action.handler === IGNORE) return;
  if (action.handler === DEFAULT) {
    const what = defaultAction(signal);
    if (what === 'terminate' && !(task.process.pid === 1 && info.code !== SI_KERNEL))
      fatal(kernel, task, signal);
    else if (what === 'stop') stop(kernel, task.process, signal);
    return;
  }
  endInterruptedCall(kernel, task, (action.flags & SA_RESTART) !== 0);
  const mask = task.call?.savedMask ?? task.blocked;
  task.call = undefined;
  if (!pushFrame(kernel, task, info, action, mask)) {
    forceSignal(kernel, task, fromKernel(Signal.SIGSEGV));
    return;
  }
  const own = action.flags & SA_NODEFER ? 0n : bit(signal);
  task.blocked = (task.blocked | action.mask | own) & ~UNBLOCKABLE;
  if ((action.flags & SA_RESETHAND) >>> 0 === SA_RESETHAND) {
    task.actions.set(signal, { handler: DEFAULT, flags: 0, mask: 0n });
  }
}

/** Before a handler runs: the call that was cut short ends in EINTR, or will be made again after it. */
function endInterruptedCall(kernel: Kernel, task: Task, restart: boolean): void {
  const wait = task.interrupted;
  task.interrupted = undefined;
  if (!wait) return;
  const progress = task.call?.progress ?? 0;
  if (progress === 0 && wait.restart && restart) return;
  const { hart } = kernel;
  hart.pc += 4n;
  hart.setX(10, progress > 0 ? BigInt(progress) : BigInt(-new Errno('EINTR').number));
  if (wait.remainder && wait.deadline !== undefined) {
    const left = wait.deadline > kernel.now ? wait.deadline - kernel.now : 0n;
    try {
      kernel.memory.setU64(wait.remainder, left / 1_000_000_000n);
      kernel.memory.setU64(wait.remainder + 8, left % 1_000_000_000n);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      hart.setX(10, BigInt(-error.number));
    }
  }
}

function stop(kernel: Kernel, process: Process, signal: number): void {
  process.stopped = true;
  for (const task of process.threads) {
    if (task.state === 'dead') continue;
    const at = kernel.queue.indexOf(task);
    if (at >= 0) kernel.queue.splice(at, 1);
    // A blocked call is made again after the stop.
    task.wait = undefined;
    task.state = 'stopped';
  }
  reportToParent(kernel, process, (signal << 8) | STOPPED);
}
