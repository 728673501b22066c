/**
 * Generations over months: guests that run, lose attempts, are forked, go back, are collected and compacted, with
 * collections cut short anywhere. Whatever is kept is what it was, and what nothing needs is gone.
 */
import * as fc from 'fast-check';
import { exportGuest, importGuest } from '../../../lambdas/store/archive';
import { emptyCheckpoint, neededPacks, type Checkpoint } from '../../../lambdas/store/checkpoint';
import { collect } from '../../../lambdas/store/collect';
import { CorruptPackError, InputError } from '../../../lambdas/store/errors';
import { flush } from '../../../lambdas/store/flush';
import { fork } from '../../../lambdas/store/fork';
import { history, newestWhole, rollback, verify } from '../../../lambdas/store/history';
import { packName } from '../../../lambdas/store/keys';
import { MemoryTable } from '../../../lambdas/store/memory';
import { openCheckpoint, readTable } from '../../../lambdas/store/opened-checkpoint';
import { ownerOf } from '../../../lambdas/store/page-index';
import type { Attempt, Head } from '../../../lambdas/store/store';
import { TableStore } from '../../../lambdas/store/table-store';
import { firstHead } from '../../../lambdas/worker/slice';
import { FakeSpace } from '../fake-space';
import { restoreSpaces } from '../restore-spaces';

const PAGES = 3000;
const KEPT = 3;

const contents = (seed: number): Uint8Array =>
  Uint8Array.from({ length: 4096 }, (_, i) =>
    seed === 0 ? 0 : (Math.imul(seed + i, 2654435761) >>> 24) & 0xff,
  );

/** Guests of one table, and what each of their generations was. */
class Past {
  readonly table = new MemoryTable();
  readonly store = new TableStore(this.table);
  readonly truth = new Map<string, Map<number, string>>();
  private time = 1000;

  get guests(): string[] {
    return [...this.truth.keys()];
  }
  key({ generation, fencing }: Attempt): string {
    return `${generation}/${fencing}`;
  }

  async begin(guest: string): Promise<void> {
    this.truth.set(guest, new Map());
    await this.store.createHead(firstHead(guest, 'definition', this.time));
  }

  async head(guest: string): Promise<Head> {
    return (await this.store.head(guest))!;
  }

  async space(
    guest: string,
    at: Attempt,
  ): Promise<{ space: FakeSpace; checkpoint: Checkpoint; profile: Uint8Array | undefined }> {
    const space = new FakeSpace('ram', PAGES);
    if (at.generation === 0) return { space, checkpoint: emptyCheckpoint(guest), profile: undefined };
    await restoreSpaces(this.store, guest, at, [space]);
    // As a worker that has read no more of the index than it needs.
    const { checkpoint, profile } = await openCheckpoint(this.store, guest, at);
    return { space, checkpoint, profile };
  }

  /** One slice: an attempt, which may come to nothing. */
  async slice(guest: string, writes: readonly (readonly [number, number])[], lost: boolean): Promise<void> {
    const head = await this.head(guest);
    const { space, checkpoint, profile } = await this.space(guest, {
      generation: head.generation,
      fencing: head.committedFencing,
    });
    for (const [page, seed] of writes) space.write(page, contents(seed));
    const held = { ...head, fencing: head.fencing + 1 };
    await this.store.swapHead(head, held);
    const attempt = { generation: head.generation + 1, fencing: held.fencing };
    const facts = {
      createdAt: this.time,
      head: {
        status: 'runnable' as const,
        inboxCursor: attempt.generation,
        consoleOffset: 0,
        results: 0,
        instructions: 0,
      },
    };
    // Not every slice has found something hot that was not known.
    const hot = attempt.fencing % 3 === 1 ? Uint8Array.of(attempt.generation, attempt.fencing) : undefined;
    await flush(
      this.store,
      checkpoint,
      attempt,
      { spaces: [space], state: contents(attempt.generation), profile: hot },
      { facts },
    );
    if (lost) return;
    await this.store.swapHead(held, {
      ...held,
      generation: attempt.generation,
      committedFencing: attempt.fencing,
    });
    this.truth.get(guest)!.set(attempt.generation, past(space, hot ?? profile));
  }

  async fork(guest: string, generation: number, id: string): Promise<void> {
    await fork(this.store, { guest, generation, fork: id, now: this.time });
    this.truth.set(id, new Map([[generation, this.truth.get(guest)!.get(generation)!]]));
  }

  async back(guest: string, generation: number): Promise<void> {
    const head = await rollback(this.store, guest, generation, this.time);
    const known = this.truth.get(guest)!;
    known.set(head.generation, known.get(generation)!);
  }

