/**
 * What the worker, the ingress and the command line know of stored guests.
 *
 * One item decides: the **head**. A slice writes packs, a generation record,
 * console output, results and metrics under keys that carry the generation to come and
 * the fencing number of its lease; `swapHead` then makes them true all at
 * once, or never (DESIGN 5.1). Readers of console, results and metrics return
 * only what a committed head names.
 */
import type { Usage } from './table';

export type Status =
  /** A slice is wanted now. */
  | 'runnable'
  /** Waits for a timer (`wakeAt`) or an event. */
  | 'idle'
  /** Powered off. */
  | 'halted'
  /** Cannot go on; `reason` says why and what to do. */
  | 'failed'
  /** Stopped by its breaker; `reason` says which budget. */
  | 'suspended';

export interface Lease {
  /** Unique for each attempt. */
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** What a guest has used in one day. */
export interface DaySpent {
  /** Days since 1970-01-01, UTC. */
  readonly day: number;
  readonly slices: number;
  /** Of workers' time. */
  readonly seconds: number;
  readonly dollars: number;
}

/** The state of one guest: a fixed-size item, whatever the guest's size. */
export interface Head {
  readonly guest: string;
  /** Key of the definition that the guest was made from: its image's identity, from generation 0 on. */
  readonly definition: string;
  /** Checkpoints committed. */
  readonly generation: number;
  /** Raised by every lease, never lowered. */
  readonly fencing: number;
  /** The fencing number under which `generation` was committed: with it, the key of the generation's record. */
  readonly committedFencing: number;
  /** Id of the queue message whose slice committed `generation`: it answers for sending the next token. */
  readonly committedBy?: string;
  /** Leases taken since the last commit; what resumes a suspended guest sets it to 0. */
  readonly attempts: number;
  readonly status: Status;
  readonly reason?: string;
  readonly lease?: Lease;
  /** Sequence number of the last inbox entry that is part of the checkpoint. */
  readonly inboxCursor: number;
  /** Bytes of console output committed so far. */
  readonly consoleOffset: number;
  /** Results committed so far: the index of the next one. */
  readonly results: number;
  /** Slices committed; counts against the breaker's budget. */
  readonly slices: number;
  /** Instructions executed since generation 0, reboots included. */
  readonly instructions: number;
  /** Of the day of the last slice; counts against the breaker's budget. */
  readonly spent?: DaySpent;
  /** Idle with a timer: when it is due (milliseconds since the epoch), and how far off it was in guest time (ns, decimal). */
  readonly wakeAt?: number;
  readonly wakeAfter?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a head must still be for a change of it to happen. */
export type HeadExpectation = Pick<Head, 'generation' | 'fencing' | 'status'>;

/** Which attempt wrote something: the generation it would become, and the lease's fencing number. */
export interface Attempt {
  readonly generation: number;
  readonly fencing: number;
}

/** A pack's name within its guest. */
export interface PackId extends Attempt {
  /** Counts the packs of one attempt from 0. */
  readonly number: number;
}

export type CodecName = 'zstd' | 'deflate' | 'raw';

export interface StoredPack {
  readonly codec: string;
  /** Over `body`, 32 bytes. */
  readonly sha256: Uint8Array;
  readonly body: Uint8Array;
}

/** Where packs lie. Packs are written once and never changed. */
export interface PackStore {
  /** Stored bytes of a pack at most; default: what fits an item of the table. */
  readonly packBytes?: number;
  put(guest: string, id: PackId, pack: StoredPack): Promise<void>;
  get(guest: string, id: PackId): Promise<StoredPack | undefined>;
  /** Deleting what is not there is no error. */
  delete(guest: string, id: PackId): Promise<void>;
  /** All packs that any attempt at `generation` wrote. */
  list(guest: string, generation: number): Promise<PackId[]>;
}

/** What history and replay have to know of a generation: the head as it was committed, and what the guest was given. */
export interface GenerationFacts {
  /** When the slice ended (milliseconds since the epoch). */
  readonly createdAt: number;
  readonly head: Pick<
    Head,
    'status' | 'reason' | 'wakeAfter' | 'inboxCursor' | 'consoleOffset' | 'results' | 'instructions'
  >;
  /** The generation whose content this one took over, after a rollback. */
  readonly copyOf?: Attempt;
  /** For deterministic guests. */
  readonly trace?: SliceTrace;
}

/** What reached a deterministic guest in a slice, and when: with it the slice can be run again. */
export interface SliceTrace {
  /** Instructions since power-on when the slice began, and when it ended. */
  readonly from: number;
  readonly to: number;
  /** How often idle time was skipped within it. */
  readonly skips: number;
  /** Whether it ended because the guest was idle. */
  readonly idle: boolean;
  /** Idle time that was skipped before it (ns, decimal). */
  readonly skipped?: string;
  /** Inbox entries in order: sequence, instructions since power-on, skips of idle time before it. */
  readonly given: readonly (readonly [sequence: number, instructions: number, skips: number])[];
}

/** The record of one attempt at a generation: page index root, and what history has to know. */
export interface GenerationRecord extends Attempt, Partial<GenerationFacts> {
  /** The generation that it was made from. */
  readonly parent: Attempt;
  readonly codec: string;
  /** Over `root`. */
  readonly sha256: Uint8Array;
  /** Coded by `page-index.ts`. */
  readonly root: Uint8Array;
}

/** An event on its way to a guest. */
export interface InboxEntry {
  /** From 1, without gaps. */
  readonly sequence: number;
  /** The sender's, unique: tells an append whose answer got lost from one that another sender won. */
  readonly id: string;
  readonly type: string;
  readonly data: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
}

/** What a guest made of an event, or why it made nothing of it. */
export interface GuestResult {
  readonly bytes: Uint8Array;
  /** Why there is no result; `bytes` is empty then. Ends in what to do. */
  readonly error?: string;
}

export interface ResultRecord extends GuestResult {
  /** From 0, without gaps, over the guest's whole life. */
  readonly index: number;
  /** The generation that made it visible. */
  readonly generation: number;
}

export interface ConsoleSlice {
  readonly bytes: Uint8Array;
  /** Where to read on. */
  readonly next: number;
}

/** What one committed slice did and cost. */
export interface SliceMetrics {
  readonly guest: string;
  /** The generation that the slice committed. */
  readonly generation: number;
  readonly fencing: number;
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Status and reason after the slice. */
  readonly status: Status;
  readonly reason?: string;
  /** `image`: built anew; `cold`: from packs; `behind`: held at an earlier generation; `warm`: held at this one. */
  readonly restoredFrom: 'image' | 'cold' | 'behind' | 'warm';
  readonly restoreMs: number;
  readonly runMs: number;
  readonly idleMs: number;
  readonly flushMs: number;
  /** Of this slice alone. */
  readonly instructions: number;
  /** Exits from guest code by cause, of this slice alone. */
  readonly exits: Readonly<Record<string, number>>;
  readonly pages: {
    /** Changed since the last checkpoint. */
    readonly dirty: number;
    /** Of those, as they were: written to without a change. */
    readonly unchanged: number;
    readonly zero: number;
    /** Of the dirty ones, equal to another of this slice. */
    readonly equal: number;
    /** Stored again, to lie with others of the working set or to free old packs. */
    readonly moved: number;
    /** Put back into the guest: before it ran, and when it wanted them. */
    readonly restored: number;
    /** How often the guest had to wait for some. */
    readonly waits: number;
  };
  /** From the slice's start to the first output or result of the guest; absent when there was none. */
  readonly firstOutputMs?: number;
  /** Of the run: waiting for pages. */
  readonly waitMs: number;
  readonly packs: number;
  readonly consoleBytes: number;
  readonly inboxEntries: number;
  readonly results: number;
  /** Everything that the slice wrote before its commit. */
  readonly bytesWritten: number;
  readonly writeUnits: number;
  readonly bytesRead: number;
  readonly readUnits: number;
  /** What the slice cost, by lambdas/economics/prices.ts. */
  readonly dollars: number;
  /** Requests to the packs' bucket, where there is one. */
  readonly s3Puts?: number;
  readonly s3Gets?: number;
}

/** What tells committed generations from others. */
export type CommittedHead = Pick<Head, 'guest' | 'generation' | 'committedFencing'>;

export interface GenerationRange {
  readonly from?: number;
  /** Generations wanted at most. */
  readonly limit?: number;
  readonly descending?: boolean;
}

/** A generation that another guest was forked from. */
export interface Pin extends Attempt {
  /** Id of the fork. */
  readonly fork: string;
}

export interface CheckpointStore {
  readonly usage: Usage;
  readonly packs: PackStore;

