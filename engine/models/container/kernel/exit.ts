/** The end of tasks and processes. Linux: kernel/exit.c. */
import { Errno } from '../errno';
import { OutOfMemory } from '../mm/page-table';
import { UserMemory } from '../mm/user-memory';
import { wakeFutex } from './futex';
import type { Kernel } from './kernel';
import { Signal } from './signal-numbers';
import { IGNORE, type SignalInfo } from './signal-state';
import { signalProcess } from './signals';
import type { Process, Task } from './task';

const SA_NOCLDWAIT = 2;
const CLD_EXITED = 1;
const CLD_KILLED = 2;
const CLD_DUMPED = 3;

/** All threads of a process end. `status` as wait(2) shows it. */
export function exitGroup(kernel: Kernel, process: Process, status: number): void {
  if (process.exiting) return;
  process.exiting = true;
  for (const task of [...process.threads]) exitTask(kernel, task, status);
}

/** One thread ends; with the last one, the process. */
export function exitTask(kernel: Kernel, task: Task, status: number): void {
  if (task.state === 'dead') return;
  const { process } = task;
  const at = kernel.queue.indexOf(task);
  if (at >= 0) kernel.queue.splice(at, 1);
  task.state = 'dead';
  task.wait = undefined;
  kernel.stirred = true;
  clearChildTid(kernel, task);
  releaseVforkParent(task);
  kernel.releaseSpace(task.space);
  task.files.release();
  task.fileContext.release();
  process.spentSteps += task.steps;
  process.threads.delete(task);
  kernel.tasks.delete(task.tid);
  if (process.threads.size === 0) exitProcess(kernel, process, task, process.exitStatus ?? status);
}

/** Every thread but the caller's, before execve. */
export function exitOtherThreads(kernel: Kernel, task: Task): void {
  for (const other of [...task.process.threads]) if (other !== task) exitTask(kernel, other, 0);
}

/** The parent that waits for the end of a vfork goes on. */
export function releaseVforkParent(task: Task): void {
  const parent = task.vforkParent;
  task.vforkParent = undefined;
  if (parent?.call) parent.call.woken = true;
}

/** CLONE_CHILD_CLEARTID: whoever joins the thread sleeps on its tid. */
function clearChildTid(kernel: Kernel, task: Task): void {
  const address = task.clearChildTid;
  task.clearChildTid = 0;
  if (address === 0 || task.space.users <= 1) return;
  try {
    new UserMemory(kernel.frames, () => task.space).setU32(address, 0);
    wakeFutex(kernel, task.space, address, 1, 0xffffffff);
  } catch (error) {
    if (!(error instanceof Errno || error instanceof OutOfMemory)) throw error;
  }
}

function exitProcess(kernel: Kernel, process: Process, last: Task, status: number): void {
  process.exitStatus = status;
  process.exiting = true;
  process.timer = undefined;
  process.report = undefined;
  process.executable?.release();
  process.executable = undefined;
  const heir = process.pid === 1 ? undefined : reaper(kernel, process);
  for (const child of process.children) adopt(kernel, child, heir);
  process.children.clear();
  kernel.onExit?.(process);
  if (process.pid === 1) {
    const code = exitCode(status);
    kernel.halted = { how: code === 0 ? 'power-off' : 'failure', code };
    for (const other of [...kernel.processes.values()]) exitGroup(kernel, other, Signal.SIGKILL);
    return;
  }
  kernel.terminal.processExited(process);
  const { parent } = process;
  if (!parent) {
    reap(kernel, process);
    return;
  }
  notifyParent(kernel, process, parent, last);
}

function notifyParent(kernel: Kernel, process: Process, parent: Process, last: Task): void {
  const status = process.exitStatus ?? 0;
  const action = parent.leader?.actions.get(Signal.SIGCHLD);
  const unwanted = action?.handler === IGNORE || ((action?.flags ?? 0) & SA_NOCLDWAIT) !== 0;
  if (process.exitSignal !== 0) {
    signalProcess(kernel, parent, childInfo(process, status, last.credentials.uid));
  }
  if (unwanted && process.exitSignal === Signal.SIGCHLD) reap(kernel, process);
}

function childInfo(process: Process, status: number, uid: number): SignalInfo {
  const signal = status & 0x7f;
  const code = signal === 0 ? CLD_EXITED : status & 0x80 ? CLD_DUMPED : CLD_KILLED;
  return {
    signal: process.exitSignal,
    code,
    pid: process.pid,
    uid,
    value: BigInt(signal === 0 ? (status >> 8) & 0xff : signal),
  };
}

/** Who inherits the children of the dead: the nearest subreaper above, else pid 1. */
function reaper(kernel: Kernel, process: Process): Process | undefined {
  for (let above = process.parent; above; above = above.parent) {
    if (above.subreaper && !above.exiting) return above;
  }
  return kernel.processes.get(1);
}

function adopt(kernel: Kernel, child: Process, heir: Process | undefined): void {
  child.parent = heir;
  heir?.children.add(child);
  for (const task of child.threads) {
    if (task.parentDeathSignal !== 0) {
      signalProcess(kernel, child, { signal: task.parentDeathSignal, code: 0, pid: 0, uid: 0, value: 0n });
    }
  }
  if (!heir && child.exitStatus !== undefined) reap(kernel, child);
  else if (heir && child.exitStatus !== undefined) {
    child.exitSignal = Signal.SIGCHLD;
    signalProcess(kernel, heir, childInfo(child, child.exitStatus, 0));
  }
}

/** A zombie is gone for good; its times count as its parent's children's. */
export function reap(kernel: Kernel, process: Process): void {
  if (process.parent) {
    process.parent.childSteps += process.spentSteps + process.childSteps;
    process.parent.children.delete(process);
  }
  kernel.processes.delete(process.pid);
}

/** What a shell shows for a wait status. */
export const exitCode = (status: number): number =>
  (status & 0x7f) === 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
