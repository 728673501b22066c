/** Making processes, replacing their programs, ending and awaiting them. */
import { Errno } from '../errno';
import { clone } from '../kernel/clone';
import { exec } from '../kernel/exec';
import { exitGroup, exitTask, reap } from '../kernel/exit';
import type { Kernel } from '../kernel/kernel';
import {
  type ChildEvent,
  type ChildSelector,
  Option,
  WaitFor,
  checkChildren,
  findChild,
} from '../kernel/wait-child';
import { Blocked } from '../kernel/wait';
import { writeInfo } from '../kernel/signal-frame';
import { stepsToTime } from './resources';
import { writeTimeval } from './timespec';
import { address, fd, flags, int, path, size, word } from './arguments';
import { AtFlags } from './status';
import { call, family } from './table';

/** MAX_ARG_STRLEN times what Linux allows of the stack: a quarter of 8 MiB. */
const MOST_ARGUMENTS = 2 * 2 ** 20;
const SIGNAL_MASK = 0xff;
const P_PIDFD = 3;
const CONTINUED = 0xffff;

function clone2(
  kernel: Kernel,
  raw: bigint,
  stack: number,
  parentTid: number,
  tls: bigint,
  childTid: number,
): number {
  const value = Number(BigInt.asUintN(32, raw));
  return clone(kernel, {
    flags: (value & ~SIGNAL_MASK) >>> 0,
    exitSignal: value & SIGNAL_MASK & 63,
    stack,
    parentTid,
    childTid,
    tls,
  });
}

/** struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, ... */
function clone3(kernel: Kernel, at: number, length: number): number {
  if (length < 64 || length > 4096) throw new Errno(length < 64 ? 'EINVAL' : 'E2BIG');
  const field = (index: number): bigint => kernel.memory.u64(at + 8 * index);
  const how = field(0);
  if (how >= 1n << 33n || (how & 0xffn) !== 0n || field(4) > 64n) throw new Errno('EINVAL');
  if (length >= 80 && field(9) !== 0n) throw new Errno('EINVAL'); // set_tid
  const stack = Number(field(5));
  return clone(kernel, {
    flags: Number(how),
    exitSignal: Number(field(4)),
    stack: stack === 0 ? 0 : stack + Number(field(6)),
    parentTid: Number(field(3)),
    childTid: Number(field(2)),
    tls: field(7),
  });
}

function execveat(
  kernel: Kernel,
  dirfd: number,
  name: string,
  argv: number,
  envp: number,
  how: number,
): void {
  const task = kernel.current;
  const program = {
    path: name,
    argv: kernel.memory.strings(argv, MOST_ARGUMENTS),
    envp: kernel.memory.strings(envp, MOST_ARGUMENTS),
  };
  if (name === '' && !(how & AtFlags.AT_EMPTY_PATH)) throw new Errno('ENOENT');
  const follow = !(how & AtFlags.AT_SYMLINK_NOFOLLOW);
  exec(kernel, task, { ...program, file: kernel.files.openExecutable(task, name, dirfd, follow) });
}

/** Waits for what the selector says; takes it unless NOWAIT. @returns undefined with NOHANG when there is nothing */
function waitChild(kernel: Kernel, selector: ChildSelector): ChildEvent | undefined {
  const task = kernel.current;
  checkChildren(task, selector);
  const found = findChild(task, selector);
  if (!found) {
    if (selector.options & Option.NOHANG) return undefined;
    throw new Blocked({ kind: 'child', children: selector, restart: true });
  }
  return found;
}

function take(kernel: Kernel, { process, ended }: ChildEvent, options: number): void {
  if (options & Option.NOWAIT) return;
  if (ended) reap(kernel, process);
  else process.report = undefined;
}

function writeUsage(kernel: Kernel, at: number, steps: bigint): void {
  if (at === 0) return;
  kernel.memory.zero(at, 144);
  writeTimeval(kernel, at, stepsToTime(steps));
}

