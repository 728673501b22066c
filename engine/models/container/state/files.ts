/** Open files to saved state and back, by kind. */
import { StateError } from '../../../snapshot/errors';
import type { EventRunner } from '../events';
import { ResultFile } from '../events';
import { EpollFile } from '../ipc/epoll';
import { EventCounter } from '../ipc/event-counter';
import { type Pipe, PipeEnd } from '../ipc/pipe';
import { SocketEnd } from '../ipc/socket-pair';
import { Description } from '../kernel/description';
import type { Kernel } from '../kernel/kernel';
import { broken } from '../syscalls/ipc';
import { TerminalFile } from '../tty/terminal-file';
import { O } from '../vfs/constants';
import type { Location } from '../vfs/location';
import { type OpenFile, WOULD_BLOCK } from '../vfs/open-file';
import type { description, location } from './layouts';
import type { Saved } from './layouts';

export type SavedLocation = Saved<typeof location>;
export type SavedDescription = Saved<typeof description>;

/** What an open must not do a second time. */
const ONCE = O.CREAT | O.EXCL | O.TRUNC | O.NOFOLLOW;

export const saveLocation = ({ mount, inode, entry }: Location): SavedLocation => ({
  mount: mount.id,
  ino: inode.ino,
  parent: entry?.parent.ino ?? 0,
  name: entry?.name ?? '',
});

export function restoreLocation(kernel: Kernel, saved: SavedLocation): Location {
  const mount = kernel.files.vfs.namespace.mountOf(saved.mount);
  const inode = mount?.fileSystem.inode(saved.ino);
  if (!mount || !inode) {
    throw new StateError(
      `container: no file ${saved.ino} in mount ${saved.mount}; the saved state is damaged`,
    );
  }
  const parent = saved.parent === 0 ? undefined : mount.fileSystem.inode(saved.parent);
  return { mount, inode, entry: parent && { parent, name: saved.name } };
}

export function saveDescription({ file }: Description): SavedDescription {
  const common = { flags: file.flags, offset: file.offset, id: 0, value: 0n, pipes: [] };
  if (file instanceof PipeEnd) {
    const { pipe } = file;
    return {
      ...common,
      kind: 'pipe',
      id: pipe.id,
      location: pipe.named ? saveLocation(file.location) : undefined,
    };
  }
  if (file instanceof EventCounter) {
    const kind = file.semaphore ? 'semaphore' : 'counter';
    return { ...common, kind, id: file.id, value: file.count, location: undefined };
  }
  if (file instanceof SocketEnd) {
    const pipes = [file.incoming.id, file.outgoing.id];
    return { ...common, kind: 'socket', id: file.id, pipes, location: undefined };
  }
  if (file instanceof EpollFile) return { ...common, kind: 'epoll', id: file.id, location: undefined };
  if (file instanceof ResultFile) return { ...common, kind: 'result', id: file.id, location: undefined };
  const kind = file instanceof TerminalFile ? 'terminal' : 'file';
  return { ...common, kind, location: saveLocation(file.location) };
}

interface RestoreContext {
  readonly kernel: Kernel;
  readonly pipes: ReadonlyMap<number, Pipe>;
  readonly events: EventRunner;
}
type Restorer = (context: RestoreContext, saved: SavedDescription) => OpenFile;

const needed = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new StateError(`container: ${what} is missing; the saved state is damaged`);
  return value;
};

const restorers: Readonly<Record<string, Restorer>> = {
  pipe: ({ kernel, pipes }, { id, flags, location: at }) => {
    const pipe = needed(pipes.get(id), `pipe ${id}`);
    if (!at) return new PipeEnd(pipe, flags, undefined, broken(kernel));
    return new PipeEnd(pipe, flags, restoreLocation(kernel, at), broken(kernel));
  },
  counter: (_context, { id, value, flags }) => new EventCounter(id, value, false, flags & O.NONBLOCK),
  semaphore: (_context, { id, value, flags }) => new EventCounter(id, value, true, flags & O.NONBLOCK),
  socket: ({ kernel, pipes }, { id, flags, pipes: ids }) => {
    const [incoming, outgoing] = ids.map((one) => needed(pipes.get(one), `pipe ${one}`));
    const into = needed(incoming, 'a pipe of a socket');
    return new SocketEnd(
      id,
      into,
      needed(outgoing, 'a pipe of a socket'),
      flags & O.NONBLOCK,
      broken(kernel),
    );
  },
  epoll: (_context, { id }) => new EpollFile(id),
  result: ({ events }, { id }) => new ResultFile(id, events),
  terminal: ({ kernel }, { location: at, flags }) =>
    new TerminalFile(kernel, restoreLocation(kernel, needed(at, 'the place of a terminal')), flags),
  file: ({ kernel }, { location: at, flags }) => {
    const place = restoreLocation(kernel, needed(at, 'the place of a file'));
    const everything = { root: place, cwd: place, umask: 0, credentials: { uid: 0, gid: 0, groups: [] } };
    const opened = kernel.files.vfs.openLocation(everything, place, flags & ~ONCE);
    if (opened === WOULD_BLOCK) throw new StateError('container: an open file cannot be opened again');
    return opened;
  },
};

/** A description that nobody refers to yet. @throws StateError */
export function restoreDescription(context: RestoreContext, saved: SavedDescription): Description {
  const restorer = restorers[saved.kind];
  if (!restorer) throw new StateError(`container: no kind of file is called ${JSON.stringify(saved.kind)}`);
  const file = restorer(context, saved);
  file.flags = saved.flags;
  file.offset = saved.offset;
  return new Description(file, 0);
}
