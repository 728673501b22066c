/** Files of /proc/pid, proc(5): name and contents, one row each. */
import { MOUNT, majorOf, minorOf } from '../../vfs/constants';
import type { Location, Mount } from '../../vfs/location';
import { rootOf } from '../../vfs/namespace';
import { pathOf } from '../../vfs/resolution';
import type { ProcLink, ProcSource, ProcTask } from './source';

export interface ProcessFile {
  readonly permissions: number;
  readonly contents: (task: ProcTask, source: ProcSource) => string | Uint8Array;
}

const hexadecimal = (value: bigint, digits: number): string => value.toString(16).padStart(digits, '0');
const pageSize = 4096;
const stateNames = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' } as const;

function statLine(task: ProcTask): string {
  const { pending, blocked, ignored, caught } = task.signals;
  const low = (set: bigint): bigint => set & 0x7fffffffn; // the obsolete fields hold 31 signals
  // prettier-ignore
  const fields: (string | number | bigint)[] = [
    task.pid, `(${task.comm})`, task.state, task.parentPid, task.processGroup, task.session, task.tty,
    task.foregroundGroup, /* flags */ 0, /* faults */ 0, 0, 0, 0, task.userTicks, task.systemTicks,
    /* children's times */ 0, 0, /* priority */ 20 + task.nice, task.nice, task.threads.length,
    /* itrealvalue */ 0, task.startTicks, task.virtualSize, task.residentPages, /* rsslim */ '18446744073709551615',
    /* code */ 0, 0, /* startstack */ 0, /* kstkesp, kstkeip */ 0, 0, low(pending), low(blocked), low(ignored),
    low(caught), /* wchan */ 0, 0, 0, /* exit signal: SIGCHLD */ 17, /* processor */ 0, /* scheduling */ 0, 0,
    /* delays, guest times */ 0, 0, 0, /* data, brk */ 0, 0, 0, /* arguments, environment */ 0, 0, 0, 0,
    /* exit code */ 0,
  ];
  return `${fields.join(' ')}\n`;
}

function statusText(task: ProcTask): string {
  const { uid, gid, signals } = task;
  const kibibytes = (bytes: number): string => `${String(Math.floor(bytes / 1024)).padStart(8)} kB`;
  const capabilities = uid === 0 ? (1n << 41n) - 1n : 0n;
  const rows: Record<string, string | number> = {
    Name: task.comm,
    Umask: task.umask.toString(8).padStart(4, '0'),
    State: `${task.state} (${stateNames[task.state]})`,
    Tgid: task.threads[0] ?? task.pid,
    Ngid: 0,
    Pid: task.pid,
    PPid: task.parentPid,
    TracerPid: 0,
    Uid: [uid, uid, uid, uid].join('\t'),
    Gid: [gid, gid, gid, gid].join('\t'),
    FDSize: Math.max(64, (task.descriptors().at(-1) ?? 0) + 1),
    Groups: task.groups.map((group) => `${group} `).join(''),
    ...(task.state !== 'Z' && {
      VmSize: kibibytes(task.virtualSize),
      VmRSS: kibibytes(task.residentPages * pageSize),
    }),
    Threads: task.threads.length,
    SigPnd: hexadecimal(signals.pending, 16),
    ShdPnd: hexadecimal(0n, 16),
    SigBlk: hexadecimal(signals.blocked, 16),
    SigIgn: hexadecimal(signals.ignored, 16),
    SigCgt: hexadecimal(signals.caught, 16),
    CapInh: hexadecimal(0n, 16),
    CapPrm: hexadecimal(capabilities, 16),
    CapEff: hexadecimal(capabilities, 16),
    CapBnd: hexadecimal((1n << 41n) - 1n, 16),
    CapAmb: hexadecimal(0n, 16),
  };
  return Object.entries(rows)
    .map(([name, value]) => `${name}:\t${value}\n`)
    .join('');
}

/** Blanks and backslashes in a path of a table. */
const escaped = (text: string): string =>
  text.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

