/**
 * Every type of item in its worst case: what the table takes is 400 KB, and what the code relies on is often less.
 * A new type of item is a row here.
 */
import { randomFillSync } from 'node:crypto';
import { LOG_ITEM_BYTES } from '../../../lambdas/store/attempt-log';
import { InputError } from '../../../lambdas/store/errors';
import * as keys from '../../../lambdas/store/keys';
import { MemoryTable } from '../../../lambdas/store/memory';
import { FRAME_BYTES, PackWriter } from '../../../lambdas/store/pack';
import { PackTable, PACKS_PER_FRAME } from '../../../lambdas/store/pack-table';
import { encodeRoot, Segment, segmentPagesFor, type RootSpace } from '../../../lambdas/store/page-index';
import { RESULT_BYTES } from '../../../lambdas/store/result-log';
import type { Head, PackId, SliceMetrics } from '../../../lambdas/store/store';
import { checkItemSize, ITEM_LIMIT, itemBytes, type Item, type Key } from '../../../lambdas/store/table';
import {
  DEFINITION_BYTES,
  DEFINITION_KEY,
  INBOX_ENTRY_BYTES,
  INBOX_LABEL_BYTES,
  TableStore,
} from '../../../lambdas/store/table-store';
import { encodeWorkingSet, WORKING_SET_PAGES, type WorkingPage } from '../../../lambdas/store/working-set';

const GUEST = 'g'.repeat(128);
const MOST = 2 ** 32 - 1;
const attempt = { generation: MOST, fencing: MOST };
const count = Number.MAX_SAFE_INTEGER;
const noise = (bytes: number): Uint8Array => randomFillSync(new Uint8Array(bytes));
/** Three bytes a character in UTF-8, and more than any reason has. */
const reason = '\u20ac'.repeat(10_000);

const head: Head = {
  guest: GUEST,
  definition: 'd'.repeat(DEFINITION_KEY),
  generation: MOST,
  fencing: MOST,
  committedFencing: MOST,
  committedBy: 'm'.repeat(100),
  attempts: count,
  status: 'suspended',
  reason,
  lease: { owner: 'o'.repeat(600), expires: count },
  inboxCursor: count,
  consoleOffset: count,
  results: count,
  slices: count,
  instructions: count,
  spent: { day: count, slices: count, seconds: 1 / 3, dollars: 1 / 3 },
  wakeAt: count,
  wakeAfter: '9'.repeat(20),
  createdAt: count,
  updatedAt: count,
};

const metrics: SliceMetrics = {
  guest: GUEST,
  ...attempt,
  worker: 'w'.repeat(600),
  startedAt: count,
  endedAt: count,
  status: 'suspended',
  reason,
  restoredFrom: 'behind',
  restoreMs: count,
  runMs: count,
  idleMs: 1 / 3,
  flushMs: count,
  instructions: count,
  exits: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`some-cause-of-an-exit-${i}`, count])),
  pages: {
    dirty: count,
    unchanged: count,
    zero: count,
    equal: count,
    moved: count,
    restored: count,
    waits: count,
  },
  firstOutputMs: count,
  waitMs: count,
  packs: count,
  consoleBytes: count,
  inboxEntries: count,
  results: count,
  bytesWritten: count,
  writeUnits: count,
  bytesRead: count,
  readUnits: count,
  dollars: 1 / 3,
  s3Puts: count,
  s3Gets: count,
};

const packId = (n: number): PackId => ({ generation: MOST - n, fencing: MOST - 3 * n, number: n % 65_536 });
const frames = Array.from({ length: 100 }, (_, n) => ({ pack: packId(n), frame: 1023 }));

/** Of the largest RAM and the most and largest disks, every segment in a pack of its own, of a fork of forks. */
function largestRoot(): Uint8Array {
  const sizes = [2 ** 20, 2 ** 24, 2 ** 24, 2 ** 24, 2 ** 24];
  const spaces = sizes.map((pages, i): [string, RootSpace] => {
    const segmentPages = segmentPagesFor(pages);
    const segments = new Map(
      Array.from({ length: pages / segmentPages }, (_, n) => [n, { pack: packId(n), frame: n % 1024 }]),
    );
    return [`space${i}`, { pages, segmentPages, image: [[0, pages]], segments }];
  });
  return encodeRoot({
    lineage: Array.from({ length: 20 }, (_, generation) => ({ guest: GUEST, generation })),
    spaces: new Map(spaces),
    state: frames,
    workingSet: frames,
    packs: frames,
    profile: frames.slice(0, 1),
  });
}

