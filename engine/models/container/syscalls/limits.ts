/** Resource limits, getrlimit(2): which there are, and how they begin. */
import type { Limit, Task } from '../kernel/task';

export const INFINITY = (1n << 64n) - 1n;
export const LIMITS = 16;
const STACK = 3;
const CORE = 4;
const PROCESSES = 6;
const DESCRIPTORS = 7;
const MOST_DESCRIPTORS = 1024;

export function limitOf(task: Task, resource: number): Limit {
  const known = task.process.limits.get(resource);
  if (known) return known;
  if (resource === STACK) return { current: 8n << 20n, maximum: INFINITY };
  if (resource === CORE) return { current: 0n, maximum: INFINITY };
  if (resource === DESCRIPTORS) return { current: BigInt(MOST_DESCRIPTORS), maximum: 4096n };
  if (resource === PROCESSES) return { current: INFINITY, maximum: INFINITY };
  return { current: INFINITY, maximum: INFINITY };
}

export const descriptorLimit = (task: Task): number => Number(limitOf(task, DESCRIPTORS).current);
