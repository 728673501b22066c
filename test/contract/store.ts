/** One suite for every checkpoint store. */
import * as fc from 'fast-check';
import { LOG_ITEM_BYTES } from '../../lambdas/store/attempt-log';
import { InputError, ItemSizeError } from '../../lambdas/store/errors';
import { RESULT_BYTES } from '../../lambdas/store/result-log';
import type { CheckpointStore, GuestResult, Head, PackStore, SliceMetrics } from '../../lambdas/store/store';
import type { Table } from '../../lambdas/store/table';
import { TableStore, INBOX_ENTRY_BYTES } from '../../lambdas/store/table-store';

export interface OpenTable {
  readonly table: Table;
  /** Where packs lie, if not in the table. */
  readonly packs?: PackStore;
  readonly close: () => Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function headOf(guest: string, change: Partial<Head> = {}): Head {
  return {
    guest,
    definition: 'definitions/a.json',
    generation: 0,
    fencing: 0,
    committedFencing: 0,
    attempts: 0,
    status: 'runnable',
    inboxCursor: 0,
    consoleOffset: 0,
    results: 0,
    slices: 0,
    instructions: 0,
    createdAt: 1,
    updatedAt: 2,
    ...change,
  };
}

function metricsOf(guest: string, generation: number, fencing: number): SliceMetrics {
  return {
    guest,
    generation,
    fencing,
    worker: 'w',
    startedAt: 1,
    endedAt: 2,
    status: 'runnable',
    restoredFrom: 'cold',
    restoreMs: 1,
    runMs: 1,
    idleMs: 0,
    flushMs: 1,
    instructions: 5,
    exits: { timer: 3 },
    pages: { dirty: 1, unchanged: 0, zero: 0, equal: 0, moved: 0, restored: 0, waits: 0 },
    waitMs: 0,
    packs: 1,
    consoleBytes: 0,
    inboxEntries: 0,
    results: 0,
    bytesWritten: 1,
    writeUnits: 1,
    bytesRead: 1,
    readUnits: 1,
    dollars: 0.001,
  };
}

export function storeContract(name: string, open: () => Promise<OpenTable>): void {
  describe(`checkpoint store: ${name}`, () => {
    let opened: OpenTable;
    let store: CheckpointStore;
    let count = 0;
    let guest = '';

    beforeAll(async () => {
      opened = await open();
      store = new TableStore(opened.table, opened.packs);
    });
    afterAll(() => opened.close());
    beforeEach(() => {
      count += 1;
      guest = `guest-${count}`;
    });

    test('a head comes back as it was written, with and without its optional parts', async () => {
      expect(await store.head(guest)).toBeUndefined();
      const first = headOf(guest);
      expect(await store.createHead(first)).toEqual(first);
      expect(await store.head(guest)).toEqual(first);

      const full = headOf(guest, {
        fencing: 1,
        attempts: 1,
        status: 'idle',
        reason: 'because',
        lease: { owner: 'w/1', expires: 12345 },
        wakeAt: 99,
        wakeAfter: '123456789012345678901',
        instructions: Number.MAX_SAFE_INTEGER,
      });
      expect(await store.swapHead(first, full)).toBe(true);
      expect(await store.head(guest)).toEqual(full);
      expect(await store.swapHead(full, first)).toBe(true);
      expect(await store.head(guest)).toEqual(first);
    });

    test('creating a head twice gives the first one', async () => {
      await store.createHead(headOf(guest, { definition: 'first' }));
      expect((await store.createHead(headOf(guest, { definition: 'second' }))).definition).toBe('first');
    });

    test.each<Partial<Head>>([{ generation: 1 }, { fencing: 1 }, { status: 'idle' }])(
      'a head that differs in %j is not replaced',
      async (difference) => {
        await store.createHead(headOf(guest));
        const expected = { ...headOf(guest), ...difference };
        expect(await store.swapHead(expected, headOf(guest, { slices: 7 }))).toBe(false);
        expect((await store.head(guest))?.slices).toBe(0);
      },
    );

    test('of many who swap the same head at once, one succeeds', async () => {
      await store.createHead(headOf(guest));
      const swaps = Array.from({ length: 10 }, (_, i) =>
        store.swapHead(headOf(guest), headOf(guest, { fencing: 1, lease: { owner: `w${i}`, expires: 1 } })),
      );
      expect((await Promise.all(swaps)).filter(Boolean)).toHaveLength(1);
    });

    test('packs are put, read, listed by generation and deleted', async () => {
      const id = (generation: number, fencing: number, number: number) => ({ generation, fencing, number });
      const body = new Uint8Array(350_000).map((_, i) => i % 251);
      const pack = { codec: 'zstd', sha256: new Uint8Array(32).fill(7), body };
      const ids = [id(3, 4, 0), id(3, 4, 1), id(3, 5, 0), id(30, 4, 0), id(4, 6, 20)];
      await Promise.all(ids.map((each) => store.packs.put(guest, each, pack)));
      await store.packs.put(`${guest}x`, id(3, 4, 9), pack);

      const read = await store.packs.get(guest, id(3, 4, 1));
      expect(read?.codec).toBe('zstd');
      expect(Buffer.compare(read?.body ?? new Uint8Array(0), body)).toBe(0);
      expect(await store.packs.get(guest, id(3, 4, 2))).toBeUndefined();
      const sorted = (await store.packs.list(guest, 3)).sort(
        (a, b) => a.fencing - b.fencing || a.number - b.number,
      );
      expect(sorted).toEqual([id(3, 4, 0), id(3, 4, 1), id(3, 5, 0)]);
      await store.packs.delete(guest, id(3, 4, 1));
      await store.packs.delete(guest, id(3, 4, 1));
      expect(await store.packs.get(guest, id(3, 4, 1))).toBeUndefined();
      expect(await store.packs.list(guest, 30)).toEqual([id(30, 4, 0)]);
    });

    test('an item above 400 KB is refused with its key and size', async () => {
      if (opened.packs) return; // objects may be larger
      const pack = { codec: 'raw', sha256: new Uint8Array(32), body: new Uint8Array(400 * 1024) };
      const put = store.packs.put(guest, { generation: 1, fencing: 1, number: 0 }, pack);
      await expect(put).rejects.toThrow(ItemSizeError);
    });

    test('a generation record comes back as it was written', async () => {
      const record = {
        generation: 8,
        fencing: 9,
        parent: { generation: 7, fencing: 7 },
        codec: 'zstd',
        sha256: new Uint8Array(32).fill(1),
        root: text('root'),
      };
      await store.writeGeneration(guest, record);
      const read = await store.generation(guest, record);
      expect(read && { ...read, sha256: [...read.sha256], root: [...read.root] }).toEqual({
        ...record,
        sha256: [...record.sha256],
        root: [...record.root],
      });
      await store.deleteGeneration(guest, record);
      expect(await store.generation(guest, record)).toBeUndefined();
    });

    test('history: committed generations alone, in either order, with what is known of them', async () => {
      const record = (generation: number, fencing: number) => ({
        generation,
        fencing,
        parent: { generation: generation - 1, fencing: fencing - 1 },
        codec: 'raw',
        sha256: new Uint8Array(32),
        root: text(`${generation}/${fencing}`),
        createdAt: 1000 * generation,
        head: {
          status: 'idle' as const,
          wakeAfter: '123456789012345',
          inboxCursor: generation,
          consoleOffset: 5,
          results: 1,
          instructions: 7,
        },
        ...(generation === 2 ? { copyOf: { generation: 1, fencing: 1 } } : {}),
        trace: { from: 1, to: 2, skips: 3, idle: true, given: [[1, 2, 3]] as const },
      });
      for (const [generation, fencing] of [
        [1, 1],
        [2, 2],
        [2, 3],
        [3, 4],
        [3, 6],
        [4, 7],
      ] as const) {
        await store.writeGeneration(guest, record(generation, fencing));
      }
      const head = { guest, generation: 3, committedFencing: 6 };
      const found = await store.generations(head);
      expect(found.map(({ generation, fencing }) => [generation, fencing])).toEqual([
        [1, 1],
        [2, 3],
        [3, 6],
      ]);
      expect({ ...found[1], root: '', sha256: '' }).toEqual({ ...record(2, 3), root: '', sha256: '' });
      const newest = await store.generations(head, { from: 3, descending: true, limit: 2 });
      expect(newest.map(({ generation, fencing }) => [generation, fencing])).toEqual([
        [3, 6],
        [2, 3],
      ]);
      expect((await store.generations(head, { from: 2, limit: 1 })).map((each) => each.fencing)).toEqual([3]);
    });

    test('pins and the mark of a collection come and go', async () => {
      expect(await store.pins(guest)).toEqual([]);
      await store.pin(guest, { fork: 'f1', generation: 3, fencing: 4 });
      await store.pin(guest, { fork: 'f2', generation: 5, fencing: 9 });
      await store.unpin(guest, 'f1');
      expect(await store.pins(guest)).toEqual([{ fork: 'f2', generation: 5, fencing: 9 }]);
      expect(await store.collecting(guest)).toBeUndefined();
      await store.setCollecting(guest, 7);
      expect(await store.collecting(guest)).toBe(7);
      await store.setCollecting(guest, undefined);
      expect(await store.collecting(guest)).toBeUndefined();
    });

    test('inbox entries are numbered without gaps, also by many senders at once', async () => {
      const senders = Array.from({ length: 12 }, (_, i) =>
        store.appendInbox(guest, { id: `m${i}`, type: 'text', data: text(`t${i}`), sentAt: i }),
      );
      const sequences = (await Promise.all(senders)).sort((a, b) => a - b);
      expect(sequences).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
      const entries = await store.readInbox(guest, 0, 100);
      expect(new Set(entries.map((entry) => entry.id)).size).toBe(12);
      expect(entries.map((entry) => entry.sequence)).toEqual(sequences);
      expect((await store.readInbox(guest, 5, 3)).map((entry) => entry.sequence)).toEqual([6, 7, 8]);
      expect(await store.readInbox(guest, 12, 3)).toEqual([]);
    });

    test('an inbox entry over its limit and a bad guest id are refused', async () => {
      const entry = { id: 'm', type: 'text', data: new Uint8Array(INBOX_ENTRY_BYTES + 1), sentAt: 1 };
      await expect(store.appendInbox(guest, entry)).rejects.toThrow(InputError);
      await expect(store.appendInbox('a#b', { ...entry, data: text('x') })).rejects.toThrow(InputError);
      await expect(store.head('')).rejects.toThrow(InputError);
      await store.appendInbox(guest, { ...entry, data: new Uint8Array(INBOX_ENTRY_BYTES) });
    });

    test('metrics of committed slices only, one a generation', async () => {
      await store.createHead(headOf(guest, { generation: 2, fencing: 5, committedFencing: 4 }));
      for (const [generation, fencing] of [
        [1, 1],
        [2, 2],
        [2, 4],
        [3, 5],
      ] as const) {
        // prettier-ignore
        await store.writeMetrics(metricsOf(guest, generation, fencing));
      }
      expect(await store.readMetrics(guest)).toEqual([metricsOf(guest, 1, 1), metricsOf(guest, 2, 4)]);
      expect(await store.readMetrics(guest, 2)).toEqual([metricsOf(guest, 2, 4)]);
      expect(await store.readMetrics(guest, 3)).toEqual([]); // nothing committed there yet
    });

    test('the console shows what is committed, from any byte on, whatever other attempts wrote', async () => {
      const attempt = fc.record({ committed: fc.boolean(), output: fc.string({ maxLength: 12 }) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(attempt, { maxLength: 8 }),
          fc.integer({ min: 1, max: 9 }),
          async (attempts, limit) => {
            count += 1;
            const id = `console-${count}`;
            let head = headOf(id);
            let truth = Buffer.alloc(0);
            await store.createHead(head);
            for (const { committed, output } of attempts) {
              const bytes = Buffer.from(output);
              const fencing = head.fencing + 1;
              await store.writeConsole(
                id,
                { generation: head.generation + 1, fencing },
                head.consoleOffset,
                bytes,
              );
              if (committed) truth = Buffer.concat([truth, bytes]);
              const next = committed
                ? {
                    ...head,
                    generation: head.generation + 1,
                    fencing,
                    committedFencing: fencing,
                    consoleOffset: truth.length,
                  }
                : { ...head, fencing };
              await store.swapHead(head, next);
              head = next;
            }
            for (let from = 0; from <= truth.length; from += 1) {
              const all = await store.readConsole(id, from);
              expect(Buffer.from(all.bytes)).toEqual(truth.subarray(from));
              expect(all.next).toBe(truth.length);
              const some = await store.readConsole(id, from, limit);
              expect(Buffer.from(some.bytes)).toEqual(truth.subarray(from, from + limit));
              expect(some.next).toBe(Math.min(truth.length, from + limit));
            }
          },
        ),
        { numRuns: 25 },
      );
    });

    test('results: what is committed, from any index on, whatever other attempts wrote', async () => {
      const result = fc.oneof(
        fc.string({ maxLength: 5 }).map((value): GuestResult => ({ bytes: text(value) })),
        fc.string({ maxLength: 5 }).map((error): GuestResult => ({ bytes: text(''), error })),
      );
      const attempt = fc.record({ committed: fc.boolean(), results: fc.array(result, { maxLength: 4 }) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(attempt, { maxLength: 8 }),
          fc.integer({ min: 1, max: 9 }),
          async (attempts, limit) => {
            count += 1;
            const id = `results-${count}`;
            let head = headOf(id);
            const truth: unknown[] = [];
            const seen = async (from: number, most?: number) =>
              (await store.readResults(id, from, most)).map((each) => ({ ...each, bytes: [...each.bytes] }));
            await store.createHead(head);
            for (const { committed, results } of attempts) {
              const generation = head.generation + 1;
              const fencing = head.fencing + 1;
              await store.writeResults(id, { generation, fencing }, head.results, results);
              expect(await seen(0)).toEqual(truth);
              if (committed) {
                for (const each of results)
                  truth.push({ index: truth.length, generation, ...each, bytes: [...each.bytes] });
              }
              const next = committed
                ? { ...head, generation, fencing, committedFencing: fencing, results: truth.length }
                : { ...head, fencing };
              await store.swapHead(head, next);
              head = next;
            }
            for (let from = 0; from <= truth.length; from += 1) {
              expect(await seen(from)).toEqual(truth.slice(from));
              expect(await seen(from, limit)).toEqual(truth.slice(from, from + limit));
            }
          },
        ),
        { numRuns: 25 },
      );
    });

    test('small results share an item, large ones have their own, larger ones become errors', async () => {
      const sizes = [RESULT_BYTES, 0, 10, 150_000, 149_000, 200_000, RESULT_BYTES + 1, 3];
      const results = sizes.map((size, i) => ({ bytes: new Uint8Array(size).fill(i) }));
      const { itemsWritten } = store.usage;
      await store.writeResults(guest, { generation: 1, fencing: 1 }, 0, results);
      expect(store.usage.itemsWritten - itemsWritten).toBe(3);
      const change = { generation: 1, fencing: 1, committedFencing: 1, results: sizes.length };
      await store.createHead(headOf(guest, change));
      const read = await store.readResults(guest, 0);
      expect(read.map(({ bytes }) => bytes.length)).toEqual(
        sizes.map((size) => (size > RESULT_BYTES ? 0 : size)),
      );
      expect(read.every(({ bytes }, i) => bytes.every((byte) => byte === i))).toBe(true);
      expect(read.map(({ error }) => error)).toEqual(
        sizes.map((size) =>
          size > RESULT_BYTES
            ? `the result has ${size} bytes, and ${RESULT_BYTES} are the limit: let the guest answer in parts`
            : undefined,
        ),
      );
      expect(await store.readResults('nobody', 0)).toEqual([]);
    });

    test('long output goes into several items', async () => {
      const bytes = new Uint8Array(2 * LOG_ITEM_BYTES + 10).map((_, i) => i % 253);
      await store.writeConsole(guest, { generation: 1, fencing: 1 }, 0, bytes);
      await store.createHead(
        headOf(guest, { generation: 1, fencing: 1, committedFencing: 1, consoleOffset: bytes.length }),
      );
      expect(Buffer.compare((await store.readConsole(guest, 0)).bytes, bytes)).toBe(0);
      const from = 2 * LOG_ITEM_BYTES - 3;
      expect(Buffer.compare((await store.readConsole(guest, from)).bytes, bytes.subarray(from))).toBe(0);
    });
  });
}