/** As many entries as a slice gives its guest at most: GIVEN_ENTRIES in lambdas/worker/run.ts. */
const trace = {
  from: count,
  to: count,
  skips: count,
  idle: true,
  skipped: '9'.repeat(20),
  given: Array.from({ length: 1000 }, () => [count, count, count] as const),
};

type KeyName = Extract<keyof typeof keys, `${string}Key`>;

interface Row {
  readonly item: KeyName;
  readonly what: string;
  /** Bytes of an item at most. */
  readonly most: number;
  readonly write: (store: TableStore) => Promise<unknown>;
}

const entry = { id: 'i'.repeat(INBOX_LABEL_BYTES - 4), type: 'text', sentAt: count };

const rows: readonly Row[] = [
  // Written twice a slice, and read whole: what it costs is what it weighs.
  { item: 'headKey', what: 'head', most: 10_000, write: (store) => store.createHead(head) },
  {
    item: 'generationKey',
    what: 'generation: the largest index, and the longest trace',
    most: ITEM_LIMIT,
    write: (store) => {
      const root = largestRoot(); // as if it did not compress
      const { status, wakeAfter, inboxCursor, consoleOffset, results, instructions } = head;
      const facts = {
        status,
        reason: reason.slice(0, 2000),
        wakeAfter: wakeAfter!,
        inboxCursor,
        consoleOffset,
        results,
        instructions,
      };
      return store.writeGeneration(GUEST, {
        ...attempt,
        parent: attempt,
        codec: 'deflate',
        sha256: noise(32),
        root,
        createdAt: count,
        head: facts,
        copyOf: attempt,
        trace,
      });
    },
  },
  {
    item: 'packKey',
    what: 'pack: pages that do not compress',
    most: ITEM_LIMIT,
    write: async (store) => {
      const writer = new PackWriter(store.packs, GUEST, attempt, 'deflate');
      for (const bytes of [131_072, FRAME_BYTES, FRAME_BYTES, 90_000, 4096]) await writer.add(noise(bytes));
      await writer.finish();
    },
  },
  {
    item: 'packKey',
    what: 'pack: as many frames as there may be, and a profile',
    most: ITEM_LIMIT,
    write: async (store) => {
      const writer = new PackWriter(store.packs, GUEST, attempt, 'raw');
      for (let frame = 0; frame < 3000; frame += 1) await writer.add(noise(340));
      await writer.addAlone(noise(FRAME_BYTES));
      await writer.finish();
    },
  },
  {
    item: 'logKey',
    what: 'console: the output of a slice',
    most: LOG_ITEM_BYTES + 1000,
    write: (store) => store.writeConsole(GUEST, attempt, count - 2 ** 23, noise(5 * 2 ** 20)),
  },
  {
    item: 'logKey',
    what: 'results, large and empty ones',
    most: LOG_ITEM_BYTES + 1000,
    write: (store) =>
      store.writeResults(GUEST, attempt, count - 2 ** 23, [
        { bytes: noise(2 ** 20) },
        { bytes: noise(RESULT_BYTES) },
        ...Array.from({ length: 70_000 }, () => ({ bytes: new Uint8Array(0) })),
        { bytes: new Uint8Array(0), error: reason.repeat(20) },
      ]),
  },
  {
    item: 'inboxKey',
    what: 'inbox: the largest event',
    most: INBOX_ENTRY_BYTES + INBOX_LABEL_BYTES + 1000,
    write: (store) => store.appendInbox(GUEST, { ...entry, data: noise(INBOX_ENTRY_BYTES) }),
  },
  {
    item: 'claimKey',
    what: 'claim: of any id',
    most: 400,
    write: (store) => store.appendInbox(GUEST, { ...entry, data: noise(1) }),
  },
  { item: 'pinKey', what: 'pin', most: 400, write: (store) => store.pin(GUEST, { ...attempt, fork: GUEST }) },
  {
    item: 'collectingKey',
    what: 'collecting',
    most: 400,
    write: (store) => store.setCollecting(GUEST, MOST),
  },
  {
    item: 'definitionKey',
    what: 'copy of a definition',
    most: DEFINITION_BYTES + DEFINITION_KEY + 100,
    write: (store) => store.keepDefinition('k'.repeat(DEFINITION_KEY), 'x'.repeat(DEFINITION_BYTES)),
  },
  { item: 'metricsKey', what: 'metrics', most: 16_000, write: (store) => store.writeMetrics(metrics) },
];

