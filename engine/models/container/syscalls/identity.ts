/** Who a task is: numbers, groups, sessions, users. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import type { Credentials, Process } from '../kernel/task';
import { address, int, uint } from './arguments';
import { call, family } from './table';

const UNCHANGED = 0xffffffff;
const MOST_GROUPS = 65536;
type Kind = 'uid' | 'gid';

const effective = (kind: Kind) => `e${kind}` as const;
const saved = (kind: Kind) => `s${kind}` as const;
const fileSystem = (kind: Kind) => `fs${kind}` as const;

const privileged = (credentials: Credentials): boolean => credentials.euid === 0;

/** setuid, setgid: all of them for root, else the effective one among the known. */
const setId =
  (kind: Kind) =>
  (kernel: Kernel, id: number): number => {
    const { credentials } = kernel.current;
    if (id === UNCHANGED) throw new Errno('EINVAL');
    if (privileged(credentials)) credentials[kind] = credentials[saved(kind)] = id;
    else if (id !== credentials[kind] && id !== credentials[saved(kind)]) throw new Errno('EPERM');
    credentials[effective(kind)] = credentials[fileSystem(kind)] = id;
    return 0;
  };

const setResId =
  (kind: Kind) =>
  (kernel: Kernel, real: number, eff: number, sav: number): number => {
    const { credentials } = kernel.current;
    const known = [credentials[kind], credentials[effective(kind)], credentials[saved(kind)]];
    const allowed = (id: number): boolean =>
      id === UNCHANGED || privileged(credentials) || known.includes(id);
    if (![real, eff, sav].every(allowed)) throw new Errno('EPERM');
    if (sav !== UNCHANGED) credentials[saved(kind)] = sav;
    if (real !== UNCHANGED) credentials[kind] = real;
    if (eff !== UNCHANGED) credentials[effective(kind)] = credentials[fileSystem(kind)] = eff;
    return 0;
  };
/** setreuid, setregid: the saved one follows when the real one is set, or the effective one to another. */
const setReId =
  (kind: Kind) =>
  (kernel: Kernel, real: number, eff: number): number => {
    const { credentials } = kernel.current;
    const follows = real !== UNCHANGED || (eff !== UNCHANGED && eff !== credentials[kind]);
    const next = eff !== UNCHANGED ? eff : credentials[effective(kind)];
    return setResId(kind)(kernel, real, eff, follows ? next : UNCHANGED);
  };
const getResId =
  (kind: Kind) =>
  (kernel: Kernel, real: number, eff: number, sav: number): number => {
    const { credentials } = kernel.current;
    kernel.memory.setU32(real, credentials[kind]);
    kernel.memory.setU32(eff, credentials[effective(kind)]);
    kernel.memory.setU32(sav, credentials[saved(kind)]);
    return 0;
  };
const setFsId =
  (kind: Kind) =>
  (kernel: Kernel, id: number): number => {
    const { credentials } = kernel.current;
    const old = credentials[fileSystem(kind)];
    const known = [credentials[kind], credentials[effective(kind)], credentials[saved(kind)], old];
    if (id !== UNCHANGED && (privileged(credentials) || known.includes(id)))
      credentials[fileSystem(kind)] = id;
    return old;
  };

function getgroups(kernel: Kernel, count: number, at: number): number {
  const { groups } = kernel.current.credentials;
  if (count < 0 || (count > 0 && count < groups.length)) throw new Errno('EINVAL');
  if (count > 0) groups.forEach((group, i) => kernel.memory.setU32(at + 4 * i, group));
  return groups.length;
}
function setgroups(kernel: Kernel, count: number, at: number): number {
  const { credentials } = kernel.current;
  if (!privileged(credentials)) throw new Errno('EPERM');
  if (count < 0 || count > MOST_GROUPS) throw new Errno('EINVAL');
  credentials.groups = Array.from({ length: count }, (_, i) => kernel.memory.u32(at + 4 * i));
  return 0;
}

function processOf(kernel: Kernel, pid: number): Process {
  const process = pid === 0 ? kernel.current.process : kernel.processes.get(pid);
  if (!process) throw new Errno('ESRCH');
  return process;
}

function setpgid(kernel: Kernel, pid: number, wanted: number): number {
  const own = kernel.current.process;
  const process = processOf(kernel, pid);
  if (wanted < 0) throw new Errno('EINVAL');
  const group = wanted === 0 ? process.pid : wanted;
  if (process !== own && process.parent !== own) throw new Errno('ESRCH');
  if (process.session !== own.session || process.session === process.pid) throw new Errno('EPERM');
  const exists = [...kernel.processes.values()].some(
    (other) => other.group === group && other.session === own.session,
  );
  if (group !== process.pid && !exists) throw new Errno('EPERM');
  process.group = group;
  return 0;
}
function setsid(kernel: Kernel): number {
  const { process } = kernel.current;
  if ([...kernel.processes.values()].some(({ group }) => group === process.pid)) throw new Errno('EPERM');
  process.group = process.session = process.pid;
  return process.pid;
}

export const identity = family('identity', [
  call(143, 'setregid', [uint('rgid'), uint('egid')], setReId('gid')),
  call(144, 'setgid', [uint('gid')], setId('gid')),
  call(145, 'setreuid', [uint('ruid'), uint('euid')], setReId('uid')),
  call(146, 'setuid', [uint('uid')], setId('uid')),
  call(147, 'setresuid', [uint('ruid'), uint('euid'), uint('suid')], setResId('uid')),
  call(148, 'getresuid', [address('ruid'), address('euid'), address('suid')], getResId('uid')),
  call(149, 'setresgid', [uint('rgid'), uint('egid'), uint('sgid')], setResId('gid')),
  call(150, 'getresgid', [address('rgid'), address('egid'), address('sgid')], getResId('gid')),
  call(151, 'setfsuid', [uint('fsuid')], setFsId('uid')),
  call(152, 'setfsgid', [uint('fsgid')], setFsId('gid')),
  call(154, 'setpgid', [int('pid'), int('pgid')], setpgid),
  call(155, 'getpgid', [int('pid')], (kernel, pid) => processOf(kernel, pid).group),
  call(156, 'getsid', [int('pid')], (kernel, pid) => processOf(kernel, pid).session),
  call(157, 'setsid', [], setsid),
  call(158, 'getgroups', [int('size'), address('list')], getgroups),
  call(159, 'setgroups', [int('size'), address('list')], setgroups),
  call(172, 'getpid', [], ({ current }) => current.process.pid),
  call(173, 'getppid', [], ({ current }) => current.process.parent?.pid ?? 0),
  call(174, 'getuid', [], ({ current }) => current.credentials.uid),
  call(175, 'geteuid', [], ({ current }) => current.credentials.euid),
  call(176, 'getgid', [], ({ current }) => current.credentials.gid),
  call(177, 'getegid', [], ({ current }) => current.credentials.egid),
  call(178, 'gettid', [], ({ current }) => current.tid),
]);
