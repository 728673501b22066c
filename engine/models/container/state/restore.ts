/** The kernel's state from saved bytes. Counts of references are not saved: they are counted anew. */
import { StateError } from '../../../snapshot/errors';
import type { EventRunner } from '../events';
import type { FileStore } from '../fsimpl/file-store';
import { EpollFile } from '../ipc/epoll';
import type { Pipe } from '../ipc/pipe';
import type { Description } from '../kernel/description';
import { FileContext } from '../kernel/file-context';
import { FileTable } from '../kernel/file-table';
import type { Kernel } from '../kernel/kernel';
import { keepPipe } from '../kernel/pipes';
import { SignalActions } from '../kernel/signal-state';
import { Process, Task } from '../kernel/task';
import { type Wait, waitKinds } from '../kernel/wait';
import { AddressSpace } from '../mm/address-space';
import { PageTable } from '../mm/page-table';
import { SharedObject } from '../mm/shared-object';
import type { FileSystem } from '../vfs/file-system';
import { restoreDescription, restoreLocation } from './files';
import { type Saved, kernelLayout, type process, type wait } from './layouts';
import { taskStates } from './save';

type SavedKernel = ReturnType<typeof kernelLayout.decode>;

function at<T>(items: readonly T[], index: number, what: string): T {
  const found = items[index];
  if (found === undefined) throw new StateError(`container: no ${what} ${index}; the saved state is damaged`);
  return found;
}

/** @throws StateError when the payload is malformed or of another container */
export function restoreKernel(
  kernel: Kernel,
  fileSystems: readonly FileSystem[],
  store: FileStore,
  payload: Uint8Array,
  events: EventRunner,
): void {
  const saved = kernelLayout.decode(payload);
  kernel.hart.restoreState(saved.hart);
  kernel.frames.forget();
  store.forget();
  fileSystems.forEach((fileSystem, i) => fileSystem.restore(at(saved.fileSystems, i, 'file system')));
  restoreScalars(kernel, saved);

  kernel.fifos.clear();
  kernel.pipes.clear();
  const pipes = new Map(saved.pipes.map((one) => [one.id, restorePipe(kernel, one)]));
  const descriptions = saved.descriptions.map((one) => restoreDescription({ kernel, pipes, events }, one));
  restoreEpollSets(saved, descriptions);
  const objects = restoreObjects(kernel, saved, descriptions);
  const spaces = restoreSpaces(kernel, saved, descriptions, objects);
  const tables = saved.fileTables.map((rows) => {
    const table = new FileTable();
    for (const { fd, description, closeOnExec } of rows) {
      table.set(fd, at(descriptions, description, 'open file').hold(), closeOnExec);
    }
    return table;
  });
  const contexts = saved.fileContexts.map(
    ({ root, cwd, umask }) =>
      new FileContext(restoreLocation(kernel, root), restoreLocation(kernel, cwd), umask),
  );
  const actions = saved.actions.map(
    (rows) => new SignalActions(new Map(rows.map(({ signal, ...action }) => [signal, action]))),
  );
  restoreProcesses(kernel, saved, descriptions);
  restoreTasks(kernel, saved, { spaces, tables, contexts, actions });
  for (const fileSystem of fileSystems) fileSystem.dropUnreferenced();
}

function restoreScalars(kernel: Kernel, saved: SavedKernel): void {
  const { terminal } = kernel;
  kernel.nextPid = saved.nextPid;
  kernel.nextId = saved.nextId;
  kernel.turnEnd = saved.turnEnd;
  kernel.epoch = saved.epoch;
  kernel.hostname = saved.hostname;
  kernel.domainName = saved.domainName;
  kernel.stirred = true;
  kernel.halted = saved.halted && {
    how: saved.halted.failure ? 'failure' : 'power-off',
    code: saved.halted.code,
  };
  kernel.counters.clear();
  for (const { name, count } of saved.counters) kernel.counters.set(name, count);
  terminal.termios = saved.terminal.termios;
  terminal.windowSize = Uint16Array.from(saved.terminal.windowSize);
  terminal.foreground = saved.terminal.foreground;
  terminal.session = saved.terminal.session;
  terminal.line = [...saved.terminal.line];
  terminal.waiting = saved.terminal.waiting;
}

function restoreEpollSets(saved: SavedKernel, descriptions: readonly Description[]): void {
  const sets = new Map(saved.epollSets.map(({ id, interests }) => [id, interests]));
  for (const { file } of descriptions) {
    if (!(file instanceof EpollFile)) continue;
    file.interests = (sets.get(file.id) ?? []).map(({ description, ...interest }) => ({
      ...interest,
      description: at(descriptions, description, 'open file'),
    }));
  }
}

function restorePipe(kernel: Kernel, { id, capacity, name, contents }: SavedKernel['pipes'][number]): Pipe {
  if (contents.length > capacity) throw new StateError(`container: pipe ${id} holds more than it can`);
  const pipe = keepPipe(kernel, id, capacity, name);
  pipe.put(contents);
  return pipe;
}

/** A frame that something refers to. @throws StateError when RAM has no such frame */
function hold(kernel: Kernel, frame: number): void {
  if (!(frame >= 0 && frame < kernel.frames.total)) {
    throw new StateError(
      `container: page frame ${frame} of ${kernel.frames.total}; the saved state is damaged`,
    );
  }
  kernel.frames.hold(frame);
}

