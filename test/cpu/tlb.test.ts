/** The TLB: no guest can tell where a run was cut, restored, or what executed it, though it changes tables unfenced. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type EngineOptions, Hart } from '../../engine/cpu/hart';
import * as at from '../../engine/cpu/layout';
import { restoreTlb, saveTlb } from '../../engine/cpu/tlb-state';
import { StateError } from '../../engine/snapshot/errors';

const runs = process.env['TEST_FULL'] === '1' ? 200 : 15;
const RAM_SIZE = 2 ** 20;
const RAM = 0x80000000n;
/** More address spaces than the TLB keeps. */
const SPACES = 11;
const PAGES = 4;
/** Offsets in RAM. */
const [HANDLER, TABLE, ROOTS, MIDDLES, LEAVES, FRAMES] = [
  0x10000, 0x18000, 0x20000, 0x30000, 0x40000, 0x80000,
] as const;
const VIRTUAL = 0x40000000n;

// PTE bits
const [V, R, W, X, U, A, D] = [1n, 2n, 4n, 8n, 16n, 64n, 128n];
const entry = (offset: number, flags: bigint): bigint => (((RAM + BigInt(offset)) >> 12n) << 10n) | flags;

/** Registers: x8 points to the table of constants, x5 and x6 are for operands, x18 sums up what was loaded. */
const ld = (rd: number, base: number, offset: number): number =>
  ((offset << 20) | (base << 15) | (3 << 12) | (rd << 7) | 0x03) >>> 0;
const sd = (source: number, base: number): number =>
  ((source << 20) | (base << 15) | (3 << 12) | (8 << 7) | 0x23) >>> 0;
const fence = (address: number, asid: number): number =>
  ((9 << 25) | (asid << 20) | (address << 15) | 0x73) >>> 0;
const ADD_TO_SUM = 0x00690933; // add x18, x18, x6
const WRITE_SATP = 0x18029073; // csrw satp, x5
const SET_SUM = 0x1002a073; // csrs sstatus, x5
const CLEAR_SUM = 0x1002b073; // csrc sstatus, x5
const NEXT_TURN = 0xfff48493; // addi x9, x9, -1
const STAY = 0x0000006f;
/** csrr x31, sepc; addi x31, x31, 4; csrw sepc, x31; sret */
const skipHandler = [0x14102ff3, 0x004f8f93, 0x141f9073, 0x10200073];

/** Constants by kind, each a doubleword of the table. */
const slots = {
  satp: 0,
  asid: SPACES,
  page: 2 * SPACES,
  leaf: 2 * SPACES + PAGES,
  pte: 2 * SPACES + (SPACES + 1) * PAGES,
};
const SUM_BIT = 200;
const PTES = 40;

/** Mostly the same few. */
const space = fc.oneof({ weight: 4, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(SPACES - 1) });
const page = fc.nat(PAGES - 1);
const constant = (rd: number, slot: number): number => ld(rd, 8, 8 * slot);

const loads = page.map((p) => [constant(5, slots.page + p), ld(6, 5, 8), ADD_TO_SUM]);
const storesTo = page.map((p) => [constant(5, slots.page + p), sd(18, 5)]);
const changes = fc
  .tuple(space, page, fc.nat(PTES - 1))
  .map(([s, p, value]) => [
    constant(6, slots.pte + value),
    constant(5, slots.leaf + s * PAGES + p),
    sd(6, 5),
  ]);
const switches = space.map((s) => [constant(5, slots.satp + s), WRITE_SATP]);
const fences = fc
  .tuple(page, space, fc.constantFrom([0, 0], [5, 0], [0, 6], [5, 6]))
  .map(([p, s, [address, asid]]) => [
    constant(5, slots.page + p),
    constant(6, slots.asid + s),
    fence(address!, asid!),
  ]);
const modes = fc.constantFrom(SET_SUM, CLEAR_SUM).map((word) => [constant(5, SUM_BIT), word]);

const mixed = (rare: number): fc.Arbitrary<number[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: loads },
        { weight: 4, arbitrary: storesTo },
        { weight: 4, arbitrary: changes },
        { weight: rare, arbitrary: fc.oneof(switches, fences, modes) },
      ),
      { minLength: 30, maxLength: 80, size: 'max' },
    )
    .map((operations) => operations.flat());
/** Some never leave their address space, so that what they have translated grows old. */
const program = fc.oneof(mixed(4), mixed(0));

const bits = (set: readonly bigint[]): bigint => set.reduce((sum, bit) => sum | bit, V);
const leafFlags = fc.oneof(
  { weight: 3, arbitrary: fc.subarray([W, A, D]).map((set) => bits([R, ...set])) },
  { weight: 1, arbitrary: fc.subarray([R, W, X, U, A, D]).map(bits) },
);
const pte = fc.tuple(fc.nat(63), leafFlags).map(([frame, flags]) => entry(FRAMES + frame * 4096, flags));

interface Tables {
  readonly leaves: readonly bigint[];
  readonly ptes: readonly bigint[];
}
const tables = fc.record({
  leaves: fc.array(pte, { minLength: SPACES * PAGES, maxLength: SPACES * PAGES }),
  ptes: fc.array(pte, { minLength: PTES, maxLength: PTES }),
});

