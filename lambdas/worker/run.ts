/** Runs a guest until its slice is over: bursts of guest code, and between them the inbox and short waits. */
import {
  ImageError,
  type CommonDefinition,
  type Exit,
  type Guest,
  type WantedPage,
} from '../../engine/models/guest';
import type { GuestResult, InboxEntry, SliceTrace } from '../store/store';

export interface RunLimits {
  /** The slice's length in ms, idle time included. */
  readonly sliceMs: number;
  /** Instructions of this slice at most. */
  readonly instructions: number;
  /** When everything must be committed (ms since the epoch). */
  readonly deadline: number;
  /** Bytes of changed pages that a flush handles in a millisecond. */
  readonly flushRate: number;
}

/** What a run needs of its surroundings. */
export interface RunSurroundings {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Entries after `cursor`, a bounded number. */
  readonly inbox: (cursor: number) => Promise<InboxEntry[]>;
  /** Brings pages that the guest waits for. */
  readonly bring: (wanted: readonly WantedPage[]) => Promise<void>;
  readonly clock: CommonDefinition['clock'];
}

/** Why a slice is over. A guest that waits for pages gets them first. */
export type SliceExit = Exclude<Exit, { reason: 'page wanted' }>;

export interface RunResult {
  readonly exit: SliceExit;
  readonly output: Uint8Array;
  readonly results: readonly GuestResult[];
  readonly inboxCursor: number;
  /** Entries that the guest was given. */
  readonly inboxEntries: number;
  /** Waited or skipped while the guest was idle, in ms. */
  readonly idleMs: number;
  /** When the guest first emitted something (ms since the epoch); undefined when it did not. */
  readonly firstOutputAt: number | undefined;
  /** Waited for pages, in ms. */
  readonly waitMs: number;
  /** What the guest was given, and when. */
  readonly trace: SliceTrace;
}

/** Guest code runs this long at a stretch; then the inbox and the time to flush are looked at. */
const BURST_MS = 1000;
/** Even without time in hand a slice gets this far: a guest always moves on. */
const SHORTEST_BURST_MS = 50;
/** An idle guest is waited for within the slice when its timer is this near. */
const SHORT_WAIT_MS = 2000;
/** An idle guest's output waits no longer than this for its commit. */
const OUTPUT_PATIENCE_MS = 1000;
/**
 * A busy guest's results wait no longer than about this, whoever asked for them. Not in deterministic mode, whose
 * slices are cut at the same instruction wherever they run.
 */
const RESULT_PATIENCE_MS = 1000;
/** How often the inbox is read at most. */
const INBOX_INTERVAL_MS = 500;
/** Output, results included, that ends a slice, since it is held in memory. */
const OUTPUT_BYTES = 4 * 1024 * 1024;
/** Bytes given at once: the guest's own queues take them from there. */
const GIVEN_BYTES = 64 * 1024;
/** Entries of one slice at most: their list is part of the generation's record. */
const GIVEN_ENTRIES = 1000;
/** What a result costs besides its bytes, so that empty ones end a slice too. */
const RESULT_OVERHEAD = 64;
/** Kept in hand for the last requests, besides the time for the pages. */
const COMMIT_MS = 1500;
const PAGE_BYTES = 4096;

export async function run(
  guest: Guest,
  inboxCursor: number,
  limits: RunLimits,
  surroundings: RunSurroundings,
): Promise<RunResult> {
  const session = new Session(guest, inboxCursor, limits, surroundings);
  const exit = await session.run();
  return {
    exit,
    output: session.output(),
    results: session.results,
    inboxCursor: session.cursor,
    inboxEntries: session.entries,
    idleMs: session.idleMs,
    waitMs: session.waitMs,
    firstOutputAt: session.firstOutputAt,
    trace: session.trace(exit),
  };
}

/** Of `milliseconds` of idle time what a guest whose clock stands still is to see: no timer of it comes late. */
export function idleTime(milliseconds: number, wakeAfter: bigint | undefined): bigint {
  const passed = BigInt(Math.max(0, Math.round(milliseconds * 1e6)));
  return wakeAfter !== undefined && wakeAfter < passed ? wakeAfter : passed;
}

class Session {
  cursor: number;
  entries = 0;
  readonly results: GuestResult[] = [];
  idleMs = 0;
  waitMs = 0;
  readonly given: (readonly [sequence: number, instructions: number, skips: number])[] = [];
  readonly startInstructions: number;
  private skips = 0;
  private readonly started: number;
  private readonly parts: Uint8Array[] = [];
  private outputBytes = 0;
  private outputSince = Infinity;

  private resultsSince = Infinity;
  private lastPoll = -Infinity;
  private dirtyPages = 0;
  private dirtyGrowth = 0;

  constructor(
    private readonly guest: Guest,
    cursor: number,
    private readonly limits: RunLimits,
    private readonly surroundings: RunSurroundings,
  ) {
    this.cursor = cursor;
    this.started = surroundings.now();
    this.startInstructions = guest.instructions;
  }

  async run(): Promise<SliceExit> {
    for (let first = true; ; first = false) {
      await this.deliver();
      const exit = await this.settledBurst(first);
      this.collectOutput();
      this.collectResults();
      if (exit.reason === 'halted' || exit.reason === 'fault') return exit;
      if (this.instructionsLeft() <= 0 || this.given.length >= GIVEN_ENTRIES) return exit;
      if (this.outputBytes >= OUTPUT_BYTES || this.surroundings.now() >= this.end()) return exit;
      if (exit.reason === 'budget' && this.resultsAreDue()) return exit;
      if (exit.reason === 'idle' && !(await this.deliver()) && !(await this.wait(exit.wakeAfter)))
        return exit;
    }
  }