function mapLines(task: ProcTask): string {
  return task
    .mappings()
    .map((map) => {
      const flags = `${map.readable ? 'r' : '-'}${map.writable ? 'w' : '-'}${map.executable ? 'x' : '-'}${map.shared ? 's' : 'p'}`;
      const device = `${hexadecimal(BigInt(majorOf(map.device)), 2)}:${hexadecimal(BigInt(minorOf(map.device)), 2)}`;
      const place = `${hexadecimal(map.start, 8)}-${hexadecimal(map.end, 8)} ${flags} ${hexadecimal(map.offset, 8)}`;
      const line = `${place} ${device} ${map.ino}`;
      return `${map.label === '' ? `${line} ` : `${line.padEnd(72)} ${map.label.replace(/\n/g, '\\012')}`}\n`;
    })
    .join('');
}

function mountOptions({ flags }: Mount): string {
  const names: [number, string][] = [
    [MOUNT.NOSUID, 'nosuid'],
    [MOUNT.NODEV, 'nodev'],
    [MOUNT.NOEXEC, 'noexec'],
  ];
  const set = names.filter(([flag]) => flags & flag).map(([, name]) => name);
  return [flags & MOUNT.RDONLY ? 'ro' : 'rw', ...set, 'noatime'].join(',');
}

/** The mounts that the task can reach, each with where it sees them. */
function visibleMounts(task: ProcTask, source: ProcSource): { mount: Mount; path: string }[] {
  const root = task.root?.location;
  if (!root) return [];
  return source.namespace.mounts.flatMap((mount) => {
    const { path, reachable } = pathOf(rootOf(mount), root);
    return reachable ? [{ mount, path: escaped(path) }] : [];
  });
}

export const processFiles: Readonly<Record<string, ProcessFile>> = {
  cmdline: { permissions: 0o444, contents: (task) => task.commandLine() },
  comm: { permissions: 0o444, contents: (task) => `${task.comm}\n` },
  environ: { permissions: 0o400, contents: (task) => task.environment() },
  auxv: { permissions: 0o400, contents: (task) => task.auxiliaryVector() },
  stat: { permissions: 0o444, contents: statLine },
  statm: {
    permissions: 0o444,
    contents: ({ virtualSize, residentPages }) =>
      `${Math.ceil(virtualSize / pageSize)} ${residentPages} 0 0 0 ${residentPages} 0\n`,
  },
  status: { permissions: 0o444, contents: statusText },
  maps: { permissions: 0o444, contents: mapLines },
  mounts: {
    permissions: 0o444,
    contents: (task, source) =>
      visibleMounts(task, source)
        .map(
          ({ mount, path }) =>
            `${escaped(mount.source)} ${path} ${mount.fileSystem.type} ${mountOptions(mount)} 0 0\n`,
        )
        .join(''),
  },
  mountinfo: {
    permissions: 0o444,
    contents: (task, source) =>
      visibleMounts(task, source)
        .map(({ mount, path }) => {
          const { id, at, fileSystem } = mount;
          const device = `${majorOf(fileSystem.device)}:${minorOf(fileSystem.device)}`;
          const options = mountOptions(mount);
          const within = escaped(pathOf(rootOf(mount), { ...rootOf(mount), inode: fileSystem.root }).path);
          return `${id} ${at?.mount.id ?? 0} ${device} ${within} ${path} ${options} - ${fileSystem.type} ${escaped(mount.source)} rw\n`;
        })
        .join(''),
  },
};

export const processLinks: Readonly<Record<string, (task: ProcTask) => ProcLink | undefined>> = {
  cwd: (task) => task.cwd,
  exe: (task) => task.executable,
  root: (task) => task.root,
};

/** What a magic link reads as, seen from `root`. */
export function linkText({ location, label }: ProcLink, root: Location): string {
  if (label !== undefined) return label;
  const { path, exists } = pathOf(location, root);
  return exists ? path : `${path} (deleted)`;
}
