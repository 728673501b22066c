/** What procfs shows: the kernel implements it. All of it is asked at the time of the read; nothing is kept. */
import type { MountNamespace } from '../../vfs/namespace';
import type { Location } from '../../vfs/location';
import type { ByteString } from '../../vfs/name';

/** One range of a process's memory map, as a line of /proc/pid/maps. */
export interface ProcMapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly shared: boolean;
  readonly offset: bigint;
  readonly device: number;
  readonly ino: number;
  /** Path, or `[heap]`, `[stack]`, `[vdso]`; empty for anonymous memory. */
  readonly label: ByteString;
}

/** Where a descriptor, executable or directory leads, and what its link reads as. */
export interface ProcLink {
  readonly location: Location;
  /** What has no path has a name such as `pipe:[12]`. Undefined: the path of `location`. */
  readonly label?: string;
}

export interface ProcTask {
  readonly pid: number;
  readonly parentPid: number;
  readonly processGroup: number;
  readonly session: number;
  /** Device number of the controlling terminal; 0 when there is none. */
  readonly tty: number;
  /** Process group in its foreground; -1 when there is none. */
  readonly foregroundGroup: number;
  /** One letter of R (running), S (sleeping), T (stopped), Z (zombie). */
  readonly state: 'R' | 'S' | 'T' | 'Z';
  /** At most 15 bytes. */
  readonly comm: ByteString;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly umask: number;
  /** Thread ids, the leader's first. */
  readonly threads: readonly number[];
  /** User time and system time in clock ticks (1/100 s). */
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Start in clock ticks after boot. */
  readonly startTicks: number;
  readonly nice: number;
  /** Bytes. */
  readonly virtualSize: number;
  /** Pages of 4 KiB. */
  readonly residentPages: number;
  readonly stackPointer: bigint;
  /** Bit n - 1 stands for signal n. */
  readonly signals: {
    readonly pending: bigint;
    readonly blocked: bigint;
    readonly ignored: bigint;
    readonly caught: bigint;
  };
  /** Arguments, each with its terminating zero; empty for zombies. */
  commandLine(): Uint8Array;
  environment(): Uint8Array;
  auxiliaryVector(): Uint8Array;
  mappings(): readonly ProcMapping[];
  /** Numbers of open descriptors, ascending. */
  descriptors(): readonly number[];
  descriptor(number: number): (ProcLink & { readonly offset: number; readonly flags: number }) | undefined;
  /** Undefined when gone, as of zombies. */
  readonly executable: ProcLink | undefined;
  readonly cwd: ProcLink | undefined;
  readonly root: ProcLink | undefined;
}

export interface ProcSource {
  /** Of the task on whose behalf the file system is asked: /proc/self. */
  currentPid(): number;
  /** Processes (thread group leaders), ascending. */
  pids(): readonly number[];
  /** Also of threads that are no leaders. */
  task(pid: number): ProcTask | undefined;
  readonly namespace: MountNamespace;
  /** Bytes. */
  memory(): { readonly total: number; readonly free: number; readonly cached: number };
  /** Since boot, nanoseconds. */
  uptime(): { readonly up: bigint; readonly idle: bigint };
  /** Unix time of the boot, nanoseconds. */
  bootTime(): bigint;
  /** Three averages; tasks runnable, tasks in all; the newest pid. */
  load(): {
    readonly averages: readonly [number, number, number];
    readonly runnable: number;
    readonly total: number;
    readonly lastPid: number;
  };
  /** utsname(2): sysname, release and so on. */
  uname(): {
    readonly sysname: string;
    readonly nodename: string;
    readonly release: string;
    readonly version: string;
  };
  setHostname(name: string): void;
  /** ISA string as of /proc/cpuinfo, e.g. `rv64imafdc_zba`. */
  readonly isa: string;
  /** Processors. */
  readonly harts: number;
  readonly pidLimit: number;
  fillRandom(bytes: Uint8Array): void;
}