  async collect(guest: string, calls: number): Promise<void> {
    const head = await this.head(guest);
    let left = calls;
    await collect(this.store, head, {
      history: { generations: KEPT, ageMs: 0 },
      now: (this.time += 1),
      expired: () => left-- <= 0,
    });
  }

  /** Every kept generation of every guest is what it was. */
  async check(): Promise<void> {
    for (const guest of this.guests) {
      for (const record of await this.store.generations(await this.head(guest))) {
        const { space, profile } = await this.space(guest, record);
        expect(past(space, profile)).toBe(this.truth.get(guest)!.get(record.generation));
        await verify(this.store, guest, record);
      }
    }
  }

  /**
   * Packs under a guest's name that no kept generation of any guest needs. What an attempt that came to nothing left
   * goes with the generation that it would have been.
   */
  async garbage(): Promise<string[]> {
    const needed = new Set<string>();
    for (const guest of this.guests) {
      for (const record of await this.store.generations(await this.head(guest))) {
        const needs = await readTable(this.store, guest, record);
        for (const [name, id] of neededPacks(needs))
          needed.add(`${ownerOf(guest, needs.lineage, id)} ${name}`);
      }
    }
    const found: string[] = [];
    for (const guest of this.guests) {
      const { generation } = await this.head(guest);
      const kept = (await this.store.generations(await this.head(guest))).map((record) => record.generation);
      for (let each = 1; each <= generation; each += 1) {
        if (kept.includes(each)) continue;
        for (const id of await this.store.packs.list(guest, each)) found.push(`${guest} ${packName(id)}`);
      }
    }
    return found.filter((name) => !needed.has(name));
  }
}

/** What a generation was: its pages, and what was hot. */
const past = (space: FakeSpace, profile: Uint8Array | undefined): string =>
  JSON.stringify([space.value(), profile && [...profile]]);

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('slice' as const),
      who: fc.nat(),
      lost: fc.boolean(),
      from: fc.nat({ max: PAGES - 80 }),
      count: fc.integer({ min: 1, max: 60 }),
      seed: fc.nat({ max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fork' as const), who: fc.nat(), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back' as const), who: fc.nat(), which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('collect' as const),
      who: fc.nat(),
      calls: fc.oneof(fc.nat({ max: 6 }), fc.constant(1000)),
    }),
  },
);

