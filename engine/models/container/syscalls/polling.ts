/** Waiting for several files: ppoll(2), pselect6(2). */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import { UNBLOCKABLE } from '../kernel/signal-numbers';
import { Blocked } from '../kernel/wait';
import { POLL } from '../vfs/constants';
import { address, int, size, uint } from './arguments';
import { descriptorLimit } from './limits';
import { call, family } from './table';
import { readTimespec } from './timespec';

interface Watched {
  readonly fd: number;
  readonly events: number;
}

const ALWAYS = POLL.ERR | POLL.HUP;

/** Events of a descriptor that hold now; NVAL when it is not open. */
export function pollNow(kernel: Kernel, { fd, events }: Watched): number {
  const description = kernel.current.files.find(fd);
  return description ? description.file.poll() & (events | ALWAYS) : POLL.NVAL;
}

/** On the first of several tries of the call: its deadline, and the mask that holds while it waits. */
export function beginWait(kernel: Kernel, timeout: bigint | undefined, mask: number, length: number): void {
  const task = kernel.current;
  if (task.call) return;
  let savedMask: bigint | undefined;
  if (mask !== 0) {
    if (length !== 8) throw new Errno('EINVAL');
    const set = kernel.memory.u64(mask) & ~UNBLOCKABLE;
    savedMask = task.blocked;
    task.blocked = set;
  }
  const deadline = timeout === undefined ? undefined : kernel.now + timeout;
  task.call = { deadline, progress: 0, woken: false, savedMask };
}

/** @returns when the time is over @throws Blocked */
export function waitForAny(kernel: Kernel, watched: readonly Watched[]): void {
  const deadline = kernel.current.call?.deadline;
  if (deadline !== undefined && kernel.now >= deadline) return;
  const files = watched.map(({ fd, events }) => ({ fd, events: events | ALWAYS }));
  throw new Blocked({ kind: 'files', files, deadline, restart: false });
}

/** struct pollfd: fd, events, revents. */
function ppoll(
  kernel: Kernel,
  at: number,
  count: number,
  timeout: number,
  mask: number,
  length: number,
): number {
  if (count > descriptorLimit(kernel.current)) throw new Errno('EINVAL');
  const bytes = kernel.memory.read(at, count * 8);
  const view = new DataView(bytes.buffer);
  beginWait(kernel, timeout === 0 ? undefined : readTimespec(kernel, timeout), mask, length);
  const watched: Watched[] = [];
  let ready = 0;
  for (let i = 0; i < count; i++) {
    const entry = { fd: view.getInt32(8 * i, true), events: view.getUint16(8 * i + 4, true) };
    const events = entry.fd < 0 ? 0 : pollNow(kernel, entry);
    if (entry.fd >= 0) watched.push(entry);
    view.setUint16(8 * i + 6, events, true);
    if (events !== 0) ready++;
  }
  if (ready === 0) waitForAny(kernel, watched);
  kernel.memory.write(at, bytes);
  return ready;
}

/** What each of select's three sets asks for, and what of it counts as ready. */
const sets = [
  { events: POLL.IN, ready: POLL.IN | POLL.HUP | POLL.ERR },
  { events: POLL.OUT, ready: POLL.OUT | POLL.ERR },
  { events: POLL.PRI, ready: POLL.PRI },
] as const;

function pselect6(
  kernel: Kernel,
  count: number,
  read: number,
  write: number,
  except: number,
  timeout: number,
  maskArgument: number,
): number {
  if (count < 0) throw new Errno('EINVAL');
  const limit = Math.min(count, descriptorLimit(kernel.current));
  const length = Math.ceil(limit / 64) * 8;
  const places = [read, write, except];
  const wanted = places.map((at) => (at === 0 ? new Uint8Array(length) : kernel.memory.read(at, length)));
  const mask = maskArgument === 0 ? 0 : kernel.memory.word(maskArgument);
  const maskLength = maskArgument === 0 ? 0 : kernel.memory.word(maskArgument + 8);
  beginWait(kernel, timeout === 0 ? undefined : readTimespec(kernel, timeout), mask, maskLength);
  const found = wanted.map(() => new Uint8Array(length));
  const watched: Watched[] = [];
  let ready = 0;
  for (let fd = 0; fd < limit; fd++) {
    sets.forEach(({ events, ready: counts }, i) => {
      if (((wanted[i]![fd >> 3] as number) & (1 << (fd & 7))) === 0) return;
      const now = pollNow(kernel, { fd, events });
      if (now & POLL.NVAL) throw new Errno('EBADF');
      watched.push({ fd, events });
      if ((now & counts) === 0) return;
      found[i]![fd >> 3]! |= 1 << (fd & 7);
      ready++;
    });
  }
  if (ready === 0) waitForAny(kernel, watched);
  places.forEach((at, i) => at !== 0 && kernel.memory.write(at, found[i] as Uint8Array));
  return ready;
}

export const polling = family('polling', [
  call(
    72,
    'pselect6',
    [
      int('nfds'),
      address('readfds'),
      address('writefds'),
      address('exceptfds'),
      address('timeout'),
      address('sigmask'),
    ],
    pselect6,
  ),
  call(
    73,
    'ppoll',
    [address('fds'), uint('nfds'), address('tmo_p'), address('sigmask'), size('sigsetsize')],
    ppoll,
  ),
]);
