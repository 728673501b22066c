/**
 * Who runs, and for how long: round robin by instructions, so that turns fall
 * at the same places wherever a run is cut. Every trap of user mode comes here.
 */
import type { Kernel } from './kernel';
import { deliverSignals, deliverable } from './signal-delivery';
import { signalProcess, fromKernel } from './signals';
import { Signal } from './signal-numbers';
import type { Task } from './task';
import { handleTrap } from './trap';
import { findChild } from './wait-child';

/** Instructions of one turn. */
const TURN = 200_000;
/** Instructions between two looks at the host's clock. */
const BURST = 1_000_000;

export type Stop = 'budget' | 'idle' | 'halted';

/** @param end step to stop at @param tick brings the clock up to date; true ends the run */
export function runTasks(kernel: Kernel, end: number, tick: () => boolean): Stop {
  for (;;) {
    if (kernel.halted) return 'halted';
    if (kernel.steps >= end || tick()) return 'budget';
    fireTimers(kernel);
    wakeReady(kernel);
    const task = choose(kernel);
    if (!task) {
      const deadline = nextDeadline(kernel);
      if (deadline !== undefined && deadline <= kernel.now) {
        kernel.stirred = true;
        continue;
      }
      return 'idle';
    }
    kernel.load(task);
    // A wake that was meant for this task is not lost to a signal: the call ends first.
    if ((deliverable(task) !== 0n || task.interrupted) && !task.call?.woken) {
      deliverSignals(kernel, task);
      if ((task.state as string) !== 'runnable' || kernel.halted) continue;
    }
    runOne(kernel, task, end);
  }
}

function runOne(kernel: Kernel, task: Task, end: number): void {
  const before = kernel.steps;
  const deadline = nextDeadline(kernel);
  const untilTimer = deadline === undefined ? Infinity : Number(kernel.stepsUntil(deadline));
  const steps = Math.min(end - before, kernel.turnEnd - before, Math.max(1, untilTimer), BURST);
  const exit = kernel.hart.run(steps);
  task.steps += BigInt(kernel.steps - before);
  if (untilTimer <= kernel.steps - before) kernel.stirred = true;
  if (exit === 'trap') handleTrap(kernel, task);
}

/** The loaded task until its turn is over, then the one that waits longest. */
function choose(kernel: Kernel): Task | undefined {
  const { loaded, queue } = kernel;
  if (loaded?.state === 'runnable' && !queue.includes(loaded)) {
    if (kernel.steps < kernel.turnEnd) return loaded;
    queue.push(loaded);
  }
  const next = queue.shift();
  if (next) kernel.turnEnd = kernel.steps + TURN;
  return next;
}

/** Blocked tasks whose wait is over become runnable, in the order of their numbers. */
function wakeReady(kernel: Kernel): void {
  if (!kernel.stirred) return;
  kernel.stirred = false;
  for (const task of kernel.tasks.values()) {
    if (task.state === 'blocked' && isReady(kernel, task)) kernel.makeRunnable(task);
  }
}

function isReady(kernel: Kernel, task: Task): boolean {
  const { wait } = task;
  if (!wait) return true;
  if (wait.deadline !== undefined && wait.deadline <= kernel.now) return true;
  if (task.call?.woken) return true;
  if (wait.files) {
    return wait.files.some(({ fd, events }) => {
      const description = task.files.find(fd);
      return !description || (description.file.poll() & events) !== 0;
    });
  }
  if (wait.children) return findChild(task, wait.children) !== undefined;
  if (wait.signals !== undefined) {
    return ((task.pending.mask | task.process.pending.mask) & wait.signals) !== 0n;
  }
  return false;
}

/** Interval timers that are due: SIGALRM. */
function fireTimers(kernel: Kernel): void {
  for (const process of kernel.processes.values()) {
    const { timer } = process;
    if (!timer || timer.deadline > kernel.now) continue;
    if (timer.interval > 0n) {
      const missed = (kernel.now - timer.deadline) / timer.interval + 1n;
      timer.deadline += timer.interval * missed;
    } else process.timer = undefined;
    signalProcess(kernel, process, fromKernel(Signal.SIGALRM));
  }
}

/** The next time at which something is due. */
export function nextDeadline(kernel: Kernel): bigint | undefined {
  let next: bigint | undefined;
  for (const task of kernel.tasks.values()) {
    const deadline = task.state === 'blocked' ? task.wait?.deadline : undefined;
    if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline;
  }
  for (const { timer } of kernel.processes.values()) {
    if (timer && (next === undefined || timer.deadline < next)) next = timer.deadline;
  }
  return next;
}
