/** What one container's kernel consists of: its tasks, its memory, its files, its clock. Behaviour lies beside it. */
import { TICK_NANOSECONDS } from '../../guest-time';
import * as at from '../../../cpu/layout';
import type { Hart } from '../../../cpu/hart';
import type { RandomSource } from '../../../devices/device';
import { Errno } from '../errno';
import { AddressSpace } from '../mm/address-space';
import type { Frames } from '../mm/frames';
import { PageTable } from '../mm/page-table';
import { SharedObject } from '../mm/shared-object';
import { UserMemory } from '../mm/user-memory';
import type { Pipe } from '../ipc/pipe';
import type { Terminal } from '../tty/terminal';
import type { Files } from './files';
import type { Process, Task } from './task';

/** pid_max of a container: numbers start again from here. */
const PID_MAX = 32768;

export interface KernelOptions {
  readonly hart: Hart;
  readonly frames: Frames;
  readonly random: RandomSource;
  /** Wall time at mtime zero, nanoseconds since the Unix epoch. */
  readonly epoch: bigint;
  /** Tasks at most. */
  readonly pidLimit: number;
  readonly hostname: string;
  /** All that the hart has, by name. */
  readonly extensions: readonly string[];
}

export interface Halted {
  readonly how: 'power-off' | 'failure';
  readonly code: number;
}

export class Kernel {
  readonly hart: Hart;
  readonly frames: Frames;
  readonly random: RandomSource;
  readonly pidLimit: number;
  readonly extensions: readonly string[];
  readonly memory: UserMemory;
  /** Set once the tree of files is there. */
  files!: Files;
  terminal!: Terminal;

  readonly tasks = new Map<number, Task>();
  readonly processes = new Map<number, Process>();
  /** Runnable tasks that wait for their turn, in order. */
  readonly queue: Task[] = [];
  /** The task whose registers the hart holds. */
  loaded: Task | undefined;
  /** Step at which the loaded task's turn ends. */
  turnEnd = 0;
  nextPid = 1;
  nextId = 1;
  epoch: bigint;
  hostname: string;
  domainName = '(none)';
  halted: Halted | undefined;
  /** Something happened that may end a wait. */
  stirred = true;
  /** MAP_SHARED memory by number. */
  readonly objects = new Map<number, SharedObject>();
  readonly pipes = new Set<Pipe>();
  /** FIFOs that are open, by file system and inode. */
  readonly fifos = new Map<string, Pipe>();
  /** System calls that are not there, and kills for want of memory: counted by name. */
  readonly counters = new Map<string, number>();
  /** One line for each system call, as strace writes it. */
  log: ((line: string) => void) | undefined;
  /** A process ended; whoever started it from outside wants to know. */
  onExit: ((process: Process) => void) | undefined;

  constructor(options: KernelOptions) {
    this.hart = options.hart;
    this.frames = options.frames;
    this.random = options.random;
    this.pidLimit = options.pidLimit;
    this.extensions = options.extensions;
    this.epoch = options.epoch;
    this.hostname = options.hostname;
    this.memory = new UserMemory(this.frames, () => this.current.space);
  }

  /** The task that made the system call or trapped. */
  get current(): Task {
    if (!this.loaded) throw new Error('no task runs');
    return this.loaded;
  }
  get steps(): number {
    return Number(this.hart.steps);
  }
  /** Monotonic nanoseconds since the container's start. */
  get now(): bigint {
    return this.hart.time * TICK_NANOSECONDS;
  }
  /** Nanoseconds since the Unix epoch. */
  get wall(): bigint {
    return this.epoch + this.now;
  }
  /** Steps until a time of `now` is reached. */
  stepsUntil(deadline: bigint): bigint {
    return this.hart.stepsUntil((deadline + TICK_NANOSECONDS - 1n) / TICK_NANOSECONDS);
  }

  count(name: string): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + 1);
  }

  /** @throws Errno EAGAIN at the limit of tasks */
  allocatePid(): number {
    if (this.tasks.size >= this.pidLimit) throw new Errno('EAGAIN');
    for (;;) {
      const pid = this.nextPid;
      this.nextPid = pid + 1 < PID_MAX ? pid + 1 : 2;
      if (!this.tasks.has(pid) && !this.processes.has(pid) && !this.pidInUse(pid)) return pid;
    }
  }
  /** A process group or session outlives the process that it is named after. */
  private pidInUse(pid: number): boolean {
    for (const process of this.processes.values()) {
      if (process.group === pid || process.session === pid) return true;
    }
    return false;
  }

  readonly forgetPage = (page: number): void => this.hart.forgetPage(page * 4096);

  /** @throws OutOfMemory */
  createSpace(): AddressSpace {
    return new AddressSpace(PageTable.create(this.frames), this.frames, this.forgetPage);
  }
  releaseSpace(space: AddressSpace): void {
    space.release();
    if (space.users > 0) return;
    // The freed tables may hold something else by the time that their root is used again.
    this.hart.setCell(at.SATP, 0n);
    this.hart.flushTranslations();
  }

  createObject(description: SharedObject['file']): SharedObject {
    const object = new SharedObject(this.nextId++, description, this.frames, ({ id }) => {
      this.objects.delete(id);
      description?.release();
    });
    this.objects.set(object.id, object);
    return object;
  }

  /** The hart goes on as `task`. */
  load(task: Task): void {
    const { hart } = this;
    if (this.loaded !== task) {
      if (this.loaded) this.loaded.context = hart.saveContext();
      hart.loadContext(task.context);
      this.loaded = task;
    }
    const { satp } = task.space.table;
    if (hart.cell(at.SATP) === satp) return;
    hart.setCell(at.SATP, satp);
    hart.flushTranslations();
  }

  makeRunnable(task: Task): void {
    if (task.state === 'dead' || task.state === 'runnable') return;
    task.state = 'runnable';
    task.wait = undefined;
    this.queue.push(task);
  }
}
