/** The checkpoint store on a table: which item holds what, and which condition guards it. */
import { plain } from './codec';
import { readConsole, writeConsole } from './console-log';
import { InputError } from './errors';
import {
  AFTER,
  checkGuestId,
  claimKey,
  definitionKey,
  generationKey,
  collectingKey,
  generationPartition,
  generationPrefix,
  headKey,
  inboxKey,
  inboxPartition,
  metricsKey,
  PACK_SHARDS,
  packKey,
  packPartition,
  parsePackName,
  pinKey,
  pinPartition,
} from './keys';
import { readResults, writeResults } from './result-log';
import type {
  Attempt,
  CheckpointStore,
  CommittedHead,
  ConsoleSlice,
  GenerationFacts,
  GenerationRange,
  GenerationRecord,
  GuestResult,
  Head,
  HeadExpectation,
  InboxEntry,
  PackId,
  PackStore,
  Pin,
  ResultRecord,
  SliceMetrics,
  Status,
  StoredPack,
} from './store';
import type { Item, Key, Table, Usage } from './table';

/** Bytes of one inbox entry at most: what a queue message may carry. */
export const INBOX_ENTRY_BYTES = 256 * 1024;

/** Larger definitions, and those with longer keys, are read from the assets each time. */
export const DEFINITION_BYTES = 64 * 1024;
const DEFINITION_KEY = 1000;

const NO_BYTES = new Uint8Array(0);

export class TableStore implements CheckpointStore {
  readonly packs: PackStore;

  /** @param packs elsewhere than in the table */
  constructor(
    readonly table: Table,
    packs?: PackStore,
  ) {
    this.packs = packs ?? new TablePacks(table);
  }

  get usage(): Usage {
    return this.table.usage;
  }

  async head(guest: string): Promise<Head | undefined> {
    const item = await this.table.get(headKey(checkGuestId(guest)));
    return item === undefined ? undefined : headOf(item);
  }

  async createHead(head: Head): Promise<Head> {
    if (await this.table.put(headItem(head), { absent: true })) return head;
    return (await this.head(head.guest)) ?? head;
  }

  swapHead(expected: HeadExpectation, next: Head): Promise<boolean> {
    const { generation, fencing, status } = expected;
    return this.table.put(headItem(next), { equals: { generation, fencing, status } });
  }

  async writeGeneration(guest: string, record: GenerationRecord): Promise<void> {
    await this.table.put(generationItem(guest, record));
  }

  async generation(guest: string, attempt: Attempt): Promise<GenerationRecord | undefined> {
    const item = await this.table.get(generationKey(guest, attempt));
    return item === undefined ? undefined : generationOf(item);
  }

  async deleteGeneration(guest: string, attempt: Attempt): Promise<void> {
    await this.table.delete(generationKey(guest, attempt));
  }

  /**
   * Of several attempts at one generation the committed one has the highest fencing number: earlier leases have lower
   * ones, and later leases begin at the generation that was committed.
   */
  async generations(
    head: CommittedHead,
    { from = 1, limit = Infinity, descending = false }: GenerationRange = {},
  ): Promise<GenerationRecord[]> {
    const records: GenerationRecord[] = [];
    const end = generationPrefix(descending ? Math.min(from, head.generation) : head.generation) + AFTER;
    const range = { ...(descending ? {} : { from: generationPrefix(from) }), to: end, descending };
    for await (const item of this.table.query(generationPartition(checkGuestId(head.guest)), range)) {
      const record = generationOf(item);
      const known = records.at(-1);
      if (known?.generation === record.generation) {
        if (record.fencing > known.fencing) records[records.length - 1] = record;
        continue;
      }
      if (records.length === limit) break;
      if (record.generation < head.generation || record.fencing === head.committedFencing)
        records.push(record);
    }
    return records;
  }

  async pin(guest: string, { fork, generation, fencing }: Pin): Promise<void> {
    await this.table.put({ ...pinKey(checkGuestId(guest), checkGuestId(fork)), generation, fencing });
  }

  async unpin(guest: string, fork: string): Promise<void> {
    await this.table.delete(pinKey(guest, fork));
  }

  async pins(guest: string): Promise<Pin[]> {
    const pins: Pin[] = [];
    for await (const { sk, generation, fencing } of this.table.query(pinPartition(guest))) {
      pins.push({ fork: sk, generation: Number(generation), fencing: Number(fencing) });
    }
    return pins;
  }

  async collecting(guest: string): Promise<number | undefined> {
    const item = await this.table.get(collectingKey(guest));
    return item === undefined ? undefined : Number(item.through);
  }

