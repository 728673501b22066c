/**
 * A host as a queueing system, by discrete events: guests ask for slices, slices wait for a free worker, run, and wait
 * for the table to take their checkpoint. All chance comes from a seed.
 */
import { seeded } from '../../cli/local/faults/random';
import { sliceDollars } from '../../lambdas/economics/slice-cost';
import { PRICES } from '../../lambdas/economics/prices';
import { MEMORY_MB, MIX, type GuestKind } from './mix';

export type StoreKind = 'dynamodb' | 's3' | 'mixed';

export interface Setting {
  readonly guests: number;
  readonly store: StoreKind;
  /** Workers at once: an account has 1,000 at first. */
  readonly concurrency: number;
  /** Write units a second: a new on-demand table takes 4,000. */
  readonly writeUnits: number;
  readonly seconds: number;
  readonly seed: number;
}

export interface KindResult {
  readonly kind: string;
  readonly guests: number;
  readonly slices: number;
  /** Dollars of one guest in a month of 730 hours, storage included. */
  readonly dollarsAMonth: number;
}

export interface Result extends Setting {
  readonly kinds: readonly KindResult[];
  readonly slicesPerSecond: number;
  /** Seconds from an event to its slice: mean, and what 95 of 100 do not exceed. */
  readonly waitMean: number;
  readonly wait95: number;
  /** Slices that still waited at the end. */
  readonly waiting: number;
  readonly workersBusy: number;
  readonly writeUnitsPerSecond: number;
  /** Seconds that a checkpoint waited for the table beyond its own time. */
  readonly flushWaitMean: number;
  readonly dollarsPerGuestMonth: number;
}

const MONTH_SECONDS = 730 * 3600;
/** Head, lease, metrics, generation record, inbox and results of one slice. */
const SMALL_UNITS = 9;
const PACK_KILOBYTES = 8192;
/** FACTS: from 8 KB an item on, an object in S3 is cheaper than units. */
const BREAK_EVEN_KILOBYTES = 8;

interface Writes {
  readonly units: number;
  readonly puts: number;
  readonly readUnits: number;
  readonly gets: number;
}

/** What a slice's checkpoint and restore ask of the stores. */
export function writesOf(kind: GuestKind, store: StoreKind): Writes {
  const toS3 = store === 's3' || (store === 'mixed' && kind.flushKilobytes > BREAK_EVEN_KILOBYTES);
  const puts = toS3 ? Math.ceil(kind.flushKilobytes / PACK_KILOBYTES) : 0;
  return {
    units: SMALL_UNITS + (toS3 ? 0 : kind.flushKilobytes),
    puts,
    readUnits: 4 + (toS3 ? 0 : Math.ceil(kind.readKilobytes / 4)),
    gets: toS3 ? Math.ceil(kind.readKilobytes / 128) : 0,
  };
}

interface Waiting {
  readonly kind: number;
  readonly since: number;
}

export function simulate(setting: Setting): Result {
  const random = seeded(setting.seed);
  const agenda = new Agenda();
  const counts = MIX.map(({ share }) => Math.round(setting.guests * share));
  // A host of one guest has an interactive one.
  if (setting.guests === 1) counts.splice(0, 3, 0, 1, 0);
  const slices = MIX.map(() => 0);
  const workerSeconds = MIX.map(() => 0);
  const waits: number[] = [];
  const queue = new Queue<Waiting>();
  let busy = 0;
  let busySeconds = 0;
  let units = 0;
  let tableFreeAt = 0;
  let flushWait = 0;
  let flushes = 0;
  const ended = MIX.map(() => 0);
  const exponential = (mean: number): number => -Math.log(1 - random()) * mean;

  const between = (kind: number): number => 3600 / ((MIX[kind]?.eventsAnHour ?? 0) * (counts[kind] ?? 0));
  const arrive = (kind: number, now: number): void => queue.add({ kind, since: now });
  MIX.forEach(({ eventsAnHour }, kind) => {
    if ((counts[kind] ?? 0) === 0) return;
    if (eventsAnHour !== undefined)
      return agenda.add(exponential(between(kind)), { what: 'event', kind, since: 0 });
    for (let i = 0; i < (counts[kind] ?? 0); i += 1)
      agenda.add(random() * 60, { what: 'ask', kind, since: 0 });
  });

  for (let entry = agenda.next(); entry !== undefined && entry.at < setting.seconds; entry = agenda.next()) {
    const { at: now, what, kind } = entry;
    if (what === 'event') {
      arrive(kind, now);
      agenda.add(now + exponential(between(kind)), { what, kind, since: now });
    } else if (what === 'ask') arrive(kind, now);
    else if (what === 'flush') {
      // The table takes checkpoints one after another, at its rate.
      const guest = MIX[kind];
      const begins = Math.max(now, tableFreeAt);
      flushes += 1;
      flushWait += begins - now;
      tableFreeAt =
        begins + (guest === undefined ? 0 : writesOf(guest, setting.store).units) / setting.writeUnits;
      workerSeconds[kind] = (workerSeconds[kind] ?? 0) + (tableFreeAt - entry.since);
      ended[kind] = (ended[kind] ?? 0) + 1;
      agenda.add(tableFreeAt, { what: 'end', kind, since: entry.since });
    } else {
      busy -= 1;
      const done = MIX[kind];
      units += done === undefined ? 0 : writesOf(done, setting.store).units;
      busySeconds += now - entry.since;
      if (MIX[kind]?.eventsAnHour === undefined) arrive(kind, now);
    }
    while (busy < setting.concurrency) {
      const first = queue.take();
      if (first === undefined) break;
      const guest = MIX[first.kind];
      if (guest === undefined) break;
      busy += 1;
      waits.push(now - first.since);
      const length = guest.eventsAnHour === undefined ? guest.sliceSeconds : exponential(guest.sliceSeconds);
      slices[first.kind] = (slices[first.kind] ?? 0) + 1;
      agenda.add(now + length, { what: 'flush', kind: first.kind, since: now });
    }
  }

  const kinds = MIX.map((guest, kind): KindResult => {
    const guests = counts[kind] ?? 0;
    const ran = slices[kind] ?? 0;
    return {
      kind: guest.name,
      guests,
      slices: ran,
      dollarsAMonth:
        guests === 0 ? 0 : monthOf(guest, setting, ran / guests, workerSeconds[kind] ?? 0, ended[kind] ?? 0),
    };
  });
  const stillBusy = agenda.sum((entry) =>
    entry.what === 'flush' || entry.what === 'end' ? Math.max(0, setting.seconds - entry.since) : 0,
  );
  waits.sort((a, b) => a - b);
  const total = slices.reduce((sum, count) => sum + count, 0);
  const dollars = kinds.reduce((sum, { guests, dollarsAMonth }) => sum + guests * dollarsAMonth, 0);
  return {
    ...setting,
    kinds,
    slicesPerSecond: total / setting.seconds,
    waitMean: waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length),
    wait95: waits[Math.floor(waits.length * 0.95)] ?? 0,
    waiting: queue.length,
    workersBusy: (busySeconds + stillBusy) / setting.seconds,
    writeUnitsPerSecond: units / setting.seconds,
    flushWaitMean: flushWait / Math.max(1, flushes),
    dollarsPerGuestMonth: dollars / setting.guests,
  };
}