describe('history', () => {
  test('whatever happens, what is kept is what it was, and the rest goes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
        const past = new Past();
        await past.begin('a');
        await past.slice('a', [[1, 1]], false);
        for (const each of steps) {
          const guest = past.guests[each.who % past.guests.length]!;
          const kept = await history(past.store, await past.head(guest));
          if (each.kind === 'slice') {
            const writes = Array.from(
              { length: each.count },
              (_, i) => [each.from + i, (each.seed * i) % 97] as const,
            );
            await past.slice(guest, writes, each.lost);
          } else if (each.kind === 'collect') {
            await past.collect(guest, each.calls);
          } else {
            const { generation } = kept[each.which % kept.length]!;
            if (each.kind === 'back') await past.back(guest, generation);
            else if (past.guests.length < 4) await past.fork(guest, generation, `f${past.guests.length}`);
          }
        }
        await past.check();
        for (const guest of past.guests) await past.slice(guest, [[2, 99]], false);
        // Eight at a time.
        for (let round = 0; round < 6; round += 1)
          for (const guest of past.guests) await past.collect(guest, 1000);
        await past.check();
        expect(await past.garbage()).toEqual([]);
        for (const guest of past.guests) {
          const pinned = (await past.store.pins(guest)).length;
          const kept = await history(past.store, await past.head(guest));
          expect(kept.length).toBeLessThanOrEqual(KEPT + pinned);
          expect(kept[0]?.generation).toBe((await past.head(guest)).generation);
        }
      }),
      { numRuns: process.env.TEST_FULL === undefined ? 6 : 100 },
    );
  }, 60_000);

  test('what an interrupted collection has not come to is whole', async () => {
    const past = new Past();
    await past.begin('a');
    // A pack that two generations need, and none after them.
    for (const seed of [1, 2, 3, 4, 5, 6]) await past.slice('a', [[seed === 2 ? 1 : 0, seed]], false);
    await past.collect('a', 2);
    expect((await history(past.store, await past.head('a'))).map(({ generation }) => generation)).toContain(
      2,
    );
    await past.check();
  });

  test.each(['before', 'after'])('a collection %s the pin of a rollback', async (when) => {
    const past = await threeGenerations();
    for (const seed of [7, 8]) await past.slice('a', [[3, seed]], false);
    const pin = past.store.pin.bind(past.store);
    past.store.pin = async (guest, at) => {
      if (when === 'after') await pin(guest, at);
      await past.collect('a', 1000);
      if (when === 'before') await pin(guest, at);
    };
    if (when === 'before') await expect(past.back('a', 1)).rejects.toThrow(/being deleted/);
    else await past.back('a', 1);
    await past.check();
    expect(await past.store.pins('a')).toEqual([]);
    expect((await past.head('a')).lease).toBeUndefined();
  });

  async function threeGenerations(): Promise<Past> {
    const past = new Past();
    await past.begin('a');
    for (let i = 1; i <= 3; i += 1)
      await past.slice(
        'a',
        Array.from({ length: 50 }, (_, page) => [page, i * 100 + page] as const),
        false,
      );
    return past;
  }

  test('a fork takes a handful of requests, whatever the guest’s size', async () => {
    const past = await threeGenerations();
    const { itemsWritten, itemsRead, bytesRead } = past.store.usage;
    await past.fork('a', 2, 'b');
    expect(past.store.usage.itemsWritten - itemsWritten).toBeLessThanOrEqual(3);
    expect(past.store.usage.itemsRead - itemsRead).toBeLessThanOrEqual(8);
    expect(past.store.usage.bytesRead - bytesRead).toBeLessThan(20_000);
    await past.check();
  });

  test('a rollback brings events back, and keeps what was emitted', async () => {
    const past = await threeGenerations();
    await past.store.swapHead(await past.head('a'), {
      ...(await past.head('a')),
      inboxCursor: 7,
      consoleOffset: 99,
    });
    const head = await rollback(past.store, 'a', 1, 5000);
    expect(head).toMatchObject({ generation: 4, inboxCursor: 1, consoleOffset: 99, status: 'runnable' });
    await expect(rollback(past.store, 'a', 9, 5000)).rejects.toThrow(/no generation 9; kept are 4, 3, 2, 1/);
    expect((await past.head('a')).lease).toBeUndefined();
    const held = { ...head, fencing: head.fencing + 2, lease: { owner: 'w', expires: 9000 } };
    await past.store.swapHead(await past.head('a'), held);
    await expect(rollback(past.store, 'a', 1, 5000)).rejects.toThrow(InputError);
  });

  test('a guest goes through a file into another table, and a forked one too', async () => {
    const past = await threeGenerations();
    await past.fork('a', 2, 'b');
    await past.slice('b', [[1000, 5]], false);
    const definition = { version: 1, model: 'machine', memory: 1, kernel: { key: 'here', sha256: 'x' } };
    for (const guest of ['a', 'b']) {
      const parts: Uint8Array[] = [];
      for await (const part of exportGuest(past.store, guest, definition)) parts.push(part);
      const file = Buffer.concat(parts);
      const target = new Past();
      target.truth.set('c', new Map([[3, past.truth.get(guest)!.get(3)!]]));
      const options = {
        guest: 'c',
        definitionKey: 'there.json',
        definition: { ...definition, kernel: { key: 'there', sha256: 'x' } },
        now: 9,
      };
      // In pieces of any size.
      const pieces = async function* (bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      await expect(
        importGuest(target.store, pieces(file.subarray(0, file.length - 1), 999), options),
      ).rejects.toThrow(/no whole archive/);
      expect(await target.store.head('c')).toBeUndefined();
      const flipped = Uint8Array.from(file);
      flipped[Math.floor(file.length / 2)]! ^= 1;
      await expect(importGuest(target.store, pieces(flipped, 5000), options)).rejects.toThrow(InputError);
      const other = { ...options, definition: { ...definition, memory: 2 } };
      await expect(importGuest(target.store, pieces(file, 5000), other)).rejects.toThrow(
        /another definition/,
      );
      const head = await importGuest(target.store, pieces(file, 777), options);
      expect(head).toMatchObject({ guest: 'c', generation: 3, definition: 'there.json', inboxCursor: 0 });
      await target.check();
      await target.slice('c', [[5, 5]], false);
      await target.check();
      await expect(importGuest(target.store, pieces(file, 777), options)).rejects.toThrow(/has run already/);
    }
  });

  test('the newest generation that is whole is found', async () => {
    const past = await threeGenerations();
    const head = await past.head('a');
    expect(await newestWhole(past.store, head)).toBe(2);
    const [pack] = await past.store.packs.list('a', 2);
    await past.store.packs.delete('a', pack!);
    await expect(verify(past.store, 'a', { generation: 2, fencing: 2 })).rejects.toThrow(CorruptPackError);
    expect(await newestWhole(past.store, head)).toBe(1);
  });
});