/** Remembers what was put. */
class WatchedTable extends MemoryTable {
  readonly items: Item[] = [];
  override async put(...[item, condition]: Parameters<MemoryTable['put']>): Promise<boolean> {
    this.items.push(item);
    return super.put(item, condition);
  }
}

const kindOf = ({ pk }: Key): string => pk.replace(GUEST, '').split('#')[1] ?? '';

test('every type of item has a row', () => {
  const types = Object.keys(keys).filter((name) => name.endsWith('Key'));
  expect([...new Set(rows.map(({ item }) => item))].sort()).toEqual(types.sort());
});

test.each(rows)('$what', async ({ item, most, write }) => {
  const table = new WatchedTable();
  await write(new TableStore(table)); // checks each item against the table's limit
  const sample = {
    headKey: '',
    generationKey: 'generation',
    packKey: 'pack',
    logKey: ['console', 'results'],
    inboxKey: 'inbox',
    claimKey: 'claims',
    pinKey: 'pins',
    collectingKey: 'collecting',
    definitionKey: 'definition',
    metricsKey: 'metrics',
  }[item];
  const sizes = table.items.filter((each) => [sample].flat().includes(kindOf(each))).map(itemBytes);
  expect(sizes.length).toBeGreaterThan(0);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
  expect(Math.max(...sizes)).toBeGreaterThan(most / 4); // the bound is one
  expect(most).toBeLessThanOrEqual(ITEM_LIMIT);
});

test('what is too large is refused with its rule', async () => {
  const store = new TableStore(new MemoryTable());
  const append = (id: string, bytes: number) =>
    store.appendInbox('g', { ...entry, id, data: new Uint8Array(bytes) });
  await expect(append('i', INBOX_ENTRY_BYTES + 1)).rejects.toThrow(InputError);
  await expect(append('i'.repeat(INBOX_LABEL_BYTES), 1)).rejects.toThrow(
    /id and the type .* give shorter ones/,
  );
  await store.keepDefinition('k', 'x'.repeat(DEFINITION_BYTES + 1));
  expect(await store.definition('k')).toBeUndefined(); // read from the assets instead
  expect(() => checkItemSize({ pk: 'p', sk: 's', x: new Uint8Array(ITEM_LIMIT) })).toThrow(
    /item p \/ s has 409607 bytes, and the table takes at most 409600/,
  );
});

// What goes into a frame is read back only up to FRAME_BYTES.
test.each<[string, () => Uint8Array]>([
  [
    'a segment of the largest disk, each page in a pack of its own',
    () => {
      const segment = new Segment(segmentPagesFor(2 ** 24));
      for (let page = 0; page < segment.pages; page += 1) {
        segment.setStored(page, {
          kind: 'stored',
          at: { pack: packId(page), frame: 1023 },
          slot: 31,
          difference: true,
        });
      }
      return segment.encode();
    },
  ],
  [
    'a working set, each page in a pack of its own',
    () => {
      const pages = Array.from({ length: WORKING_SET_PAGES }, (_, n): WorkingPage => {
        const at = { pack: packId(n), frame: 1023 };
        return {
          space: `disk${n % 4}`,
          page: n * 4096,
          uses: 15,
          place: { kind: 'stored', at, slot: 31, difference: false },
        };
      });
      return encodeWorkingSet({ complete: true, pages });
    },
  ],
  [
    'a piece of the table of packs',
    () => {
      const uses = Array.from({ length: PACKS_PER_FRAME + 1 }, (_, n) => ({
        id: packId(n),
        live: MOST,
        born: MOST,
      }));
      const [piece, rest] = new PackTable(uses).encode();
      expect(rest).toBeDefined();
      return piece!;
    },
  ],
])('%s fits into a frame', (_, encode) => {
  const { length } = encode();
  expect(length).toBeLessThanOrEqual(FRAME_BYTES);
  expect(length).toBeGreaterThan(FRAME_BYTES / 8);
});
