/** The kernel's state as canonical bytes. */
import { EpollFile } from '../ipc/epoll';
import type { Description } from '../kernel/description';
import type { FileContext } from '../kernel/file-context';
import type { FileTable } from '../kernel/file-table';
import type { Kernel } from '../kernel/kernel';
import type { SignalActions } from '../kernel/signal-state';
import type { Process, TaskState } from '../kernel/task';
import { type Wait, waitKinds } from '../kernel/wait';
import type { AddressSpace } from '../mm/address-space';
import type { FileSystem } from '../vfs/file-system';
import { saveDescription, saveLocation } from './files';
import { type Saved, type epollSet, kernelLayout, type process, type task, type wait } from './layouts';
import { Pool } from './pool';

export const taskStates: readonly TaskState[] = ['runnable', 'blocked', 'stopped', 'dead'];

export function saveKernel(kernel: Kernel, fileSystems: readonly FileSystem[]): Uint8Array {
  const descriptions = new Pool<Description>();
  const spaces = new Pool<AddressSpace>();
  const tables = new Pool<FileTable>();
  const contexts = new Pool<FileContext>();
  const actions = new Pool<SignalActions>();
  const { loaded, hart, terminal } = kernel;
  const alive = loaded && loaded.state !== 'dead' ? loaded : undefined;
  if (alive) alive.context = hart.saveContext();

  const tasks = [...kernel.tasks.values()].map((one): Saved<typeof task> => ({
    tid: one.tid,
    process: one.process.pid,
    space: spaces.number(one.space),
    files: tables.number(one.files),
    fileContext: contexts.number(one.fileContext),
    actions: actions.number(one.actions),
    credentials: { ...one.credentials, groups: [...one.credentials.groups] },
    state: taskStates.indexOf(one.state),
    context: one.context,
    blocked: one.blocked,
    pending: one.pending.queue,
    alternateStack: one.alternateStack,
    clearChildTid: one.clearChildTid,
    robustList: one.robustList,
    steps: one.steps,
    name: one.name,
    vforkParent: one.vforkParent?.tid ?? 0,
    parentDeathSignal: one.parentDeathSignal,
    wait: saveWait(one.wait),
    call: one.call && { savedMask: undefined, deadline: undefined, ...one.call },
    interrupted: saveWait(one.interrupted),
  }));
  const processes = [...kernel.processes.values()].map((one) => saveProcess(one, descriptions));
  const savedTables = tables.items.map((table) =>
    table.entries.map(([fd, { description, closeOnExec }]) => ({
      fd,
      description: descriptions.number(description),
      closeOnExec,
    })),
  );
  const savedSpaces = spaces.items.map((space) => ({
    root: space.table.root,
    breakStart: space.programBreakStart,
    break: space.programBreak,
    areas: space.areas.all.map(({ start, end, prot, file, object, offset, label }) => ({
      start,
      end,
      prot,
      description: file && descriptions.number(file),
      object: object?.id,
      offset,
      label,
    })),
  }));
  const objects = [...kernel.objects.values()].map(({ id, file, pages }) => ({
    id,
    description: file && descriptions.number(file),
    pages: [...pages].sort(([a], [b]) => a - b).map(([page, frame]) => ({ page, frame })),
  }));
  // A set may hold what nothing before has named: the list of descriptions grows while it is gone through.
  const epollSets: Saved<typeof epollSet>[] = [];
  for (let i = 0; i < descriptions.items.length; i++) {
    const file = descriptions.items[i]?.file;
    if (file instanceof EpollFile) epollSets.push(saveEpoll(file, descriptions));
  }
  const names = new Map([...kernel.fifos].map(([name, { id }]) => [id, name]));
  return kernelLayout.encode({
    hart: hart.saveState(),
    fileSystems: fileSystems.map((fileSystem) => fileSystem.save()),
    nextPid: kernel.nextPid,
    nextId: kernel.nextId,
    loaded: alive?.tid ?? 0,
    turnEnd: kernel.turnEnd,
    epoch: kernel.epoch,
    hostname: kernel.hostname,
    domainName: kernel.domainName,
    halted: kernel.halted && { failure: kernel.halted.how === 'failure', code: kernel.halted.code },
    terminal: {
      termios: terminal.termios,
      windowSize: [...terminal.windowSize],
      foreground: terminal.foreground,
      session: terminal.session,
      line: Uint8Array.from(terminal.line),
      waiting: terminal.waiting,
    },
    counters: [...kernel.counters]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => ({ name, count })),
    descriptions: descriptions.items.map(saveDescription),
    pipes: [...kernel.pipes].map(({ id, capacity, contents }) => ({
      id,
      capacity,
      name: names.get(id),
      contents,
    })),
    epollSets,
    objects,
    spaces: savedSpaces,
    fileTables: savedTables,
    fileContexts: contexts.items.map(({ root, cwd, umask }) => ({
      root: saveLocation(root),
      cwd: saveLocation(cwd),
      umask,
    })),
    actions: actions.items.map(({ entries }) => entries.map(([signal, action]) => ({ signal, ...action }))),
    processes,
    tasks,
    queue: kernel.queue.map(({ tid }) => tid),
  });
}

function saveProcess(one: Process, descriptions: Pool<Description>): Saved<typeof process> {
  return {
    pid: one.pid,
    parent: one.parent?.pid ?? 0,
    group: one.group,
    session: one.session,
    exitStatus: one.exitStatus,
    exiting: one.exiting,
    stopped: one.stopped,
    report: one.report,
    timer: one.timer,
    spentSteps: one.spentSteps,
    childSteps: one.childSteps,
    limits: [...one.limits]
      .sort(([a], [b]) => a - b)
      .map(([resource, { current, maximum }]) => ({ resource, current, maximum })),
    command: one.command,
    commandLine: one.commandLine,
    environment: one.environment,
    auxiliary: one.auxiliary,
    executable: one.executable && descriptions.number(one.executable),
    exitSignal: one.exitSignal,
    started: one.started,
    subreaper: one.subreaper,
    children: [...one.children].map(({ pid }) => pid),
    pending: one.pending.queue,
  };
}

const saveEpoll = (
  { id, interests }: EpollFile,
  descriptions: Pool<Description>,
): Saved<typeof epollSet> => ({
  id,
  interests: interests
    .filter(({ description }) => description.open)
    .map(({ fd, description, events, data, armed }) => ({
      fd,
      description: descriptions.number(description),
      events,
      data,
      armed,
    })),
});

function saveWait(one: Wait | undefined): Saved<typeof wait> | undefined {
  return (
    one && {
      kind: waitKinds.indexOf(one.kind),
      files: one.files && [...one.files],
      children: one.children,
      futex: one.futex,
      signals: one.signals,
      deadline: one.deadline,
      restart: one.restart,
      remainder: one.remainder,
    }
  );
}
