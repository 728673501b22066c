/** What the kernel tells of itself, and odds and ends of the architecture. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import { LAST_SIGNAL } from '../kernel/signal-numbers';
import { encodeText } from '../mm/user-memory';
import { fromBytes, toBytes } from '../vfs/name';
import { address, int, size, uint, word } from './arguments';
import { hwprobe } from './hwprobe';
import { call, family } from './table';

export const uname = {
  sysname: 'Linux',
  release: '6.12.0',
  version: '#1 cdk-hypervisor',
  machine: 'riscv64',
} as const;
const FIELD = 65;

function writeUname(kernel: Kernel, at: number): number {
  const bytes = new Uint8Array(6 * FIELD);
  const fields = [
    uname.sysname,
    kernel.hostname,
    uname.release,
    uname.version,
    uname.machine,
    kernel.domainName,
  ];
  fields.forEach((text, i) => bytes.set(encodeText(text).subarray(0, FIELD - 1), i * FIELD));
  kernel.memory.write(at, bytes);
  return 0;
}

function readName(kernel: Kernel, at: number, length: number): string {
  if (kernel.current.credentials.euid !== 0) throw new Errno('EPERM');
  if (length < 0 || length > 64) throw new Errno('EINVAL');
  return fromBytes(kernel.memory.read(at, length)).replace(/\0.*$/s, '');
}

/** Bytes at once; random data is cheap to ask for and dear to make. */
const MOST_RANDOM = 1 << 20;

function getrandom(kernel: Kernel, at: number, length: number, how: number): number {
  if (how & ~7) throw new Errno('EINVAL');
  const bytes = new Uint8Array(Math.min(length, MOST_RANDOM));
  kernel.random.fill(bytes);
  kernel.memory.write(at, bytes);
  return bytes.length;
}

type ProcessControl = (kernel: Kernel, argument: number) => number;
/** prctl(2), by option. */
const controls: Readonly<Record<number, ProcessControl>> = {
  1: ({ current }, signal) => {
    if (signal > LAST_SIGNAL) throw new Errno('EINVAL');
    current.parentDeathSignal = signal;
    return 0;
  },
  2: (kernel, at) => {
    kernel.memory.setU32(at, kernel.current.parentDeathSignal);
    return 0;
  },
  3: () => 1, // PR_GET_DUMPABLE
  4: () => 0,
  15: (kernel, at) => {
    const raw = kernel.memory.reachable(at, 16, 1);
    if (raw === 0) throw new Errno('EFAULT');
    kernel.current.name = fromBytes(kernel.memory.read(at, Math.min(raw, 15))).replace(/\0.*$/s, '');
    return 0;
  },
  16: (kernel, at) => {
    const name = new Uint8Array(16);
    name.set(toBytes(kernel.current.name).subarray(0, 15));
    kernel.memory.write(at, name);
    return 0;
  },
  36: ({ current }, on) => {
    current.process.subreaper = on !== 0;
    return 0;
  },
  37: (kernel, at) => {
    kernel.memory.setU32(at, kernel.current.process.subreaper ? 1 : 0);
    return 0;
  },
  38: () => 0, // PR_SET_NO_NEW_PRIVS: set-user-ID bits have no effect anyway
  39: () => 0,
};

export const system = family('system', [
  call(92, 'personality', [uint('persona')], () => 0),
  call(160, 'uname', [address('buf')], writeUname),
  call(161, 'sethostname', [address('name'), int('len')], (kernel, at, length) => {
    kernel.hostname = readName(kernel, at, length);
    return 0;
  }),
  call(162, 'setdomainname', [address('name'), int('len')], (kernel, at, length) => {
    kernel.domainName = readName(kernel, at, length);
    return 0;
  }),
  call(
    167,
    'prctl',
    [int('option'), size('arg2'), word('arg3'), word('arg4'), word('arg5')],
    (kernel, option, argument) => {
      const run = controls[option];
      if (!run) throw new Errno('EINVAL');
      return run(kernel, argument);
    },
    'names, parent death signal, subreaper',
  ),
  call(
    258,
    'riscv_hwprobe',
    [address('pairs'), size('count'), size('cpusetsize'), address('cpus'), uint('flags')],
    hwprobe,
  ),
  call(259, 'riscv_flush_icache', [address('start'), address('end'), word('flags')], () => 0),
  call(278, 'getrandom', [address('buf'), size('buflen'), uint('flags')], getrandom),
]);
