/** New tasks: fork, vfork and threads. Linux: kernel/fork.c, clone(2). */
import { Errno } from '../errno';
import { OutOfMemory, PageTable } from '../mm/page-table';
import { UserMemory } from '../mm/user-memory';
import type { Kernel } from './kernel';
import { Process, Task } from './task';
import { Blocked } from './wait';

export const Clone = {
  VM: 0x100,
  FS: 0x200,
  FILES: 0x400,
  SIGHAND: 0x800,
  PIDFD: 0x1000,
  VFORK: 0x4000,
  PARENT: 0x8000,
  THREAD: 0x10000,
  NEWNS: 0x20000,
  SETTLS: 0x80000,
  PARENT_SETTID: 0x100000,
  CHILD_CLEARTID: 0x200000,
  CHILD_SETTID: 0x1000000,
  CLEAR_SIGHAND: 0x100000000,
} as const;

/** New namespaces within a container, and what else is not there. */
const REFUSED = 0x7e020000 | Clone.PIDFD;

export interface CloneArguments {
  /** CLONE_* without the exit signal; below 2^33. */
  readonly flags: number;
  readonly exitSignal: number;
  /** 0: the parent's. */
  readonly stack: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: bigint;
}

const has = (flags: number, bit: number): boolean => Math.floor(flags / bit) % 2 === 1;

/** @throws Errno; Blocked for a vfork, until the child has left its parent's memory */
export function clone(kernel: Kernel, args: CloneArguments): number {
  const parent = kernel.current;
  const { flags } = args;
  if (parent.call) {
    // The vfork is over; the child's number was kept as progress.
    if (parent.call.woken) return parent.call.progress;
    throw new Blocked({ kind: 'vfork', restart: true });
  }
  check(flags);
  const child = create(kernel, parent, args);
  if (!has(flags, Clone.VFORK)) return child.tid;
  child.vforkParent = parent;
  parent.call = { progress: child.tid, woken: false };
  throw new Blocked({ kind: 'vfork', restart: true });
}

function check(flags: number): void {
  if (has(flags, Clone.SIGHAND) && !has(flags, Clone.VM)) throw new Errno('EINVAL');
  if (has(flags, Clone.THREAD) && !has(flags, Clone.SIGHAND)) throw new Errno('EINVAL');
  if ((flags & REFUSED) !== 0) throw new Errno('EINVAL');
}

function create(kernel: Kernel, parent: Task, args: CloneArguments): Task {
  const { flags } = args;
  const context = kernel.hart.saveContext();
  const registers = new DataView(context.buffer);
  registers.setBigUint64(512, kernel.hart.pc + 4n, true);
  registers.setBigUint64(80, 0n, true); // a0
  if (args.stack !== 0) registers.setBigUint64(16, BigInt(args.stack), true);
  if (has(flags, Clone.SETTLS)) registers.setBigUint64(32, args.tls, true);

  const tid = kernel.allocatePid();
  const space = has(flags, Clone.VM) ? parent.space : forkSpace(kernel, parent);
  if (space === parent.space) space.users++;
  const files = has(flags, Clone.FILES) ? parent.files : parent.files.copy();
  if (files === parent.files) files.users++;
  const fileContext = has(flags, Clone.FS) ? parent.fileContext : parent.fileContext.copy();
  if (fileContext === parent.fileContext) fileContext.users++;
  const process = has(flags, Clone.THREAD) ? parent.process : createProcess(kernel, parent, tid, args);
  const child = new Task(
    tid,
    process,
    space,
    files,
    fileContext,
    has(flags, Clone.SIGHAND) ? parent.actions : parent.actions.copy(),
    { ...parent.credentials },
  );
  child.context = context;
  child.blocked = parent.blocked;
  child.name = parent.name;
  if (!has(flags, Clone.VM) || has(flags, Clone.VFORK)) child.alternateStack = { ...parent.alternateStack };
  if (has(flags, Clone.CHILD_CLEARTID)) child.clearChildTid = args.childTid;
  process.threads.add(child);
  kernel.tasks.set(tid, child);
  kernel.queue.push(child);
  tellTid(kernel, child, args);
  return child;
}

function tellTid(kernel: Kernel, child: Task, { flags, parentTid, childTid }: CloneArguments): void {
  try {
    if (has(flags, Clone.PARENT_SETTID)) kernel.memory.setU32(parentTid, child.tid);
    if (has(flags, Clone.CHILD_SETTID)) {
      new UserMemory(kernel.frames, () => child.space).setU32(childTid, child.tid);
    }
  } catch (error) {
    // As Linux does: the child exists, whatever became of the word.
    if (!(error instanceof Errno || error instanceof OutOfMemory)) throw error;
  }
}

function forkSpace(kernel: Kernel, parent: Task): Task['space'] {
  return parent.space.fork(PageTable.create(kernel.frames));
}

function createProcess(
  kernel: Kernel,
  creator: Task,
  pid: number,
  { flags, exitSignal }: CloneArguments,
): Process {
  const own = creator.process;
  const parent = has(flags, Clone.PARENT) ? own.parent : own;
  const process = new Process(pid, parent, own.group, own.session);
  process.limits = new Map(own.limits);
  process.command = own.command;
  process.commandLine = own.commandLine;
  process.executable = own.executable?.hold();
  process.environment = own.environment;
  process.auxiliary = own.auxiliary;
  process.exitSignal = exitSignal;
  process.started = kernel.now;
  parent?.children.add(process);
  kernel.processes.set(pid, process);
  return process;
}
