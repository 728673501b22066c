/** Times in user memory: struct timespec and struct timeval, twice eight bytes. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';

export const SECOND = 1_000_000_000n;

/** Nanoseconds. @throws Errno EINVAL, EFAULT */
export function readTimespec(kernel: Kernel, at: number): bigint {
  const seconds = kernel.memory.i64(at);
  const nanoseconds = kernel.memory.i64(at + 8);
  if (seconds < 0n || nanoseconds < 0n || nanoseconds >= SECOND) throw new Errno('EINVAL');
  // As Linux does (KTIME_MAX): what is beyond 292 years is for ever.
  const time = seconds * SECOND + nanoseconds;
  return time < 1n << 62n ? time : 1n << 62n;
}
export function writeTimespec(kernel: Kernel, at: number, time: bigint): void {
  const words = new BigInt64Array([time / SECOND, time % SECOND]);
  kernel.memory.write(at, new Uint8Array(words.buffer));
}
export function writeTimeval(kernel: Kernel, at: number, time: bigint): void {
  const words = new BigInt64Array([time / SECOND, (time % SECOND) / 1000n]);
  kernel.memory.write(at, new Uint8Array(words.buffer));
}
export function readTimeval(kernel: Kernel, at: number): bigint {
  const seconds = kernel.memory.i64(at);
  const microseconds = kernel.memory.i64(at + 8);
  if (seconds < 0n || microseconds < 0n || microseconds >= 1_000_000n) throw new Errno('EINVAL');
  const time = seconds * SECOND + microseconds * 1000n;
  return time < 1n << 62n ? time : 1n << 62n;
}
