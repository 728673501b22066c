/**
 * One guest while a worker runs it: the only thing that the store, the worker
 * and the command line know of the engine. Virtual machine, paravirtual
 * machine and container implement it.
 */

import type { EngineOptions } from '../cpu/hart';
import type { Inspection } from '../cpu/inspection';
import type { TraceOptions } from '../cpu/instruction-trace';
import type { PageSpace } from '../memory/page-space';

export type { EngineOptions, TraceOptions };

export { PAGE_SIZE, type LazyPages, type PageSpace } from '../memory/page-space';

/** Bounds of one call of `run`. The first to be reached ends it. */
export interface RunBudget {
  /** Instructions (retired or trapped) to run at most. Exact. */
  readonly instructions: number;
  /** Asked between bursts of some hundred thousand instructions; true ends the run. */
  readonly expired?: () => boolean;
}

/** Why `run` came back. */
export type Exit =
  /** The budget is spent; the guest is runnable. */
  | { readonly reason: 'budget' }
  /**
   * Somebody needs pages that are absent. The guest is as it was before what needs them: load them (or more), and run
   * on, also when no budget is left, before the guest is saved.
   */
  | { readonly reason: 'page wanted'; readonly wanted: readonly WantedPage[] }
  /** All harts wait for an interrupt. `wakeAfter`: nanoseconds until the next timer, undefined when none is set. */
  | { readonly reason: 'idle'; readonly wakeAfter: bigint | undefined }
  /** The guest powered off or asked for a reset. `code`: what it told the test finisher. */
  | { readonly reason: 'halted'; readonly how: 'power-off' | 'reset' | 'failure'; readonly code: number }
  /** The guest cannot go on, by no fault of the worker's. `message` ends in what to do. */
  | { readonly reason: 'fault'; readonly message: string };

/** A page of one of the guest's spaces. */
export interface WantedPage {
  readonly space: PageSpace;
  readonly page: number;
}

/** Exits from guest code by cause, cumulative since power-on, as `kvm_stat` shows them. */
export type ExitCounts = Readonly<Record<string, number>>;

export interface Guest {
  /** Everything that is stored page by page. */
  readonly spaces: readonly PageSpace[];
  /** Instructions executed since power-on; part of the saved state. Exact to 2^53. */
  readonly instructions: number;
  readonly exits: ExitCounts;
  /** Its harts, for debuggers. */
  readonly inspection?: Inspection | undefined;

  run(budget: RunBudget): Exit;

  /**
   * The files of its image, for a guest that was made without them and is asked for a page that only they have.
   * Absent in models that are always made with them.
   * @throws ImageError
   */
  provideFiles?(files: GuestFiles): void;

  /** Console bytes written by the guest since the last call. */
  takeOutput(): Uint8Array;
  /** Types bytes on the guest's console; queued inside the guest's state until it reads them. */
  type(bytes: Uint8Array): void;
  /**
   * Hands an event to the guest: one record, which waits in the guest's state
   * until the guest takes it. Machines get it as a line of the virtio port
   * `events`, containers on the stdin of their `onEvent` program.
   * @throws ImageError when this guest takes no events.
   */
  deliver(event: Uint8Array): void;
  /** Results of events, one record each, since the last call. */
  takeResults(): Uint8Array[];
  /**
   * Lets `nanoseconds` of guest time pass at once while the guest is idle. Ignored when its clock is `real`, which goes
   * by that of the caller (`HostServices.now`).
   */
  skipIdle(nanoseconds: bigint): void;

  /** All state that is not in `spaces`, as canonical bytes: equal states give equal bytes. */
  save(): Uint8Array;
  /** @throws StateError when the payload is malformed or of another guest shape. */
  restore(state: Uint8Array): void;

  /**
   * What was hot, so that whoever runs the guest next can translate it first: a few KB, never machine code, and no
   * part of the state, since no guest can tell. Undefined: nothing worth mentioning since the profile that was given
   * or taken last.
   */
  takeProfile?(): Uint8Array | undefined;
  /** @throws StateError on bytes that are no profile. */
  useProfile?(profile: Uint8Array): void;
}

/**
 * What a guest is made of. The JSON form is what the constructs write as an
 * asset and the worker reads; `GuestFiles` holds the contents of its files.
 */
export type GuestDefinition = MachineDefinition | ParavirtDefinition | ContainerDefinition;

