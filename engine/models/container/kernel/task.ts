/** Tasks (threads) and processes (thread groups): state, and what is derived from it. Linux: task_struct, signal_struct. */
import type { AddressSpace } from '../mm/address-space';
import type { Description } from './description';
import type { FileContext } from './file-context';
import type { FileTable } from './file-table';
import { PendingSignals, type SignalActions } from './signal-state';
import type { Wait } from './wait';

export interface Credentials {
  uid: number;
  euid: number;
  suid: number;
  fsuid: number;
  gid: number;
  egid: number;
  sgid: number;
  fsgid: number;
  groups: readonly number[];
}

export const rootCredentials = (): Credentials => ({
  uid: 0,
  euid: 0,
  suid: 0,
  fsuid: 0,
  gid: 0,
  egid: 0,
  sgid: 0,
  fsgid: 0,
  groups: [],
});

/** What a system call that did not end yet has to remember; it is executed anew when its wait is over. */
export interface CallState {
  /** When it times out: nanoseconds of monotonic time. */
  deadline?: bigint | undefined;
  /** Bytes moved already. */
  progress: number;
  /** A futex wake, or the parent's release by a vforked child, has come. */
  woken: boolean;
  /** The signal mask to return to: ppoll, pselect6, rt_sigsuspend. */
  savedMask?: bigint | undefined;
}

export type TaskState = 'runnable' | 'blocked' | 'stopped' | 'dead';

/** Interval timer of a process, ITIMER_REAL: nanoseconds. */
export interface IntervalTimer {
  deadline: bigint;
  interval: bigint;
}

export interface Limit {
  current: bigint;
  maximum: bigint;
}

/** One process: what its threads share whatever they were cloned with. */
export class Process {
  readonly threads = new Set<Task>();
  readonly pending = new PendingSignals();
  children = new Set<Process>();
  /** Wait status once it is a zombie. */
  exitStatus: number | undefined;
  /** Set once exit_group or a fatal signal began. */
  exiting = false;
  stopped = false;
  /** A stop or continuation that the parent has not waited for yet: its wait status. */
  report: number | undefined;
  timer: IntervalTimer | undefined;
  /** Instructions of threads and children that are gone. */
  spentSteps = 0n;
  childSteps = 0n;
  limits = new Map<number, Limit>();
  command = '';
  commandLine: Uint8Array = new Uint8Array();
  environment: Uint8Array = new Uint8Array();
  auxiliary: Uint8Array = new Uint8Array();
  /** What /proc/self/exe leads to. */
  executable: Description | undefined;
  /** CLONE_PARENT_SETTID etc. aside: the signal that the parent gets at exit. */
  exitSignal = 17;
  started = 0n;
  /** PR_SET_CHILD_SUBREAPER */
  subreaper = false;

  constructor(
    readonly pid: number,
    public parent: Process | undefined,
    public group: number,
    public session: number,
  ) {}

  get leader(): Task | undefined {
    for (const task of this.threads) if (task.tid === this.pid) return task;
    return [...this.threads][0];
  }
}

export class Task {
  state: TaskState = 'runnable';
  wait: Wait | undefined;
  call: CallState | undefined;
  /** What it waited for when a signal cut its system call short. */
  interrupted: Wait | undefined;
  /** Registers while it does not run; the hart holds those of the running task. */
  context: Uint8Array = new Uint8Array();
  blocked = 0n;
  readonly pending = new PendingSignals();
  alternateStack = { address: 0, size: 0, flags: 2 };
  clearChildTid = 0;
  robustList = 0;
  steps = 0n;
  name = '';
  /** A parent that waits in vfork until this task has left its memory. */
  vforkParent: Task | undefined;
  parentDeathSignal = 0;

  constructor(
    public tid: number,
    readonly process: Process,
    public space: AddressSpace,
    public files: FileTable,
    public fileContext: FileContext,
    public actions: SignalActions,
    public credentials: Credentials,
  ) {}
}
