/**
 * A host in miniature: workers that share nothing but table, queue and assets;
 * a clock that moves when something waits; and a fault that ends a worker at
 * any one of its calls.
 */
import type { MachineDefinition } from '../../engine/models/guest';
import { parseToken, type Token } from '../../lambdas/queue/token';
import type { CheckpointStore, Head } from '../../lambdas/store/store';
import type { Item, Table } from '../../lambdas/store/table';
import { TableStore } from '../../lambdas/store/table-store';
import { FlushRate } from '../../lambdas/worker/flush-rate';
import { Images, type AssetSource } from '../../lambdas/worker/image';
import { WarmPlace } from '../../lambdas/worker/restore';
import { processToken, type Outcome, type Worker } from '../../lambdas/worker/slice';
import { FakeGuest, type FakeProgram } from './fake-guest';
import { restoreSpaces } from './restore-spaces';

export const GUEST = 'debian';
const DEFINITION_KEY = 'definition.json';
const VISIBILITY_MS = 70_000;
const TIMEOUT_MS = 60_000;

/** Ends a worker at its n-th call, before or after the call is carried out. */
export interface Fault {
  readonly call: number;
  readonly when: 'before' | 'after';
}

export class Crash extends Error {
  override readonly name = 'Crash';
}

export interface WorldOptions {
  readonly table: Table;
  readonly program: FakeProgram;
  readonly definition?: Partial<MachineDefinition>;
  readonly sliceInstructions?: number;
  readonly workers?: number;
  readonly fault?: Fault;
  /** Every message is delivered so many times more. */
  readonly duplicates?: number;
  /** Generations kept. Default: the least. */
  readonly history?: number;
  /** Another asset source than one with the definition. */
  readonly assets?: AssetSource;
}

interface Message {
  readonly id: string;
  readonly body: string;
  due: number;
}

export class World {
  readonly store: CheckpointStore;
  readonly logs: Readonly<Record<string, unknown>>[] = [];
  readonly outcomes: Outcome[] = [];
  /** Calls of table and queue by all workers. */
  calls = 0;
  crashes = 0;
  time = 1_000_000;
  readonly messages: Message[] = [];
  private workers: Worker[] = [];
  private turn = 0;
  private sent = 0;

  constructor(private readonly options: WorldOptions) {
    this.store = new TableStore(options.table);
    this.workers = Array.from({ length: options.workers ?? 2 }, (_, i) => this.newWorker(`w${i}`));
  }

  send(token: Token, delaySeconds = 0): void {
    // A wake token sent again and again while a lease is held would double each time.
    const duplicates = 'wake' in token && delaySeconds > 0 ? 0 : (this.options.duplicates ?? 0);
    for (let copy = 0; copy <= duplicates; copy += 1) {
      const due = this.time + 1000 * Math.ceil(delaySeconds) + copy * 7;
      // The queue's own duplicates have the same id, a sender's have another.
      const id = `m${this.sent - (copy % 2)}`;
      this.messages.push({ id, body: JSON.stringify(token), due });
      this.sent += 1;
    }
  }

  /** Delivers messages until none is left, and answers with the guest's final head. */
  async settle(limit = 2000): Promise<Head | undefined> {
    for (let deliveries = 0; this.messages.length > 0; deliveries += 1) {
      if (deliveries > limit) throw new Error('the queue does not come to rest');
      await this.deliver();
    }
    return this.store.head(GUEST);
  }

  /** Delivers the next message to the next worker. */
  async deliver(): Promise<void> {
    this.messages.sort((a, b) => a.due - b.due);
    const [message] = this.messages;
    if (message === undefined) return;
    this.time = Math.max(this.time, message.due);
    message.due = this.time + VISIBILITY_MS;
    const index = this.turn++ % this.workers.length;
    const worker = this.workers[index];
    if (worker === undefined) return;
    try {
      const outcome = await processToken(
        worker,
        { messageId: message.id, token: parseToken(message.body) },
        this.time + TIMEOUT_MS,
      );
      this.outcomes.push(outcome);
      if (outcome.kind !== 'returned') this.messages.splice(this.messages.indexOf(message), 1);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.workers[index] = this.newWorker(`w${index}'`);
    }
  }

  /** A worker process of its own: its calls are counted, and after a crash none comes through. */
  newWorker(name: string): Worker {
    const { options } = this;
    let dead = false;
    const call = async <T>(work: () => Promise<T>): Promise<T> => {
      if (dead) throw new Crash('dead workers do nothing');
      this.calls += 1;
      const hit = this.calls === options.fault?.call ? options.fault.when : undefined;
      if (hit !== undefined) {
        dead = true;
        this.crashes += 1;
      }
      if (hit === 'before') throw new Crash('before');
      const result = await work();
      if (hit === 'after') throw new Crash('after');
      return result;
    };
    const { table } = options;
    const counted: Table = {
      usage: table.usage,
      get: (key) => call(() => table.get(key)),
      put: (item, condition) => call(() => table.put(item, condition)),
      delete: (key) => call(() => table.delete(key)),
      query: async function* (pk, range) {
        const items = await call(async () => {
          const found: Item[] = [];
          for await (const item of table.query(pk, range)) found.push(item);
          return found;
        });
        yield* items;
      },
    };
    const definition: MachineDefinition = {
      version: 1,
      model: 'machine',
      memory: 2 ** 20,
      clock: 'deterministic',
      ...options.definition,
    };
    const assets = options.assets ?? {
      get: async (key) =>
        key === DEFINITION_KEY ? new TextEncoder().encode(JSON.stringify(definition)) : undefined,
    };
    return {
      name,
      bill: { functionName: 'worker', memoryMb: 1769, architecture: 'arm64' },
      guests: new Map([[GUEST, DEFINITION_KEY]]),
      openStore: () => new TableStore(counted),
      queue: { send: (token, delay) => call(async () => this.send(token, delay)) },
      images: new Images(assets, '/nonexistent/never-written'),
      createGuest: () => new FakeGuest(options.program),
      warm: new WarmPlace(),
      flushRate: new FlushRate(),
      now: () => (this.time += 0.01),
      sleep: async (milliseconds) => void (this.time += milliseconds),
      newId: () => String(this.calls),
      log: (record) => this.logs.push(record),
      sliceMs: 10_000,
      ...(options.history === undefined ? {} : { history: { generations: options.history, ageMs: 0 } }),
      ...(options.sliceInstructions === undefined ? {} : { sliceInstructions: options.sliceInstructions }),
    };
  }

  async console(): Promise<string> {
    return new TextDecoder().decode((await this.store.readConsole(GUEST, 0)).bytes);
  }

  /** Results as text, errors marked. */
  async results(): Promise<string[]> {
    const records = await this.store.readResults(GUEST, 0);
    return records.map(({ bytes, error }) =>
      error === undefined ? new TextDecoder().decode(bytes) : `! ${error}`,
    );
  }

  /** The guest as its last checkpoint has it. */
  async guestValue(): Promise<unknown> {
    const head = await this.store.head(GUEST);
    if (head === undefined) return undefined;
    const at = { generation: head.generation, fencing: head.committedFencing };
    const guest = new FakeGuest(this.options.program);
    const opened = await restoreSpaces(this.store, GUEST, at, guest.spaces);
    if (opened.state !== undefined) guest.restore(opened.state);
    return guest.value();
  }
}