/** What all models share. */
export interface CommonDefinition {
  /** Version of this format. */
  readonly version: 1;
  /** Bytes of RAM, a multiple of 1 MiB. */
  readonly memory: number;
  /** Extensions on top of rv64gc, lower case, e.g. `["rva22", "sstc"]`; absent: the default, see isa/extensions.ts. */
  readonly cpu?: readonly string[];
  /**
   * `real`: time goes on while nobody runs the guest, and is made up for. `suspended`: it stands still then, but for
   * `skipIdle`. `deterministic`: it follows from instructions.
   */
  readonly clock: 'real' | 'suspended' | 'deterministic';
  /** Seed of the guest's randomness in deterministic mode. */
  readonly seed?: number;
  /** Instructions that one slice runs at most: cuts a deterministic guest at exact counts. Absent: time alone decides. */
  readonly sliceInstructions?: number;
  /** When the guest is suspended, so that a mistake has a bounded price. Absent: never. */
  readonly breaker?: BreakerBudget;
}

/** A virtual machine: hardware imitated down to the firmware. */
export interface MachineDefinition extends CommonDefinition {
  readonly model: 'machine';
  /** 1 to 8; absent: 1. */
  readonly harts?: number;
  readonly firmware?: ImageFile;
  readonly kernel?: ImageFile;
  readonly initrd?: ImageFile;
  readonly commandLine?: string;
  /** Raw disk images, virtio-blk in this order, copy-on-write. */
  readonly disks?: readonly ImageFile[];
}

/** A paravirtual machine: a kernel that the porter changes, on hypercalls. */
export interface ParavirtDefinition extends CommonDefinition {
  readonly model: 'paravirt';
  /** 1 to 8; absent: 1. */
  readonly harts?: number;
  readonly kernel?: ImageFile;
  readonly initrd?: ImageFile;
  readonly commandLine?: string;
  readonly disks?: readonly ImageFile[];
  /** False leaves the kernel as it is: for comparisons. Absent: ported. */
  readonly port?: boolean;
}

/** A container: unmodified programs on the monitor's own Linux system calls. */
export interface ContainerDefinition extends CommonDefinition {
  readonly model: 'container';
  /** Tar archives, the lowest first; a later one lies over those before. */
  readonly layers: readonly ImageFile[];
  /** Program and arguments; the program is looked for in PATH. */
  readonly command: readonly string[];
  /** Program that each event is given to, on its stdin; its stdout is the result. Absent: events are refused. */
  readonly onEvent?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly hostname?: string;
  /** Tasks at most, threads included. Absent: 256. */
  readonly pids?: number;
}

/** What a guest may use, in all and in one day (UTC). */
export interface BreakerBudget {
  readonly maxSlices?: number;
  readonly maxInstructions?: number;
  readonly maxSlicesPerDay?: number;
  /** Of a worker's time. */
  readonly maxSecondsPerDay?: number;
  /** As `lambdas/economics` reckons them. */
  readonly maxDollarsPerDay?: number;
}

/** A file of the image. `key` is where the asset lies (S3 key in the assets bucket, or a path locally). */
export interface ImageFile {
  readonly key: string;
  /** Name for messages: the file's base name as the user gave it. */
  readonly name: string;
  /** Lower-case hexadecimal, checked when the file is loaded. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** The contents of a definition's files, in the caller's hands already. Fields as in the definition. */
export interface GuestFiles {
  readonly firmware?: Uint8Array;
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly disks?: readonly Uint8Array[];
  readonly layers?: readonly Uint8Array[];
}

/** What the engine may not take from its surroundings by itself. */
export interface HostServices {
  /** Nanoseconds since the Unix epoch. Not asked in deterministic mode. */
  now(): bigint;
  /** Not asked in deterministic mode. */
  fillRandom(bytes: Uint8Array): void;
  /**
   * What executes the guests' instructions, which no guest can tell. Absent: the interpreter. Its `compiler` may be
   * another thread (cpu/translator/compiler.ts).
   */
  readonly engine?: EngineOptions;
  /** Told of each system call of a container, as strace writes it. Absent: nobody looks. */
  readonly trace?: (line: string) => void;
  /** Shows the instructions of a guest as they are executed. Absent: nobody looks. */
  readonly instructions?: TraceOptions;
}

export { ImageError } from './image-error';