  async setCollecting(guest: string, through: number | undefined): Promise<void> {
    if (through === undefined) await this.table.delete(collectingKey(guest));
    else await this.table.put({ ...collectingKey(guest), through });
  }

  writeConsole(guest: string, attempt: Attempt, start: number, bytes: Uint8Array): Promise<void> {
    return writeConsole(this.table, guest, attempt, start, bytes);
  }

  async readConsole(guest: string, from: number, limit = Infinity): Promise<ConsoleSlice> {
    return readConsole(this.table, guest, await this.head(guest), from, limit);
  }

  writeResults(
    guest: string,
    attempt: Attempt,
    start: number,
    results: readonly GuestResult[],
  ): Promise<void> {
    return writeResults(this.table, guest, attempt, start, results);
  }

  async readResults(guest: string, from: number, limit = Infinity): Promise<ResultRecord[]> {
    return readResults(this.table, guest, await this.head(guest), from, limit);
  }

  async definition(key: string): Promise<string | undefined> {
    const item = await this.table.get(definitionKey(key));
    return item === undefined ? undefined : String(item.text);
  }

  async keepDefinition(key: string, text: string): Promise<void> {
    if (Buffer.byteLength(text) > DEFINITION_BYTES || key.length > DEFINITION_KEY) return;
    await this.table.put({ ...definitionKey(key), text });
  }

  async appendInbox(guest: string, entry: Omit<InboxEntry, 'sequence'>): Promise<number> {
    checkGuestId(guest);
    if (entry.data.length > INBOX_ENTRY_BYTES) {
      throw new InputError(
        `the event for guest "${guest}" has ${entry.data.length} bytes, and ${INBOX_ENTRY_BYTES} are the limit: send it in parts`,
      );
    }
    // Entries stay when consumed, so the last one always tells the next number, and no number is given twice. The
    // claim says where an event is to lie before it lies there: whoever sends it again finds that place.
    const claim = claimKey(guest, entry.id);
    const claimed = async (): Promise<number> => Number((await this.table.get(claim))?.sequence);
    let sequence = (await this.lastSequence(guest)) + 1;
    if (!(await this.table.put({ ...claim, sequence }, { absent: true }))) sequence = await claimed();
    for (;;) {
      const key = inboxKey(guest, sequence);
      if (await this.table.put({ ...key, sequence, ...entry }, { absent: true })) return sequence;
      if ((await this.table.get(key))?.id === entry.id) return sequence;
      // Another event was first: the claim moves on, unless another sender of this event has moved it.
      const next = (await this.lastSequence(guest)) + 1;
      await this.table.put({ ...claim, sequence: next }, { equals: { sequence } });
      sequence = await claimed();
    }
  }

  private async lastSequence(guest: string): Promise<number> {
    const last = { descending: true, limit: 1, keysOnly: true };
    for await (const { sk } of this.table.query(inboxPartition(guest), last)) return Number(sk);
    return 0;
  }

  async readInbox(guest: string, cursor: number, limit: number): Promise<InboxEntry[]> {
    const entries: InboxEntry[] = [];
    const range = { from: inboxKey(guest, cursor + 1).sk, limit };
    for await (const item of this.table.query(inboxPartition(guest), range)) {
      entries.push({
        sequence: Number(item.sequence),
        id: String(item.id),
        type: String(item.type),
        data: bytesOf(item.data),
        sentAt: Number(item.sentAt),
      });
    }
    return entries;
  }

  async writeMetrics(metrics: SliceMetrics): Promise<void> {
    await this.table.put({ ...metricsKey(metrics.guest, metrics), record: JSON.stringify(metrics) });
  }

  async readMetrics(guest: string, from = 0): Promise<SliceMetrics[]> {
    const head = await this.head(guest);
    if (head === undefined) return [];
    // Of several attempts at one generation the committed one has the highest fencing number, and comes last.
    const committed = new Map<number, SliceMetrics>();
    const range = { from: generationPrefix(from), to: generationPrefix(head.generation) + AFTER };
    for await (const item of this.table.query(`${guest}#metrics`, range)) {
      const metrics = JSON.parse(String(item.record)) as SliceMetrics;
      committed.set(metrics.generation, metrics);
    }
    return [...committed.values()];
  }
}

class TablePacks implements PackStore {
  constructor(private readonly table: Table) {}

  async put(guest: string, id: PackId, pack: StoredPack): Promise<void> {
    const { codec, sha256, body } = pack;
    await this.table.put({ ...packKey(guest, id), codec, sha256, body });
  }

