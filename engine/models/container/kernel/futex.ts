/** Sleeping on a word of user memory: futex(2). */
import { Errno } from '../errno';
import type { AddressSpace } from '../mm/address-space';
import type { Kernel } from './kernel';
import type { Task } from './task';
import { Blocked } from './wait';

/** Two addresses are the same futex when they are the same word of a shared object, or of one address space. */
export function futexKey(space: AddressSpace, address: number): string {
  const area = space.areas.find(address);
  if (!area) throw new Errno('EFAULT');
  // The root frame names the space: it is its own as long as the space lives.
  return area.object
    ? `object ${area.object.id} ${area.offset + address - area.start}`
    : `space ${space.table.root} ${address}`;
}

/** @throws Blocked until woken; Errno EAGAIN when the word is not `expected`, ETIMEDOUT */
export function waitFutex(
  kernel: Kernel,
  task: Task,
  address: number,
  expected: number,
  bits: number,
  deadline: bigint | undefined,
): number {
  if (address % 4 !== 0 || bits === 0) throw new Errno('EINVAL');
  const { call } = task;
  if (call?.woken) return 0;
  if (call) {
    if (call.deadline !== undefined && kernel.now >= call.deadline) throw new Errno('ETIMEDOUT');
  } else if (kernel.memory.u32(address) !== expected) {
    throw new Errno('EAGAIN');
  }
  const key = futexKey(task.space, address);
  const until = call ? call.deadline : deadline;
  task.call = { deadline: until, progress: 0, woken: false };
  throw new Blocked({ kind: 'futex', futex: { key, bits }, deadline: until, restart: until === undefined });
}

/** Wakes at most `count` sleepers, in the order of their numbers; returns how many. */
export function wakeFutex(
  kernel: Kernel,
  space: AddressSpace,
  address: number,
  count: number,
  bits: number,
): number {
  const key = futexKey(space, address);
  let woken = 0;
  for (const task of sleepers(kernel, key)) {
    if (woken >= count) break;
    if (((task.wait?.futex?.bits ?? 0) & bits) === 0) continue;
    if (task.call) task.call.woken = true;
    woken++;
  }
  kernel.stirred ||= woken > 0;
  return woken;
}

/** FUTEX_REQUEUE: wakes some, and lets others sleep on another word. */
export function requeueFutex(
  kernel: Kernel,
  space: AddressSpace,
  from: number,
  wake: number,
  to: number,
  move: number,
): { woken: number; moved: number } {
  const woken = wakeFutex(kernel, space, from, wake, 0xffffffff);
  const target = futexKey(space, to);
  let moved = 0;
  for (const task of sleepers(kernel, futexKey(space, from))) {
    if (moved >= move) break;
    if (task.wait?.futex) task.wait = { ...task.wait, futex: { ...task.wait.futex, key: target } };
    moved++;
  }
  return { woken, moved };
}

const sleepers = (kernel: Kernel, key: string): Task[] =>
  [...kernel.tasks.values()].filter((task) => task.wait?.futex?.key === key && !task.call?.woken);
