/** The commands about a host's state, on a host in miniature: a deterministic guest with a past. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../cli/program';
import { openState } from '../../cli/state/host-state';
import { Images } from '../../lambdas/worker/image';
import { MemoryTable } from '../../lambdas/store/memory';
import { TableStore } from '../../lambdas/store/table-store';
import { FakeGuest } from '../lambdas/fake-guest';
import { GUEST, World } from '../lambdas/world';
import { FakeHost } from './fake-host';

const directory = mkdtempSync(join(tmpdir(), 'hv-state-'));
afterAll(() => rmSync(directory, { recursive: true }));

const program = { length: 400, sleeps: { 60: 5e9, 200: 3e10 }, reads: [100, 250], answers: [150] };
const definition = { version: 1, model: 'machine', memory: 2 ** 20, clock: 'deterministic' };

/** A guest that has run to its end, in slices, with events and idle times. */
async function aged(history = 100): Promise<World> {
  const world = new World({ table: new MemoryTable(), program, sliceInstructions: 37, history });
  world.send({ guest: GUEST, generation: 0 });
  const entry = (type: string, text: string) =>
    world.store.appendInbox(GUEST, { id: text, type, data: Buffer.from(text), sentAt: 1 });
  await entry('text', 'first\n');
  await world.settle();
  await entry('event', 'an event');
  await entry('text', 'second\n');
  world.send({ guest: GUEST, wake: true } as never);
  await world.settle();
  return world;
}

async function hv(world: World, ...args: string[]) {
  const host = new FakeHost({ isTTY: false });
  let status: number | undefined;
  const assets = { get: async () => Buffer.from(JSON.stringify(definition)) };
  await main(
    args,
    {
      createGuest: () => new FakeGuest(program),
      openState: () => ({
        store: world.store,
        queue: { send: async (token) => world.send(token) },
        images: () => new Images(assets, join(directory, 'images')),
        now: () => world.time,
      }),
      host,
      clock: { wallNanoseconds: () => 0n, monotonicMilliseconds: () => 0 },
      exit: (code) => (status ??= code),
    },
    '1.2.3',
  );
  return { status, out: host.out, err: host.err };
}

test('the past is listed, the newest first, and found whole', async () => {
  const world = await aged();
  const { status, out, err } = await hv(world, 'history', GUEST, '--verify');
  expect([status, err]).toEqual([0, '']);
  const head = (await world.store.head(GUEST))!;
  expect(head.status).toBe('halted');
  expect(out.split('\n')[1]).toMatch(
    new RegExp(`^ +${head.generation}  1970-.*Z  halted +400  whole: \\d+ packs, \\d+ KiB$`),
  );
  expect(out.trimEnd().split('\n')).toHaveLength(head.generation + 1);
  const json = await hv(world, 'history', GUEST, '--limit', '2', '--json');
  expect((JSON.parse(json.out) as { generation: number }[]).map(({ generation }) => generation)).toEqual([
    head.generation,
    head.generation - 1,
  ]);
});

test('every slice of a deterministic guest is replayed bit for bit', async () => {
  const world = await aged();
  const { generation } = (await world.store.head(GUEST))!;
  expect(generation).toBeGreaterThan(8);
  let console = '';
  for (let each = 1; each <= generation; each += 1) {
    const { status, out } = await hv(world, 'replay', GUEST, String(each), '--console');
    const line = new RegExp(
      `${GUEST}, generation ${each}: \\d+ instructions, \\d+ inbox entries: the same, bit for bit\n$`,
    );
    expect(out).toMatch(line);
    expect(status).toBe(0);
    console += out.replace(line, '');
  }
  expect(console).toBe(await world.console());
});

test('a replay that comes out otherwise says where', async () => {
  const world = await aged();
  const record = (await world.store.generations((await world.store.head(GUEST))!, { from: 3, limit: 1 }))[0]!;
  // As if it had been made from another past.
  await world.store.writeGeneration(GUEST, {
    ...record,
    trace: { ...record.trace!, to: record.trace!.to - 5 },
  });
  const { status, out } = await hv(world, 'replay', GUEST, '3');
  expect(status).toBe(1);
  expect(out).toMatch(/differs in its state in pages (ram|disk0) \d+/);
});