/** A hart in S-mode that repeats the program, in one of several address spaces. */
function start(words: readonly number[], { leaves, ptes }: Tables, engine?: EngineOptions): Hart {
  const hart = empty(engine);
  const view = new DataView(hart.ram.buffer, hart.ram.byteOffset);
  const put = (offset: number, value: bigint): void => view.setBigUint64(offset, value, true);
  const body = [constant(5, slots.satp), WRITE_SATP, ...words, NEXT_TURN];
  const back = -4 * body.length;
  const turn = ((9 << 15) | (1 << 12) | 0x63 | (((back >> 12) & 1) << 31) | (((back >> 5) & 63) << 25)) >>> 0;
  const again = (turn | (((back >> 1) & 15) << 8) | (((back >> 11) & 1) << 7)) >>> 0; // bne x9, x0, back
  [...body, again, STAY].forEach((word, i) => view.setUint32(4 * i, word, true));
  skipHandler.forEach((word, i) => view.setUint32(HANDLER + 4 * i, word, true));
  const constants = (slot: number, value: bigint): void => put(TABLE + 8 * slot, value);
  for (let s = 0; s < SPACES; s++) {
    const [root, middle, leaf] = [ROOTS, MIDDLES, LEAVES].map((base) => base + 4096 * s) as [
      number,
      number,
      number,
    ];
    put(root + 8, entry(middle, V));
    put(root + 16, entry(0, V | R | W | X | A | D)); // a gigapage, where code and tables are
    put(middle, entry(leaf, V));
    for (let p = 0; p < PAGES; p++) {
      put(leaf + 8 * p, leaves[s * PAGES + p]!);
      constants(slots.leaf + s * PAGES + p, RAM + BigInt(leaf + 8 * p) - 8n);
    }
    const asid = BigInt(s >> 1); // some share one
    constants(slots.satp + s, (8n << 60n) | (asid << 44n) | ((RAM + BigInt(root)) >> 12n));
    constants(slots.asid + s, asid);
  }
  for (let p = 0; p < PAGES; p++) constants(slots.page + p, VIRTUAL + BigInt(4096 * p));
  ptes.forEach((value, i) => constants(slots.pte + i, value));
  constants(SUM_BIT, 1n << 18n);
  for (let frame = 0; frame < 64; frame++) put(FRAMES + 4096 * frame + 8, BigInt(frame + 1) ** 9n);
  hart.setX(8, RAM + BigInt(TABLE));
  hart.setX(9, 100n);
  hart.pc = RAM;
  const cells: [number, bigint][] = [
    [at.MEDELEG, 0xffffn],
    [at.STVEC, RAM + BigInt(HANDLER)],
    [at.PMPCFG, 0x1fn],
    [at.PMPADDR, (1n << 54n) - 1n],
    [at.PRIVILEGE, 1n],
  ];
  for (const [cell, value] of cells) hart.setCell(cell, value);
  return copyOf(hart, engine);
}

const empty = (engine?: EngineOptions): Hart =>
  new Hart({
    ramSize: RAM_SIZE,
    bus: { read: () => undefined, write: () => false },
    ...(engine && { engine }),
  });

/** As after a restore: small TLBs empty, nothing translated. */
function copyOf(hart: Hart, engine?: EngineOptions): Hart {
  const copy = empty(engine);
  copy.ram.set(hart.ram);
  copy.restoreState(hart.saveState());
  return copy;
}

const fingerprint = (hart: Hart): string =>
  createHash('sha256').update(hart.saveState()).update(hart.ram).digest('hex');
const cellsOf = (hart: Hart): DataView => new DataView(hart.memory.buffer, 0, at.RAM);

const cuts = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 5, maxLength: 15 });
const translated: EngineOptions = { kind: 'translator', threshold: 0 };

test('a run is the same whole, restored at every cut, watched anew at every cut, and translated', () => {
  let walks = 0n;
  let spaces = 0n;
  fc.assert(
    fc.property(program, tables, cuts, (words, surroundings, budgets) => {
      const whole = start(words, surroundings);
      let restored = start(words, surroundings);
      const watched = start(words, surroundings);
      const compiled = start(words, surroundings, translated);
      for (const budget of budgets) {
        for (const hart of [whole, restored, watched, compiled]) expect(hart.run(budget)).toBe('budget');
        const expected = fingerprint(whole);
        for (const hart of [restored, watched, compiled]) expect(fingerprint(hart)).toBe(expected);
        restored = copyOf(restored);
        watched.watchPages();
      }
      walks += whole.cell(at.COUNTER_PAGE_WALKS);
      spaces += whole.cell(at.NEXT_SPACE);
    }),
    // Shrinking would take longer than looking at the program does.
    { numRuns: runs, endOnFailure: true },
  );
  expect(walks).toBeGreaterThan(BigInt(10 * runs));
  expect(spaces).toBeGreaterThan(BigInt(4 * runs));
});

test('saved entries come back, and saved again are the same bytes', () => {
  fc.assert(
    fc.property(program, tables, fc.integer({ min: 1, max: 20_000 }), (words, surroundings, budget) => {
      const hart = start(words, surroundings);
      hart.run(budget);
      const saved = saveTlb(cellsOf(hart));
      expect(saveTlb(cellsOf(copyOf(hart)))).toEqual(saved);
      expect(saved.length).toBeLessThan(16 * PAGES * at.SPACES_MOST);
    }),
    { numRuns: runs },
  );
});

test('bytes that are no TLB are refused, and harm nothing', () => {
  const memory = new DataView(new ArrayBuffer(at.RAM));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (bytes) => {
      try {
        restoreTlb(memory, bytes, RAM_SIZE / 4096);
      } catch (error) {
        expect(error).toBeInstanceOf(StateError);
      }
      for (let place = at.STLB; place < at.STLB_END; place += at.STLB_ENTRY) {
        const frame = (memory.getUint32(place, true) >>> 4) & 0xfffff;
        if (frame >= RAM_SIZE / 4096) throw new Error(`an entry points to page ${frame}, outside of RAM`);
      }
    }),
    { numRuns: 4 * runs },
  );
});
