/** Sending and handling signals. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import { SS_DISABLE, popFrame, stackFlags, writeInfo } from '../kernel/signal-frame';
import { LAST_SIGNAL, UNBLOCKABLE, bit } from '../kernel/signal-numbers';
import type { SignalInfo } from '../kernel/signal-state';
import { SI_TKILL, fromTask, signalProcess, signalTask } from '../kernel/signals';
import type { Process, Task } from '../kernel/task';
import { Blocked } from '../kernel/wait';
import { address, int, signal, size } from './arguments';
import { call, family } from './table';
import { readTimespec } from './timespec';

const SET_SIZE = 8;
const MINSIGSTKSZ = 2048;
const How = { block: 0, unblock: 1, set: 2 } as const;

function checkSignal(number: number): void {
  if (number < 0 || number > LAST_SIGNAL) throw new Errno('EINVAL');
}
function checkSet(length: number): void {
  if (length !== SET_SIZE) throw new Errno('EINVAL');
}

function maySignal(task: Task, process: Process): boolean {
  const { uid, euid } = task.credentials;
  const target = process.leader?.credentials;
  return euid === 0 || !target || [target.uid, target.suid].some((id) => id === uid || id === euid);
}

function kill(kernel: Kernel, pid: number, number: number): number {
  const task = kernel.current;
  checkSignal(number);
  const group = pid === 0 ? task.process.group : -pid;
  const all = [...kernel.processes.values()];
  const targets =
    pid > 0
      ? all.filter((process) => process.pid === pid)
      : pid === -1
        ? all.filter((process) => process.pid !== 1 && process !== task.process)
        : all.filter((process) => process.group === group);
  if (targets.length === 0) throw new Errno('ESRCH');
  const allowed = targets.filter((process) => maySignal(task, process));
  if (allowed.length === 0) throw new Errno('EPERM');
  for (const process of allowed) signalProcess(kernel, process, fromTask(task, number));
  return 0;
}

function tgkill(kernel: Kernel, pid: number | undefined, tid: number, number: number): number {
  checkSignal(number);
  if (tid <= 0 || (pid !== undefined && pid <= 0)) throw new Errno('EINVAL');
  const target = kernel.tasks.get(tid);
  if (!target || (pid !== undefined && target.process.pid !== pid)) throw new Errno('ESRCH');
  if (!maySignal(kernel.current, target.process)) throw new Errno('EPERM');
  signalTask(kernel, target, fromTask(kernel.current, number, SI_TKILL));
  return 0;
}

/** rt_sigqueueinfo: the sender's siginfo, but never as if from the kernel. */
function queueInfo(kernel: Kernel, number: number, at: number): SignalInfo {
  checkSignal(number);
  const bytes = kernel.memory.read(at, 128);
  const view = new DataView(bytes.buffer);
  const code = view.getInt32(8, true);
  if (code >= 0 || code === SI_TKILL) throw new Errno('EPERM');
  return {
    signal: number,
    code,
    pid: view.getInt32(16, true),
    uid: view.getInt32(20, true),
    value: view.getBigUint64(24, true),
  };
}

function sigaction(kernel: Kernel, number: number, at: number, old: number, length: number): number {
  const { actions } = kernel.current;
  checkSet(length);
  if (number < 1 || number > LAST_SIGNAL) throw new Errno('EINVAL');
  if (at !== 0 && (bit(number) & UNBLOCKABLE) !== 0n) throw new Errno('EINVAL');
  const before = actions.get(number);
  const next =
    at === 0
      ? undefined
      : {
          handler: kernel.memory.word(at),
          flags: Number(BigInt.asUintN(32, kernel.memory.u64(at + 8))),
          mask: kernel.memory.u64(at + 16) & ~UNBLOCKABLE,
        };
  if (old !== 0) {
    kernel.memory.setU64(old, BigInt(before.handler));
    kernel.memory.setU64(old + 8, BigInt(before.flags));
    kernel.memory.setU64(old + 16, before.mask);
  }
  if (next) {
    // No address has more than 53 bits; such a handler would fault as any wild pointer does.
    actions.set(number, { ...next, handler: Math.min(next.handler, Number.MAX_SAFE_INTEGER) });
  }
  return 0;
}

function sigprocmask(kernel: Kernel, how: number, at: number, old: number, length: number): number {
  const task = kernel.current;
  checkSet(length);
  const before = task.blocked;
  if (at !== 0) {
    const set = kernel.memory.u64(at) & ~UNBLOCKABLE;
    if (how === How.block) task.blocked = before | set;
    else if (how === How.unblock) task.blocked = before & ~set;
    else if (how === How.set) task.blocked = set;
    else throw new Errno('EINVAL');
  }
  if (old !== 0) kernel.memory.setU64(old, before);
  return 0;
}