test('back, on again, and the end is the same', async () => {
  const world = await aged();
  const before = (await world.store.head(GUEST))!;
  const value = await world.guestValue();
  const { status, out } = await hv(world, 'rollback', GUEST, '--to', '2');
  expect([status, out]).toEqual([
    0,
    `${GUEST} is at generation ${before.generation + 1}, which is as 2 was; events since are delivered again\n`,
  ]);
  const after = (await world.settle())!;
  expect(after).toMatchObject({ status: 'halted', inboxCursor: before.inboxCursor });
  expect(after.generation).toBeGreaterThan(before.generation + 5);
  expect(await world.guestValue()).toEqual(value);
  const listed = await hv(world, 'history', GUEST, '--limit', '100');
  expect(listed.out).toMatch(/ as generation 2$/m);
});

test('a fork goes its own way, and the other does not notice', async () => {
  const world = await aged();
  const value = await world.guestValue();
  const { status, out } = await hv(world, 'fork', GUEST, 'second', '--at', '2');
  expect([status, out]).toEqual([0, `second begins at generation 2 of ${GUEST}\n`]);
  await world.settle();
  const head = (await world.store.head('second'))!;
  // Without the events, which are the other's, it waits for its first line.
  expect(head).toMatchObject({ status: 'idle', inboxCursor: 0 });
  expect(head.generation).toBeGreaterThan(2);
  expect(await world.guestValue()).toEqual(value);
  expect((await hv(world, 'fork', GUEST, 'second')).err).toMatch(
    /^hv: there is a guest "second" already: choose/,
  );
  expect((await hv(world, 'history', GUEST, '--limit', '100')).out).toMatch(/^ +2 .*forked: second$/m);
});

test('a guest is carried to another host in a file', async () => {
  const world = await aged();
  const file = join(directory, 'guest.hv');
  expect((await hv(world, 'export', GUEST, file, '--at', '4')).out).toMatch(
    /guest.hv: debian at generation 4, \d+ KiB\n$/,
  );
  const other = new World({ table: new MemoryTable(), program, sliceInstructions: 41 });
  const { status, out } = await hv(other, 'import', file, GUEST, '--definition', 'definition.json');
  expect([status, out]).toEqual([0, `${GUEST} is at generation 4\n`]);
  await other.settle();
  expect((await other.store.head(GUEST))?.generation).toBeGreaterThan(4);
});

test.each<[string[], RegExp]>([
  [['history', 'nobody'], /guest nobody has never run on this host; check its id/],
  [['rollback', GUEST, '--to', '99'], /no generation 99; kept are .*: choose one of them/],
  [['rollback', GUEST, '--to', 'x'], /--to x is no generation; give one/],
  [['rollback', GUEST], /required option '--to <generation>' not specified/],
  [['fork', GUEST, 'a#b'], /guest id "a#b" is not valid/],
  [['replay', GUEST, '99'], /no generation 99/],
  [['import', '/no/file', 'x', '--definition', 'd'], /\/no\/file does not exist; check the path/],
])('%j: one line, status 2', async (args, message) => {
  const { status, err, out } = await hv(await aged(), ...args);
  expect([status, out]).toEqual([2, '']);
  expect(err).toMatch(message);
  expect(err.trimEnd().split('\n')).toHaveLength(1);
});

test('without a table the commands say how to name one', () => {
  expect(() => openState({}, {})).toThrow(/which host\? give --table NAME/);
  expect(() => openState({ table: 't' }, {}).images()).toThrow(/give --assets BUCKET/);
  expect(openState({}, { TABLE_NAME: 't', AWS_REGION: 'us-east-1' }).store).toBeInstanceOf(TableStore);
});
