/** The hart on programs that nobody wrote: exact budgets, cuts that change nothing, and words that harm nothing. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { Hart, type HartBus } from '../../engine/cpu/hart';
import * as at from '../../engine/cpu/layout';
import { find } from '../../engine/isa/disassembler';
import { pokeWords, underTest } from './engine-under-test';

const MEBIBYTE = 2 ** 20;
const RAM_BASE = 0x80000000n;
const HANDLER = 0x80010000n;
const MTVEC = 0x305;
const emptyBus: HartBus = { read: () => undefined, write: () => false };

/** csrr t0, mepc; addi t0, t0, 4; csrw mepc, t0; mret: goes on behind whatever trapped. */
const skipHandler = [0x341022f3, 0x00428293, 0x34129073, 0x30200073];
/** csrw mtvec, a0 */
const setVector = 0x30551073;

function load(hart: Hart, address: bigint, words: readonly number[]): void {
  pokeWords(hart, Number(address - RAM_BASE), words);
}

function start(words: readonly number[]): Hart {
  const hart = new Hart({ ...underTest, ramSize: MEBIBYTE, bus: emptyBus });
  load(hart, RAM_BASE, [setVector, ...words]);
  load(hart, HANDLER, skipHandler);
  hart.pc = RAM_BASE;
  hart.setX(10, HANDLER);
  for (let i = 11; i < 32; i++) hart.setX(i, RAM_BASE + BigInt(0x20000 + 0x100 * i));
  return hart;
}

const fingerprint = (hart: Hart): string =>
  createHash('sha256').update(hart.saveState()).update(hart.ram).digest('hex');

/** Words that decode, mostly: uniform ones are illegal too often to get anywhere. */
const words = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.nat(0xffffffff).filter((word) => find(word) !== undefined) },
    { weight: 1, arbitrary: fc.nat(0xffffffff) },
  ),
  { minLength: 64, maxLength: 400 },
);

const runs = process.env['TEST_FULL'] === '1' ? 2000 : 60;

test('state lies where its names say, and no two cells overlap', () => {
  const cells = Object.entries(at).filter(([, place]) => place >= at.X && place < at.HART_STATE_END);
  const places = cells
    .map(([, place]) => place)
    .filter((place) => ![at.CSRS, at.CSRS_FREE, at.COUNTERS, at.COUNTERS_END].includes(place));
  expect(new Set(places).size).toBe(places.length);
  expect(at.RAM % 4096).toBe(0);
  expect(at.TLB_END).toBe(at.TLB + at.TLB_CONTEXTS * at.TLB_CONTEXT);
  expect(at.TLB_CONTEXT).toBe(3 * at.TLB_KIND);
  expect(at.TLB_KIND).toBe(at.TLB_ENTRIES * at.TLB_ENTRY);
  expect(at.STLB).toBeGreaterThanOrEqual(at.TLB_END);
  expect(at.STLB_END).toBe(at.STLB + at.STLB_ENTRIES * at.STLB_ENTRY);
  expect(at.FILLED).toBeGreaterThanOrEqual(at.STLB_END);
  expect(at.FILLED_END).toBeGreaterThanOrEqual(at.FILLED + 2 * at.FILLED_MOST);
});

test('a run executes exactly its budget, wherever it is cut, and the cuts leave no trace', () => {
  fc.assert(
    fc.property(
      words,
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 40, maxLength: 80 }),
      (program, cuts) => {
        const total = cuts.reduce((sum, cut) => sum + cut, 0);
        const whole = start(program);
        const wholeExit = whole.run(total);
        const pieces = start(program);
        let idle = false;
        for (const cut of cuts) {
          idle = pieces.run(cut) === 'idle';
          if (idle) break;
        }
        expect(idle).toBe(wholeExit === 'idle');
        if (!idle) expect(pieces.steps).toBe(BigInt(total));
        expect(pieces.steps).toBe(whole.steps);
        expect(fingerprint(pieces)).toBe(fingerprint(whole));
      },
    ),
    { numRuns: runs },
  );
});

test('state saved and put into a fresh hart goes on alike', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 1500 }), (program, cut) => {
      const original = start(program);
      original.run(cut);
      const copy = new Hart({ ...underTest, ramSize: MEBIBYTE, bus: emptyBus });
      copy.ram.set(original.ram);
      copy.restoreState(original.saveState());
      original.run(1000);
      copy.run(1000);
      expect(fingerprint(copy)).toBe(fingerprint(original));
    }),
    { numRuns: runs },
  );
});