function wait4(kernel: Kernel, pid: number, at: number, options: number, usage: number): number {
  if (
    options &
    ~(Option.NOHANG | Option.STOPPED | Option.CONTINUED | Option.NOTHREAD | Option.ALL | Option.CLONE)
  ) {
    throw new Errno('EINVAL');
  }
  const own = kernel.current.process;
  const selector = {
    type: pid === -1 ? WaitFor.all : pid > 0 ? WaitFor.pid : WaitFor.group,
    id: pid > 0 ? pid : pid === 0 ? own.group : -pid,
    options: (options & (Option.NOHANG | Option.STOPPED | Option.CONTINUED)) | Option.EXITED,
  };
  const found = waitChild(kernel, selector);
  if (!found) return 0;
  const { process } = found;
  if (at !== 0) kernel.memory.setU32(at, found.status);
  writeUsage(kernel, usage, process.spentSteps + process.childSteps);
  take(kernel, found, 0);
  return process.pid;
}

function waitid(
  kernel: Kernel,
  type: number,
  id: number,
  at: number,
  options: number,
  usage: number,
): number {
  if (type === P_PIDFD) throw new Errno('EBADF');
  const known =
    Option.NOHANG | Option.STOPPED | Option.EXITED | Option.CONTINUED | Option.NOWAIT | Option.NOTHREAD;
  const wanted = options & (Option.STOPPED | Option.EXITED | Option.CONTINUED);
  if (type < 0 || type > 3 || options & ~known || wanted === 0) throw new Errno('EINVAL');
  if (type === WaitFor.pid && id <= 0) throw new Errno('EINVAL');
  const group = type === WaitFor.group && id === 0 ? kernel.current.process.group : id;
  const found = waitChild(kernel, { type, id: group, options });
  if (at !== 0) {
    const info = new Uint8Array(128);
    if (found) {
      const { status, process } = found;
      const signal = status & 0x7f;
      const code = found.ended ? (signal === 0 ? 1 : status & 0x80 ? 3 : 2) : status === CONTINUED ? 6 : 5;
      const value = status === CONTINUED ? 18 : found.ended && signal !== 0 ? signal : (status >> 8) & 0xff;
      writeInfo(new DataView(info.buffer), {
        signal: 17,
        code,
        pid: process.pid,
        uid: 0,
        value: BigInt(value),
      });
    }
    kernel.memory.write(at, info);
  }
  if (!found) return 0;
  writeUsage(kernel, usage, found.process.spentSteps + found.process.childSteps);
  take(kernel, found, options);
  return 0;
}

export const processes = family('processes', [
  call(93, 'exit', [int('status')], (kernel, status) =>
    exitTask(kernel, kernel.current, (status & 0xff) << 8),
  ),
  call(94, 'exit_group', [int('status')], (kernel, status) =>
    exitGroup(kernel, kernel.current.process, (status & 0xff) << 8),
  ),
  call(
    95,
    'waitid',
    [int('idtype'), int('id'), address('infop'), int('options'), address('rusage')],
    waitid,
    'no pidfds',
  ),
  call(96, 'set_tid_address', [address('tidptr')], ({ current }, at) => {
    current.clearChildTid = at;
    return current.tid;
  }),
  call(
    220,
    'clone',
    [word('flags'), address('stack'), address('parent_tid'), word('tls'), address('child_tid')],
    clone2,
    'no new namespaces',
  ),
  call(221, 'execve', [path('pathname'), address('argv'), address('envp')], (kernel, name, argv, envp) =>
    execveat(kernel, -100, name, argv, envp, 0),
  ),
  call(
    281,
    'execveat',
    [fd('dirfd'), path('pathname'), address('argv'), address('envp'), flags('flags', AtFlags)],
    execveat,
  ),
  call(260, 'wait4', [int('pid'), address('wstatus'), int('options'), address('rusage')], wait4),
  call(435, 'clone3', [address('cl_args'), size('size')], clone3, 'no new namespaces, pidfds or chosen pids'),
]);