  trace(exit: SliceExit): SliceTrace {
    const { startInstructions: from, skips, given } = this;
    return { from, to: this.guest.instructions, skips, idle: exit.reason === 'idle', given };
  }

  get firstOutputAt(): number | undefined {
    return this.outputSince === Infinity ? undefined : this.outputSince;
  }

  output(): Uint8Array {
    return Buffer.concat(this.parts);
  }

  private instructionsLeft(): number {
    return this.limits.instructions - (this.guest.instructions - this.startInstructions);
  }

  /** When the slice is over: its length, or sooner if flushing takes long. The next burst may write as much as the last. */
  private end(): number {
    const pages = this.dirtyPages + this.dirtyGrowth;
    const flushMs = COMMIT_MS + (pages * PAGE_BYTES + this.outputBytes) / this.limits.flushRate;
    return Math.min(this.started + this.limits.sliceMs, this.limits.deadline - flushMs);
  }

  /** A burst, with all pages that it wants: a guest is never saved while it waits for one. */
  private async settledBurst(first: boolean): Promise<SliceExit> {
    const { now, bring } = this.surroundings;
    for (let exit = this.burst(first); ; exit = this.burst(false)) {
      if (exit.reason !== 'page wanted') return exit;
      const start = now();
      await bring(exit.wanted);
      this.waitMs += now() - start;
    }
  }

  private burst(first: boolean): Exit {
    const { now } = this.surroundings;
    const start = now();
    const length = Math.min(BURST_MS, this.end() - start);
    const end = start + (first ? Math.max(length, SHORTEST_BURST_MS) : length);
    const exit = this.guest.run({ instructions: this.instructionsLeft(), expired: () => now() >= end });
    const dirty = this.guest.spaces.reduce((pages, space) => pages + space.dirty().length, 0);
    this.dirtyGrowth = dirty - this.dirtyPages;
    this.dirtyPages = dirty;
    return exit;
  }

  private collectOutput(): void {
    const bytes = this.guest.takeOutput();
    if (bytes.length === 0) return;
    this.parts.push(bytes.slice());
    this.emitted(bytes.length);
  }

  private collectResults(): void {
    for (const bytes of this.guest.takeResults()) this.result({ bytes });
  }

  private result(result: GuestResult): void {
    this.results.push(result);
    this.emitted(result.bytes.length + RESULT_OVERHEAD);
    this.resultsSince = Math.min(this.resultsSince, this.surroundings.now());
  }

  private resultsAreDue(): boolean {
    const { now, clock } = this.surroundings;
    return clock !== 'deterministic' && now() - this.resultsSince >= RESULT_PATIENCE_MS;
  }

  private emitted(bytes: number): void {
    this.outputBytes += bytes;
    this.outputSince = Math.min(this.outputSince, this.surroundings.now());
  }

  /** Gives the guest what waits in its inbox. True when there was something. */
  private async deliver(): Promise<boolean> {
    const { now, inbox } = this.surroundings;
    if (now() - this.lastPoll < INBOX_INTERVAL_MS) return false;
    this.lastPoll = now();
    const before = this.entries;
    let given = 0;
    for (const entry of await inbox(this.cursor)) {
      if (given > 0 && given + entry.data.length > GIVEN_BYTES) break;
      given += entry.data.length;
      // Entries of a kind that this version does not know are passed over.
      if (entry.type === 'text') this.guest.type(entry.data);
      else if (entry.type === 'event') this.give(entry);
      this.given.push([entry.sequence, this.guest.instructions, this.skips]);
      this.cursor = entry.sequence;
      this.entries += 1;
    }
    return this.entries > before;
  }

  /** Hands over an event. That a guest takes none is an answer to the sender, not a fault of the slice. */
  private give(event: InboxEntry): void {
    try {
      this.guest.deliver(event.data);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      this.result({
        bytes: new Uint8Array(0),
        error: `event ${event.sequence} (${event.id}) was not delivered: ${error.message}`,
      });
    }
  }

  /** Lets a short idle time pass within the slice. False: it is better to commit. */
  private async wait(wakeAfter: bigint | undefined): Promise<boolean> {
    if (wakeAfter === undefined) return false;
    const { now, sleep, clock } = this.surroundings;
    const milliseconds = Number(wakeAfter) / 1e6;
    const short =
      milliseconds <= SHORT_WAIT_MS &&
      now() + milliseconds < this.end() &&
      this.idleMs + milliseconds <= this.limits.sliceMs &&
      now() + milliseconds - this.outputSince < OUTPUT_PATIENCE_MS;
    if (!short) return false;
    this.idleMs += milliseconds;
    this.skips += 1;
    if (clock === 'deterministic') {
      this.guest.skipIdle(wakeAfter);
      return true;
    }
    const before = now();
    await this.sleepOrEvent(milliseconds, sleep);
    if (clock === 'suspended') this.guest.skipIdle(idleTime(now() - before, wakeAfter));
    return true;
  }

  private async sleepOrEvent(
    milliseconds: number,
    sleep: (milliseconds: number) => Promise<void>,
  ): Promise<void> {
    for (let left = milliseconds; left > 0; left -= INBOX_INTERVAL_MS) {
      await sleep(Math.min(left, INBOX_INTERVAL_MS));
      if (await this.deliver()) return;
    }
  }
}