  head(guest: string): Promise<Head | undefined>;
  /** Writes the first head; if there is one already, returns that. */
  createHead(head: Head): Promise<Head>;
  /** Replaces the head if it still is as expected; false otherwise. */
  swapHead(expected: HeadExpectation, next: Head): Promise<boolean>;

  writeGeneration(guest: string, record: GenerationRecord): Promise<void>;
  generation(guest: string, attempt: Attempt): Promise<GenerationRecord | undefined>;
  deleteGeneration(guest: string, attempt: Attempt): Promise<void>;
  /** Records of the committed generations that are kept, one for each, in order. */
  generations(head: CommittedHead, range?: GenerationRange): Promise<GenerationRecord[]>;

  /** Keeps a generation of `guest` for as long as a fork needs it. */
  pin(guest: string, pin: Pin): Promise<void>;
  unpin(guest: string, fork: string): Promise<void>;
  pins(guest: string): Promise<Pin[]>;
  /** While set, generations up to this one may be on their way out, and are not to be forked. */
  collecting(guest: string): Promise<number | undefined>;
  setCollecting(guest: string, through: number | undefined): Promise<void>;

  /** Writes output that begins at `start`, invisible until the attempt's head is committed with a larger `consoleOffset`. */
  writeConsole(guest: string, attempt: Attempt, start: number, bytes: Uint8Array): Promise<void>;
  /** Committed output from byte `from` on, `limit` bytes at most (default: all). */
  readConsole(guest: string, from: number, limit?: number): Promise<ConsoleSlice>;

  /** Writes results that begin at index `start`, invisible until the attempt's head is committed with more `results`. */
  writeResults(
    guest: string,
    attempt: Attempt,
    start: number,
    results: readonly GuestResult[],
  ): Promise<void>;
  /** Committed results from index `from` on, in order, `limit` at most (default: all). */
  readResults(guest: string, from: number, limit?: number): Promise<ResultRecord[]>;

  /**
   * Appends one entry and returns its sequence number; two senders never overwrite each other. An entry whose id is
   * in the inbox already stays there alone: its sender tried again.
   */
  appendInbox(guest: string, entry: Omit<InboxEntry, 'sequence'>): Promise<number>;
  /** Entries after `cursor` in order, `limit` at most. */
  readInbox(guest: string, cursor: number, limit: number): Promise<InboxEntry[]>;

  /** A copy of the definition that lies under the key among the assets; undefined when there is none. */
  definition(key: string): Promise<string | undefined>;
  /** Keeps a copy, unless it is too large for one. */
  keepDefinition(key: string, text: string): Promise<void>;

  writeMetrics(metrics: SliceMetrics): Promise<void>;
  /** Metrics of the committed slices from generation `from` on, one for each generation, in order. */
  readMetrics(guest: string, from?: number): Promise<SliceMetrics[]>;
}
