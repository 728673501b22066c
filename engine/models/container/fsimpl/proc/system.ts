/** Files of procfs about the system as a whole, proc(5): path and contents, one row each. */
import type { ProcSource } from './source';

export interface SystemFile {
  readonly contents: (source: ProcSource) => string;
  /** What writing does; absent: it cannot be written. */
  readonly write?: (source: ProcSource, text: string) => void;
}

const kibibytes = (name: string, bytes: number): string =>
  `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;

/** Seconds with two decimals. */
const seconds = (nanoseconds: bigint): string =>
  `${nanoseconds / 1_000_000_000n}.${String((nanoseconds / 10_000_000n) % 100n).padStart(2, '0')}`;

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function uuid(source: ProcSource): string {
  const bytes = new Uint8Array(16);
  source.fillRandom(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40; // RFC 9562: version 4,
  bytes[8] = (bytes[8]! & 0x3f) | 0x80; // variant 10
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export const systemFiles: Readonly<Record<string, SystemFile>> = {
  meminfo: {
    contents: (source) => {
      const { total, free, cached } = source.memory();
      const rows: Record<string, number> = {
        MemTotal: total,
        MemFree: free,
        MemAvailable: free + cached,
        Buffers: 0,
        Cached: cached,
        SwapCached: 0,
        SwapTotal: 0,
        SwapFree: 0,
      };
      return Object.entries(rows)
        .map(([name, bytes]) => kibibytes(name, bytes))
        .join('');
    },
  },
  cpuinfo: {
    contents: ({ harts, isa }) =>
      range(harts)
        .map((hart) => `processor\t: ${hart}\nhart\t\t: ${hart}\nisa\t\t: ${isa}\nmmu\t\t: sv39\n\n`)
        .join(''),
  },
  uptime: {
    contents: (source) => {
      const { up, idle } = source.uptime();
      return `${seconds(up)} ${seconds(idle)}\n`;
    },
  },
  loadavg: {
    contents: (source) => {
      const { averages, runnable, total, lastPid } = source.load();
      return `${averages.map((load) => load.toFixed(2)).join(' ')} ${runnable}/${total} ${lastPid}\n`;
    },
  },
  stat: {
    contents: (source) => {
      const { up, idle } = source.uptime();
      const ticks = (nanoseconds: bigint): bigint => nanoseconds / 10_000_000n;
      const busy = up * BigInt(source.harts) - idle;
      const times = `${ticks(busy < 0n ? 0n : busy)} 0 0 ${ticks(idle)} 0 0 0 0 0 0`;
      const { runnable, lastPid } = source.load();
      return [
        `cpu  ${times}`,
        ...(source.harts === 1 ? [`cpu0 ${times}`] : []),
        `btime ${source.bootTime() / 1_000_000_000n}`,
        `processes ${lastPid}`,
        `procs_running ${runnable}`,
        `procs_blocked 0\n`,
      ].join('\n');
    },
  },
  version: {
    contents: (source) => {
      const { sysname, release, version } = source.uname();
      return `${sysname} version ${release} ${version}\n`;
    },
  },
  filesystems: {
    contents: (source) => {
      const types = new Set(source.namespace.mounts.map(({ fileSystem }) => fileSystem.type));
      return [...types].map((type) => `nodev\t${type}\n`).join('');
    },
  },
  'sys/kernel/hostname': {
    contents: (source) => `${source.uname().nodename}\n`,
    write: (source, text) => source.setHostname(text.replace(/\n[^]*$/, '').slice(0, 64)),
  },
  'sys/kernel/ostype': { contents: (source) => `${source.uname().sysname}\n` },
  'sys/kernel/osrelease': { contents: (source) => `${source.uname().release}\n` },
  'sys/kernel/version': { contents: (source) => `${source.uname().version}\n` },
  'sys/kernel/pid_max': { contents: ({ pidLimit }) => `${pidLimit}\n` },
  'sys/kernel/ngroups_max': { contents: () => '65536\n' },
  'sys/kernel/overflowuid': { contents: () => '65534\n' },
  'sys/kernel/overflowgid': { contents: () => '65534\n' },
  'sys/kernel/random/uuid': { contents: (source) => `${uuid(source)}\n` },
};

/** Symbolic links of the root, by name. */
export const systemLinks: Readonly<Record<string, (source: ProcSource) => string>> = {
  self: (source) => String(source.currentPid()),
  mounts: () => 'self/mounts',
};
