/** What becomes of signals on the way back to user mode: handlers, stops, ends. Linux: kernel/signal.c. */
import { Errno } from '../errno';
import { exitGroup } from './exit';
import type { Kernel } from './kernel';
import { Signal, UNBLOCKABLE, bit, defaultAction, dumpsCore } from './signal-numbers';
import { pushFrame } from './signal-frame';
import { DEFAULT, IGNORE, type SignalInfo } from './signal-state';
import { SI_KERNEL, fromKernel, reportToParent } from './signals';
import type { Process, Task } from './task';

const SA_RESTART = 0x10000000;
const SA_NODEFER = 0x40000000;
const SA_RESETHAND = 0x80000000;
const CORE_DUMPED = 0x80;
const STOPPED = 0x7f;

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