function restoreObjects(
  kernel: Kernel,
  saved: SavedKernel,
  descriptions: readonly Description[],
): Map<number, SharedObject> {
  kernel.objects.clear();
  for (const { id, description, pages } of saved.objects) {
    const file = description === undefined ? undefined : at(descriptions, description, 'open file').hold();
    const object = new SharedObject(id, file, kernel.frames, () => {
      kernel.objects.delete(id);
      file?.release();
    });
    for (const { page, frame } of pages) {
      hold(kernel, frame);
      object.pages.set(page, frame);
    }
    kernel.objects.set(id, object);
  }
  return kernel.objects;
}

function restoreSpaces(
  kernel: Kernel,
  saved: SavedKernel,
  descriptions: readonly Description[],
  objects: ReadonlyMap<number, SharedObject>,
): AddressSpace[] {
  return saved.spaces.map(({ root, breakStart, break: end, areas }) => {
    const space = new AddressSpace(new PageTable(kernel.frames, root), kernel.frames, kernel.forgetPage);
    space.users = 0;
    space.programBreakStart = breakStart;
    space.programBreak = end;
    for (const area of areas) {
      const file =
        area.description === undefined ? undefined : at(descriptions, area.description, 'open file').hold();
      const object = area.object === undefined ? undefined : objects.get(area.object);
      if (area.object !== undefined && !object)
        throw new StateError(`container: no shared memory ${area.object}`);
      object?.hold();
      const { start, end: stop, prot, offset, label } = area;
      space.areas.insert({ start, end: stop, prot, file, object, offset, label });
    }
    hold(kernel, root);
    let first = true;
    space.table.walk((frame) => {
      if (!first) hold(kernel, frame);
      first = false;
    });
    return space;
  });
}

function restoreProcess(one: Saved<typeof process>, descriptions: readonly Description[]): Process {
  const restored = new Process(one.pid, undefined, one.group, one.session);
  const { exitStatus, exiting, stopped, report, timer, spentSteps, childSteps } = one;
  const { command, commandLine, environment, auxiliary, exitSignal, started, subreaper } = one;
  Object.assign(restored, { exitStatus, exiting, stopped, report, timer, spentSteps, childSteps });
  Object.assign(restored, { command, commandLine, environment, auxiliary, exitSignal, started, subreaper });
  restored.limits = new Map(one.limits.map(({ resource, ...limit }) => [resource, limit]));
  if (one.executable !== undefined)
    restored.executable = at(descriptions, one.executable, 'open file').hold();
  restored.pending.queue = one.pending;
  return restored;
}

function restoreProcesses(kernel: Kernel, saved: SavedKernel, descriptions: readonly Description[]): void {
  const { processes } = kernel;
  processes.clear();
  for (const one of saved.processes) processes.set(one.pid, restoreProcess(one, descriptions));
  for (const { pid, parent, children } of saved.processes) {
    const restored = processes.get(pid);
    if (!restored) continue;
    restored.parent = processes.get(parent);
    for (const child of children) {
      const found = processes.get(child);
      if (found) restored.children.add(found);
    }
  }
}

interface Shared {
  readonly spaces: readonly AddressSpace[];
  readonly tables: readonly FileTable[];
  readonly contexts: readonly FileContext[];
  readonly actions: readonly SignalActions[];
}

function restoreTasks(
  kernel: Kernel,
  saved: SavedKernel,
  { spaces, tables, contexts, actions }: Shared,
): void {
  const { tasks, queue } = kernel;
  tasks.clear();
  queue.length = 0;
  for (const table of tables) table.users = 0;
  for (const context of contexts) context.users = 0;
  for (const one of saved.tasks) {
    const owner = kernel.processes.get(one.process);
    if (!owner) throw new StateError(`container: task ${one.tid} has no process; the saved state is damaged`);
    const space = at(spaces, one.space, 'address space');
    const files = at(tables, one.files, 'descriptor table');
    const context = at(contexts, one.fileContext, 'file context');
    const task = new Task(
      one.tid,
      owner,
      space,
      files,
      context,
      at(actions, one.actions, 'table of signal handlers'),
      one.credentials,
    );
    space.users++;
    files.users++;
    context.users++;
    const { blocked, alternateStack, clearChildTid, robustList, steps, name, parentDeathSignal, call } = one;
    Object.assign(task, {
      blocked,
      alternateStack,
      clearChildTid,
      robustList,
      steps,
      name,
      parentDeathSignal,
      call,
    });
    task.context = one.context;
    task.state = at(taskStates, one.state, 'task state');
    task.pending.queue = one.pending;
    task.wait = restoreWait(one.wait);
    task.interrupted = restoreWait(one.interrupted);
    owner.threads.add(task);
    tasks.set(one.tid, task);
  }
  for (const { tid, vforkParent } of saved.tasks) {
    const task = tasks.get(tid);
    if (task) task.vforkParent = tasks.get(vforkParent);
  }
  for (const tid of saved.queue) {
    const task = tasks.get(tid);
    if (task) queue.push(task);
  }
  kernel.loaded = tasks.get(saved.loaded);
}

function restoreWait(saved: Saved<typeof wait> | undefined): Wait | undefined {
  return saved && { ...saved, kind: at(waitKinds, saved.kind, 'kind of wait') };
}
