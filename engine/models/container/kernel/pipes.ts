/** The container's pipes: how many there may be, and what they may hold of the host's memory. */
import { Errno } from '../errno';
import { PIPE_CAPACITY, Pipe } from '../ipc/pipe';
import type { Kernel } from './kernel';

/** Beyond the first the capacity is small, beyond the second there are no more (pipe(7), pipe-user-pages-soft). */
const MOST_LARGE = 1024;
const MOST = 16384;
const SMALL = 8192;

/** @throws Errno ENFILE */
export function createPipe(kernel: Kernel, name?: string): Pipe {
  const { pipes } = kernel;
  if (pipes.size >= MOST) throw new Errno('ENFILE');
  return keepPipe(kernel, kernel.nextId++, pipes.size < MOST_LARGE ? PIPE_CAPACITY : SMALL, name);
}

/** A pipe that is counted until its last end is closed. @param name under which a FIFO's ends find it */
export function keepPipe(kernel: Kernel, id: number, capacity: number, name?: string): Pipe {
  const pipe = new Pipe(id, capacity, name !== undefined, (unused) => {
    kernel.pipes.delete(unused);
    if (name !== undefined) kernel.fifos.delete(name);
  });
  kernel.pipes.add(pipe);
  if (name !== undefined) kernel.fifos.set(name, pipe);
  return pipe;
}
