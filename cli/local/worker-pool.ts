/**
 * The execution environments of one function: as many processes as the
 * function may run at once, started when needed, used again while they live,
 * and replaced when they died.
 */
import { join } from 'node:path';
import type { FunctionConfiguration } from './function-configuration';
import type { Scratch } from './scratch';
import { WorkerProcess, type InvocationResult, type WorkerProcessOptions } from './worker-process';

/**
 * Which idle worker serves next: `reuse`, the one used last (as Lambda tends
 * to, so that its memory is warm), or `rotate`, the one that rested longest
 * (every slice moves on, the hard case for a guest).
 */
export type Placement = 'reuse' | 'rotate';

interface Slot {
  readonly number: number;
  worker: WorkerProcess | undefined;
  reserved: boolean;
  starts: number;
  lastUsed: number;
}

export class WorkerPool {
  readonly configuration: FunctionConfiguration;
  private readonly placement: Placement;
  private readonly scratch: Scratch;
  private readonly options: WorkerProcessOptions;
  private readonly slots: Slot[];
  private readonly waiting: ((slot: Slot) => void)[] = [];
  private readonly watching: (() => void)[] = [];
  private uses = 0;

  constructor(
    configuration: FunctionConfiguration,
    concurrency: number,
    placement: Placement,
    scratch: Scratch,
    options: WorkerProcessOptions,
  ) {
    this.configuration = configuration;
    this.placement = placement;
    this.scratch = scratch;
    this.options = options;
    this.slots = Array.from({ length: concurrency }, (_, number) => ({
      number,
      worker: undefined,
      reserved: false,
      starts: 0,
      lastUsed: 0,
    }));
  }

  get workers(): WorkerProcess[] {
    return this.slots.flatMap(({ worker }) => (worker?.alive === true ? [worker] : []));
  }

  /** Waits for a free worker and runs the handler in it. */
  async invoke(event: unknown, started?: (worker: WorkerProcess) => void): Promise<InvocationResult> {
    const slot = this.freeSlot() ?? (await new Promise<Slot>((resolve) => this.waiting.push(resolve)));
    slot.reserved = true;
    slot.lastUsed = ++this.uses;
    try {
      const worker = this.workerOf(slot);
      started?.(worker);
      return await worker.invoke(event);
    } finally {
      this.release(slot);
    }
  }

  /** Resolves when an invocation would not have to wait. Promises nothing for later. */
  async whenFree(): Promise<void> {
    if (this.freeSlot() === undefined) await new Promise<void>((resolve) => this.watching.push(resolve));
  }

  async stop(): Promise<void> {
    await Promise.all(this.slots.map(({ worker }) => worker?.kill() ?? Promise.resolve()));
  }

  private freeSlot(): Slot | undefined {
    const free = this.slots.filter((slot) => !slot.reserved);
    const sign = this.placement === 'rotate' ? 1 : -1;
    // A slot never used counts as the longest rested, and as the last choice for reuse.
    return free.sort((a, b) => sign * (a.lastUsed - b.lastUsed) || a.number - b.number)[0];
  }

  private workerOf(slot: Slot): WorkerProcess {
    if (slot.worker?.alive === true) return slot.worker;
    slot.starts += 1;
    // The first process of the first slot is "1", the one that replaces it "1.2".
    const id = slot.starts === 1 ? `${slot.number + 1}` : `${slot.number + 1}.${slot.starts}`;
    const directory = this.scratch.create(join(this.configuration.logicalId, id));
    slot.worker = new WorkerProcess(id, this.configuration, directory, this.options);
    return slot.worker;
  }

  private release(slot: Slot): void {
    slot.reserved = false;
    const next = this.waiting.shift();
    if (next === undefined) {
      for (const tell of this.watching.splice(0)) tell();
      return;
    }
    slot.reserved = true; // before the waiter runs, so that nobody else takes it
    next(slot);
  }
}