test('no program touches memory outside its RAM, throws, or outruns its budget', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(0xffffffff), { minLength: 200, maxLength: 2000 }),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      (program, seed) => {
        const hart = start(program);
        for (let i = 11; i < 32; i++) hart.setX(i, seed * BigInt(2 * i + 1));
        const memory = new Uint8Array(hart.memory.buffer);
        const tables = (): string =>
          createHash('sha256').update(memory.subarray(at.CSR_INDEX, at.TLB)).digest('hex');
        const before = tables();
        hart.run(20_000);
        expect(hart.steps).toBeLessThanOrEqual(20_000n);
        expect(tables()).toBe(before);
        expect(hart.x(0)).toBe(0n);
      },
    ),
    { numRuns: runs },
  );
});

test('an undefined instruction traps as the manual says: cause 2, the word in mtval, its address in mepc', () => {
  const hart = start([0xffffffff, 0x00000013]);
  hart.run(2);
  expect(hart.csr(0x342)).toBe(2n);
  expect(hart.csr(0x343)).toBe(0xffffffffn);
  expect(hart.csr(0x341)).toBe(RAM_BASE + 4n);
  expect(hart.pc).toBe(HANDLER);
  expect(hart.csr(MTVEC)).toBe(HANDLER);
});

test('a trapped instruction does not retire', () => {
  const hart = start([0xffffffff]); // csrw retires, the undefined word does not, then two of the handler do
  hart.run(4);
  expect(hart.steps).toBe(4n);
  expect(hart.csr(0xb02) + 1n).toBe(3n); // an observer reads between instructions
});

test('wfi waits, and a line that is enabled ends it', () => {
  const hart = start([0x10500073, 0x00000013, 0x00000013]);
  expect(hart.run(100)).toBe('idle');
  expect(hart.ticksUntilTimer).toBeUndefined();
  expect(hart.run(100)).toBe('idle');
  hart.setCell(at.MIE, 1n << 11n);
  hart.setLine(11, true);
  expect(hart.run(1)).toBe('budget');
  expect(hart.pc).toBe(RAM_BASE + 12n);
});

test('time does not jump when a tick comes to take more steps, or fewer, and timers go by it', () => {
  const pace = fc.bigInt({ min: 1n, max: 200n });
  fc.assert(
    fc.property(fc.array(fc.tuple(pace, fc.integer({ min: 1, max: 50_000 })), { maxLength: 8 }), (bursts) => {
      const hart = start([0x0000006f]); // jal zero, 0
      for (const [stepsPerTick, steps] of bursts) {
        const before = hart.time;
        hart.stepsPerTick = stepsPerTick;
        expect(hart.time).toBe(before);
        hart.run(steps);
        const passed = hart.time - before;
        expect(Number(passed)).toBeGreaterThanOrEqual(Math.floor(steps / Number(stepsPerTick)));
        expect(Number(passed)).toBeLessThanOrEqual(Math.ceil(steps / Number(stepsPerTick)));
      }
      hart.timeCompare = hart.time + 10n;
      const until = hart.stepsUntil(hart.time + 10n);
      expect(until).toBeGreaterThan(9n * hart.stepsPerTick);
      expect(until).toBeLessThanOrEqual(10n * hart.stepsPerTick);
      hart.run(Number(until) - 1);
      expect(hart.ticksUntilTimer).toBe(1n);
      hart.run(1);
      expect(hart.ticksUntilTimer).toBeUndefined();
      expect(hart.cell(at.LINES)).toBe(1n << 7n);
    }),
    { numRuns: runs },
  );
});

test('with a monitor, what is not delegated ends the run, and the hart is as before the instruction', () => {
  const hart = new Hart({ ...underTest, ramSize: MEBIBYTE, bus: emptyBus, monitor: true });
  load(hart, RAM_BASE, [0x00150513, 0x00000073, 0x00150513, 0xffffffff]); // addi a0; ecall; addi a0; undefined
  hart.pc = RAM_BASE;
  hart.privilege = 0;
  hart.setCell(at.PMPCFG, 0x1fn);
  hart.setCell(at.PMPADDR, (1n << 54n) - 1n);
  hart.restoreState(hart.saveState()); // PMP is looked at anew
  expect(hart.run(100)).toBe('trap');
  expect(hart.trap).toEqual({ cause: 8, value: 0n });
  expect([hart.pc, hart.privilege, hart.x(10), hart.steps]).toEqual([RAM_BASE + 4n, 0, 1n, 2n]);
  hart.pc += 4n;
  expect(hart.run(100)).toBe('trap');
  expect(hart.trap).toEqual({ cause: 2, value: 0xffffffffn });
  expect([hart.pc, hart.x(10)]).toEqual([RAM_BASE + 12n, 2n]);
});
