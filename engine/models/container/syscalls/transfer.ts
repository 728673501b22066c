/** Moving bytes between open files and user memory, with waiting and partial transfers: read(2), write(2). */
import { Errno } from '../errno';
import type { Description } from '../kernel/description';
import type { Kernel } from '../kernel/kernel';
import { Blocked } from '../kernel/wait';
import { Prot } from '../mm/area';
import { O, POLL } from '../vfs/constants';
import { WOULD_BLOCK, type WouldBlock } from '../vfs/open-file';

/** MAX_RW_COUNT: more is moved by further calls. */
const MOST = 0x7ffff000;
/** Bytes that are copied at once. */
const CHUNK = 1 << 17;

export interface Buffer {
  readonly address: number;
  readonly length: number;
}

/** struct iovec, twice eight bytes. @throws Errno EINVAL, EFAULT */
export function vectors(kernel: Kernel, address: number, count: number): Buffer[] {
  if (count < 0 || count > 1024) throw new Errno('EINVAL');
  const found: Buffer[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const buffer = {
      address: kernel.memory.word(address + 16 * i),
      length: kernel.memory.word(address + 16 * i + 8),
    };
    if (buffer.length >= 2 ** 63) throw new Errno('EINVAL');
    const length = Math.min(buffer.length, MOST - total);
    total += length;
    found.push({ ...buffer, length });
  }
  return found;
}

const blocked = (fd: number, events: number): Blocked =>
  new Blocked({ kind: 'files', files: [{ fd, events: events | POLL.ERR | POLL.HUP }], restart: true });

type Read = (into: Uint8Array, done: number) => number | WouldBlock;
type Write = (from: Uint8Array, done: number) => number | WouldBlock;

/** Reads until the buffers are full, the file gives less, or nothing is there. */
export function readInto(kernel: Kernel, fd: number, buffers: readonly Buffer[], read: Read): number {
  const { file } = kernel.current.files.get(fd);
  let done = 0;
  for (const { address, length } of buffers) {
    for (let at = 0; at < length;) {
      const wanted = Math.min(CHUNK, length - at);
      // What cannot be put anywhere must not be taken out of a pipe.
      const size = kernel.memory.reachable(address + at, wanted, Prot.write);
      if (size === 0) {
        if (done > 0) return done;
        throw new Errno('EFAULT');
      }
      const bytes = new Uint8Array(size);
      let count: number | WouldBlock;
      try {
        count = read(bytes, done);
      } catch (error) {
        if (error instanceof Errno && done > 0) return done;
        throw error;
      }
      if (count === WOULD_BLOCK) {
        if (done > 0) return done;
        if (file.flags & O.NONBLOCK) throw new Errno('EAGAIN');
        throw blocked(fd, POLL.IN);
      }
      kernel.memory.write(address + at, bytes.subarray(0, count));
      done += count;
      at += count;
      if (count < size) return done;
    }
  }
  if (buffers.every(({ length }) => length === 0)) read(new Uint8Array(0), 0);
  return done;
}

/** Writes everything; what went already is kept in the task while it waits for room. */
export function writeFrom(kernel: Kernel, fd: number, buffers: readonly Buffer[], write: Write): number {
  const task = kernel.current;
  const { file } = task.files.get(fd);
  let done = task.call?.progress ?? 0;
  let skip = done;
  let empty = true;
  for (const { address, length } of buffers) {
    if (length > 0) empty = false;
    const first = Math.min(skip, length);
    skip -= first;
    for (let at = first; at < length;) {
      const size = kernel.memory.reachable(address + at, Math.min(CHUNK, length - at), Prot.read);
      if (size === 0) {
        if (done > 0) return done;
        throw new Errno('EFAULT');
      }
      let count: number | WouldBlock;
      try {
        count = write(kernel.memory.read(address + at, size), done);
      } catch (error) {
        if (error instanceof Errno && done > 0) return done;
        throw error;
      }
      if (count === WOULD_BLOCK) {
        if (file.flags & O.NONBLOCK) {
          if (done > 0) return done;
          throw new Errno('EAGAIN');
        }
        task.call = { ...(task.call ?? { woken: false }), progress: done };
        throw blocked(fd, POLL.OUT);
      }
      done += count;
      at += count;
      if (count === 0) return done;
    }
  }
  if (empty) write(new Uint8Array(0), 0);
  return done;
}

/** A mapped file sees what is written to it, and a read sees what was stored to the mapping. */
export function syncMapped(
  kernel: Kernel,
  description: Description,
  offset: number,
  length: number,
  how: 'read' | 'written',
): void {
  if (kernel.objects.size === 0) return;
  const { inode } = description.file;
  for (const object of kernel.objects.values()) {
    const mapped = object.file?.file.inode;
    if (!mapped || mapped.ino !== inode.ino || mapped.fileSystem !== inode.fileSystem) continue;
    if (how === 'read') object.writeBack();
    else object.refresh(offset, length);
  }
}
