/** Events: each is given to a process of its own, one after another, on its stdin; what it writes is the result. */
import { bytes, count, list, optional, record } from '../../snapshot/codec';
import { type ContainerDefinition, ImageError } from '../guest';
import { Errno } from './errno';
import { anonymousLocation } from './ipc/anonymous';
import { PipeEnd } from './ipc/pipe';
import { Description } from './kernel/description';
import { keepPipe } from './kernel/pipes';
import type { Kernel } from './kernel/kernel';
import { OutOfMemory } from './mm/page-table';
import { encodeText } from './mm/user-memory';
import { openConsole, startProgram } from './kernel/start';
import { BaseFile } from './vfs/base-file';
import { O, POLL } from './vfs/constants';

/** Bytes of one result at most; more is refused with ENOSPC. */
const LARGEST_RESULT = 6 * 2 ** 20;

const layout = record('container-events', 1, {
  waiting: list(bytes),
  running: optional(count),
  output: bytes,
});

export class EventRunner {
  private waiting: Uint8Array[] = [];
  /** Pid of the process that has the present event. */
  private running: number | undefined;
  private output: Uint8Array[] = [];
  private size = 0;
  /** No part of the state: whoever makes a checkpoint takes them with it. */
  private results: Uint8Array[] = [];

  constructor(
    private readonly kernel: Kernel,
    private readonly definition: ContainerDefinition,
  ) {
    kernel.onExit = ({ pid }) => {
      if (pid !== this.running) return;
      this.results.push(joined(this.output));
      this.finish();
    };
  }

  deliver(event: Uint8Array): void {
    if (!this.definition.onEvent) {
      throw new ImageError('this container takes no events: give it an `onEvent` program');
    }
    this.waiting.push(event.slice());
    this.kernel.stirred = true;
  }

  /** Gives the next event to a process when none is at work. */
  start(): void {
    const { kernel, definition } = this;
    const event = this.waiting[0];
    if (!event || this.running !== undefined || kernel.halted || !definition.onEvent) return;
    try {
      const task = startProgram(kernel, definition, definition.onEvent, (created) => {
        const pipe = keepPipe(kernel, kernel.nextId++, Math.max(1, event.length));
        pipe.put(event);
        created.files.set(0, new Description(new PipeEnd(pipe, O.RDONLY)), false);
        created.files.set(1, new Description(this.resultFile()), false);
        created.files.set(2, openConsole(kernel, created), false);
      });
      this.running = task.process.pid;
      this.waiting.shift();
    } catch (error) {
      // No pid or no memory is free: later.
      if (error instanceof Errno || error instanceof OutOfMemory) return;
      if (!(error instanceof ImageError)) throw error;
      kernel.terminal.write(encodeText(`${error.message}\n`));
      this.results.push(new Uint8Array());
      this.waiting.shift();
    }
  }

  resultFile(): ResultFile {
    return new ResultFile(this.kernel.nextId++, this);
  }
  /** @throws Errno ENOSPC */
  append(part: Uint8Array): void {
    if (this.size + part.length > LARGEST_RESULT) throw new Errno('ENOSPC');
    this.size += part.length;
    this.output.push(part.slice());
  }

  take(): Uint8Array[] {
    const taken = this.results;
    this.results = [];
    return taken;
  }

  save(): Uint8Array {
    const { waiting, running } = this;
    return layout.encode({ waiting, running, output: joined(this.output) });
  }
  restore(payload: Uint8Array): void {
    const { waiting, running, output } = layout.decode(payload);
    this.waiting = waiting;
    this.running = running;
    this.output = output.length > 0 ? [output] : [];
    this.size = output.length;
    this.results = [];
  }

  private finish(): void {
    this.running = undefined;
    this.output = [];
    this.size = 0;
  }
}

/** The stdout of an event's process. What comes after its end belongs to nobody and is dropped. */
export class ResultFile extends BaseFile {
  constructor(
    readonly id: number,
    private readonly events: EventRunner,
  ) {
    super(anonymousLocation(id, 0o600), O.WRONLY);
  }
  override write(from: Uint8Array): number {
    this.events.append(from);
    return from.length;
  }
  override poll(): number {
    return POLL.OUT;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