function monthOf(
  guest: GuestKind,
  { store, seconds }: Setting,
  slicesEach: number,
  workerSeconds: number,
  slices: number,
): number {
  const { units, puts, readUnits, gets } = writesOf(guest, store);
  const one = sliceDollars({
    milliseconds: (1000 * workerSeconds) / Math.max(1, slices),
    memoryMb: MEMORY_MB,
    architecture: 'arm64',
    writeUnits: units,
    readUnits,
    s3Puts: puts,
    s3Gets: gets,
  });
  const storage = store === 'dynamodb' ? PRICES.dynamodb.gigabyteMonth : PRICES.s3.gigabyteMonth;
  return slicesEach * (MONTH_SECONDS / seconds) * one + (guest.storedMegabytes / 1024) * storage;
}

/**
 * The same guest in a Lambda MicroVM: half a gigabyte and a quarter of a CPU for one that waits most of the time, two
 * and one for a busy one; suspended a minute after its last event. What takes over after its eight hours is not priced.
 */
export function microVmMonth(guest: GuestKind): number {
  const { cpuSecond, gigabyteSecond, gigabyteMonth } = PRICES.microVms;
  if (guest.eventsAnHour === undefined) return MONTH_SECONDS * (cpuSecond + 2 * gigabyteSecond);
  const active = Math.min(3600, guest.eventsAnHour * 60) * (MONTH_SECONDS / 3600);
  return active * (0.25 * cpuSecond + 0.5 * gigabyteSecond) + 0.5 * gigabyteMonth;
}

interface Entry {
  readonly what: 'event' | 'ask' | 'flush' | 'end';
  readonly kind: number;
  /** When the slice began. */
  readonly since: number;
}

/** What is to come, the earliest first: a binary heap. */
class Agenda {
  private readonly heap: (Entry & { readonly at: number })[] = [];

  add(at: number, entry: Entry): void {
    const { heap } = this;
    heap.push({ at, ...entry });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (this.at(parent) <= this.at(child)) break;
      this.swap(parent, child);
      child = parent;
    }
  }

  next(): (Entry & { readonly at: number }) | undefined {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const child = this.at(left + 1) < this.at(left) ? left + 1 : left;
      if (this.at(child) >= this.at(parent)) return first;
      this.swap(parent, child);
      parent = child;
    }
  }

  sum(part: (entry: Entry) => number): number {
    return this.heap.reduce((total, entry) => total + part(entry), 0);
  }

  private at(index: number): number {
    return this.heap[index]?.at ?? Infinity;
  }

  private swap(a: number, b: number): void {
    const [first, second] = [this.heap[a], this.heap[b]];
    if (first === undefined || second === undefined) return;
    this.heap[a] = second;
    this.heap[b] = first;
  }
}

class Queue<T> {
  private readonly items: T[] = [];
  private front = 0;

  get length(): number {
    return this.items.length - this.front;
  }

  add(item: T): void {
    this.items.push(item);
  }

  take(): T | undefined {
    const item = this.items[this.front];
    if (item !== undefined) this.front += 1;
    return item;
  }
}