function sigsuspend(kernel: Kernel, at: number, length: number): number {
  const task = kernel.current;
  checkSet(length);
  if (!task.call) {
    const mask = kernel.memory.u64(at) & ~UNBLOCKABLE;
    task.call = { progress: 0, woken: false, savedMask: task.blocked };
    task.blocked = mask;
  }
  throw new Blocked({ kind: 'signal', restart: false });
}

function sigtimedwait(kernel: Kernel, at: number, info: number, timeout: number, length: number): number {
  const task = kernel.current;
  checkSet(length);
  const wanted = kernel.memory.u64(at) & ~UNBLOCKABLE;
  const found = task.pending.take(wanted) ?? task.process.pending.take(wanted);
  if (found) {
    if (info !== 0) {
      const bytes = new Uint8Array(128);
      writeInfo(new DataView(bytes.buffer), found);
      kernel.memory.write(info, bytes);
    }
    return found.signal;
  }
  const deadline = task.call
    ? task.call.deadline
    : timeout === 0
      ? undefined
      : kernel.now + readTimespec(kernel, timeout);
  if (deadline !== undefined && kernel.now >= deadline) throw new Errno('EAGAIN');
  task.call = { deadline, progress: 0, woken: false };
  throw new Blocked({ kind: 'signal', signals: wanted, deadline, restart: false });
}

function sigaltstack(kernel: Kernel, at: number, old: number): number {
  const task = kernel.current;
  const sp = Number(kernel.hart.x(2));
  const before = { ...task.alternateStack, flags: stackFlags(task, sp) };
  if (at !== 0) {
    if (before.flags === 1) throw new Errno('EPERM');
    const next = {
      address: kernel.memory.word(at),
      flags: kernel.memory.u32(at + 8),
      size: kernel.memory.word(at + 16),
    };
    const disabled = (next.flags & SS_DISABLE) !== 0;
    if (next.flags & ~(SS_DISABLE | 1 | 0x80000000)) throw new Errno('EINVAL');
    if (!disabled && next.size < MINSIGSTKSZ) throw new Errno('ENOMEM');
    const fits = Number.isSafeInteger(next.address) && Number.isSafeInteger(next.size);
    if (!disabled && !fits) throw new Errno('EINVAL');
    task.alternateStack = disabled ? { address: 0, size: 0, flags: SS_DISABLE } : { ...next, flags: 0 };
  }
  if (old !== 0) {
    kernel.memory.setU64(old, BigInt(before.address));
    kernel.memory.setU64(old + 8, BigInt(before.flags));
    kernel.memory.setU64(old + 16, BigInt(before.size));
  }
  return 0;
}

export const signals = family('signals', [
  call(129, 'kill', [int('pid'), signal('sig')], kill),
  call(130, 'tkill', [int('tid'), signal('sig')], (kernel, tid, number) =>
    tgkill(kernel, undefined, tid, number),
  ),
  call(131, 'tgkill', [int('tgid'), int('tid'), signal('sig')], tgkill),
  call(132, 'sigaltstack', [address('ss'), address('old_ss')], sigaltstack),
  call(133, 'rt_sigsuspend', [address('mask'), size('sigsetsize')], sigsuspend),
  call(
    134,
    'rt_sigaction',
    [signal('signum'), address('act'), address('oldact'), size('sigsetsize')],
    sigaction,
  ),
  call(
    135,
    'rt_sigprocmask',
    [int('how'), address('set'), address('oldset'), size('sigsetsize')],
    sigprocmask,
  ),
  call(136, 'rt_sigpending', [address('set'), size('sigsetsize')], (kernel, at, length) => {
    const task = kernel.current;
    checkSet(length);
    kernel.memory.setU64(at, (task.pending.mask | task.process.pending.mask) & task.blocked);
    return 0;
  }),
  call(
    137,
    'rt_sigtimedwait',
    [address('set'), address('info'), address('timeout'), size('sigsetsize')],
    sigtimedwait,
  ),
  call(138, 'rt_sigqueueinfo', [int('tgid'), signal('sig'), address('info')], (kernel, pid, number, at) => {
    const info = queueInfo(kernel, number, at);
    const process = kernel.processes.get(pid);
    if (!process) throw new Errno('ESRCH');
    if (!maySignal(kernel.current, process)) throw new Errno('EPERM');
    signalProcess(kernel, process, info);
    return 0;
  }),
  call(139, 'rt_sigreturn', [], (kernel) => popFrame(kernel, kernel.current)),
]);