  async get(guest: string, id: PackId): Promise<StoredPack | undefined> {
    const item = await this.table.get(packKey(guest, id));
    if (item === undefined) return undefined;
    return { codec: String(item.codec), sha256: bytesOf(item.sha256), body: bytesOf(item.body) };
  }

  delete(guest: string, id: PackId): Promise<void> {
    return this.table.delete(packKey(guest, id));
  }

  async list(guest: string, generation: number): Promise<PackId[]> {
    const prefix = generationPrefix(generation);
    const range = { from: prefix, to: prefix + AFTER, keysOnly: true };
    const shards = Array.from({ length: PACK_SHARDS }, async (_, shard) => {
      const ids: PackId[] = [];
      for await (const { sk } of this.table.query(packPartition(guest, shard), range))
        ids.push(parsePackName(sk));
      return ids;
    });
    return (await Promise.all(shards)).flat();
  }
}

/** What history knows is of no fixed shape: as text. */
function generationItem(guest: string, record: GenerationRecord): Item {
  const { generation, fencing, parent, codec, sha256, root, createdAt, head, copyOf, trace } = record;
  const facts = { head, copyOf, trace };
  return {
    ...generationKey(guest, record),
    generation,
    fencing,
    parentGeneration: parent.generation,
    parentFencing: parent.fencing,
    codec,
    sha256,
    root,
    ...(createdAt === undefined ? {} : { createdAt, facts: JSON.stringify(facts) }),
  };
}

function generationOf(item: Item): GenerationRecord {
  const facts = (
    item.facts === undefined ? {} : { ...JSON.parse(String(item.facts)), createdAt: Number(item.createdAt) }
  ) as Partial<GenerationFacts>;
  return {
    generation: Number(item.generation),
    fencing: Number(item.fencing),
    parent: { generation: Number(item.parentGeneration), fencing: Number(item.parentFencing) },
    codec: String(item.codec),
    sha256: bytesOf(item.sha256),
    root: bytesOf(item.root),
    ...facts,
  };
}

function bytesOf(value: Item[string] | undefined): Uint8Array {
  return value instanceof Uint8Array ? plain(value) : NO_BYTES;
}

function headItem(head: Head): Item {
  const { lease, reason, committedBy, spent, wakeAt, wakeAfter, ...always } = head;
  const key: Key = headKey(checkGuestId(head.guest));
  return {
    ...key,
    ...always,
    ...(lease === undefined ? {} : { leaseOwner: lease.owner, leaseExpires: lease.expires }),
    ...(reason === undefined ? {} : { reason: reason.slice(0, REASON_LENGTH) }),
    ...(committedBy === undefined ? {} : { committedBy }),
    ...(spent === undefined
      ? {}
      : {
          spentDay: spent.day,
          spentSlices: spent.slices,
          spentSeconds: spent.seconds,
          spentDollars: spent.dollars,
        }),
    ...(wakeAt === undefined ? {} : { wakeAt }),
    ...(wakeAfter === undefined ? {} : { wakeAfter }),
  };
}

/** A reason may quote a guest: keep the head small. */
export const REASON_LENGTH = 2000;

function headOf(item: Item): Head {
  const number = (name: string): number => Number(item[name] ?? 0);
  return {
    guest: String(item.guest),
    definition: String(item.definition),
    generation: number('generation'),
    fencing: number('fencing'),
    committedFencing: number('committedFencing'),
    ...(item.committedBy === undefined ? {} : { committedBy: String(item.committedBy) }),
    attempts: number('attempts'),
    status: String(item.status) as Status,
    ...(item.reason === undefined ? {} : { reason: String(item.reason) }),
    ...(item.leaseOwner === undefined
      ? {}
      : { lease: { owner: String(item.leaseOwner), expires: number('leaseExpires') } }),
    inboxCursor: number('inboxCursor'),
    consoleOffset: number('consoleOffset'),
    results: number('results'),
    slices: number('slices'),
    instructions: number('instructions'),
    ...(item.spentDay === undefined
      ? {}
      : {
          spent: {
            day: number('spentDay'),
            slices: number('spentSlices'),
            seconds: number('spentSeconds'),
            dollars: number('spentDollars'),
          },
        }),
    ...(item.wakeAt === undefined ? {} : { wakeAt: number('wakeAt') }),
    ...(item.wakeAfter === undefined ? {} : { wakeAfter: String(item.wakeAfter) }),
    createdAt: number('createdAt'),
    updatedAt: number('updatedAt'),
  };
}
