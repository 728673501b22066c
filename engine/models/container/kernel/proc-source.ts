/** What procfs shows of the kernel. */
import { isaString } from '../../../isa/isa-string';
import { uname } from '../syscalls/system';
import type { MountNamespace } from '../vfs/namespace';
import { fromText } from '../vfs/name';
import type { ProcLink, ProcMapping, ProcSource, ProcTask } from '../fsimpl/proc/source';
import { Prot } from '../mm/area';
import type { Kernel } from './kernel';
import { bit } from './signal-numbers';
import { DEFAULT, IGNORE } from './signal-state';
import type { Process, Task } from './task';

const NANOSECONDS_A_TICK = 10_000_000n;
const STEPS_A_TICK = 1_000_000n;
/** Console: major 5, minor 1. */
const TTY = 0x501;

export function procSource(kernel: Kernel, namespace: MountNamespace): ProcSource {
  return {
    currentPid: () => kernel.loaded?.process.pid ?? 1,
    pids: () => [...kernel.processes.keys()].sort((a, b) => a - b),
    task: (pid) => {
      const process = kernel.processes.get(pid);
      const task = kernel.tasks.get(pid);
      const owner = process ?? task?.process;
      return owner && procTask(kernel, owner, task ?? owner.leader, pid);
    },
    namespace,
    memory: () => ({ total: kernel.frames.total * 4096, free: kernel.frames.free * 4096, cached: 0 }),
    uptime: () => ({ up: kernel.now, idle: 0n }),
    bootTime: () => kernel.epoch,
    load: () => ({
      averages: [0, 0, 0],
      runnable: [...kernel.tasks.values()].filter(({ state }) => state === 'runnable').length,
      total: kernel.tasks.size,
      lastPid: Math.max(1, kernel.nextPid - 1),
    }),
    uname: () => ({ ...uname, nodename: kernel.hostname }),
    setHostname: (name) => (kernel.hostname = name.slice(0, 64)),
    isa: isaString(kernel.extensions),
    harts: 1,
    pidLimit: kernel.pidLimit,
    fillRandom: (bytes) => kernel.random.fill(bytes),
  };
}

const states = { runnable: 'R', blocked: 'S', stopped: 'T', dead: 'Z' } as const;

function procTask(kernel: Kernel, process: Process, task: Task | undefined, pid: number): ProcTask {
  const { terminal } = kernel;
  const steps = task?.steps ?? process.spentSteps;
  const actions = task?.actions.entries ?? [];
  const maskOf = (wanted: (handler: number) => boolean): bigint =>
    actions.reduce((mask, [signal, { handler }]) => (wanted(handler) ? mask | bit(signal) : mask), 0n);
  const controlled = terminal.session === process.session && process.session !== 0;
  const link = (location: ProcLink['location'] | undefined): ProcLink | undefined => location && { location };
  return {
    pid,
    parentPid: process.parent?.pid ?? 0,
    processGroup: process.group,
    session: process.session,
    tty: controlled ? TTY : 0,
    foregroundGroup: controlled ? terminal.foreground : -1,
    state: task ? states[task.state] : 'Z',
    comm: task?.name ?? process.command,
    uid: task?.credentials.euid ?? 0,
    gid: task?.credentials.egid ?? 0,
    groups: task?.credentials.groups ?? [],
    umask: task?.fileContext.umask ?? 0,
    threads: [...process.threads].map(({ tid }) => tid),
    userTicks: Number(steps / STEPS_A_TICK),
    systemTicks: 0,
    startTicks: Number(process.started / NANOSECONDS_A_TICK),
    nice: 0,
    virtualSize: task?.space.size ?? 0,
    residentPages: task?.space.resident ?? 0,
    stackPointer: 0n,
    signals: {
      pending: (task?.pending.mask ?? 0n) | process.pending.mask,
      blocked: task?.blocked ?? 0n,
      ignored: maskOf((handler) => handler === IGNORE),
      caught: maskOf((handler) => handler !== IGNORE && handler !== DEFAULT),
    },
    commandLine: () => (task ? process.commandLine : new Uint8Array()),
    environment: () => (task ? process.environment : new Uint8Array()),
    auxiliaryVector: () => (task ? process.auxiliary : new Uint8Array()),
    mappings: () => (task ? mappings(kernel, task) : []),
    descriptors: () => task?.files.entries.map(([fd]) => fd) ?? [],
    descriptor: (number) => {
      const file = task?.files.find(number)?.file;
      if (!file) return undefined;
      const { location, flags, offset } = file;
      const unnamed = location.mount.id === 0;
      const label = unnamed ? { label: `pipe:[${location.inode.ino}]` } : {};
      return { location, ...label, flags, offset };
    },
    executable: link(process.executable?.file.location),
    cwd: link(task?.fileContext.cwd),
    root: link(task?.fileContext.root),
  };
}

function mappings(kernel: Kernel, task: Task): ProcMapping[] {
  return task.space.areas.all.map((area) => {
    const location = (area.file ?? area.object?.file)?.file.location;
    const stat = location?.inode.stat();
    return {
      start: BigInt(area.start),
      end: BigInt(area.end),
      readable: (area.prot & (Prot.read | Prot.write)) !== 0,
      writable: (area.prot & Prot.write) !== 0,
      executable: (area.prot & Prot.execute) !== 0,
      shared: area.object !== undefined,
      offset: location ? BigInt(area.offset) : 0n,
      device: stat?.dev ?? 0,
      ino: stat?.ino ?? 0,
      label: location ? kernel.files.vfs.pathOf(location, task.fileContext.root).path : fromText(area.label),
    };
  });
}
