/** Harts that take turns: the same whatever the cuts, fair, woken, and alone with their reservations. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { Harts } from '../../engine/cpu/harts';
import * as at from '../../engine/cpu/layout';
import { Aclint } from '../../engine/devices/aclint';
import { assemble } from '../../engine/isa/assembler';
import { StateError } from '../../engine/snapshot/errors';
import { underTest } from './engine-under-test';

const MEBIBYTE = 2 ** 20;
const RAM_BASE = 0x80000000;
const ACLINT = 0x200_0000;
const SHARED = 0x80080000;
const PAUSE = 0x0100000f;
const WFI = 0x10500073;

const register = (name: string): number => {
  const numbers: Record<string, number> = { a0: 10, a1: 11, a2: 12, a3: 13, a4: 14, a5: 15 };
  return at.X + 8 * numbers[name]!;
};

/** Harts around an ACLINT, each with a program of its own. */
class Rig {
  readonly harts: Harts;
  readonly aclint: Aclint;
  private readonly data: DataView;

  constructor(programs: readonly (readonly (string | number)[])[]) {
    this.harts = new Harts(programs.length, {
      ...underTest,
      ramSize: MEBIBYTE,
      bus: {
        read: (address, size) => this.aclint.read(address - ACLINT, size),
        write: (address, size, value) => {
          this.aclint.write(address - ACLINT, size, value);
          return true;
        },
      },
    });
    const { harts } = this;
    this.aclint = new Aclint({
      harts: programs.length,
      software: (hart) => ({ set: (asserted) => harts.setLine(hart, 3, asserted) }),
      timer: {
        compare: (hart) => harts.timeCompare(hart),
        setCompare: (hart, ticks) => harts.setTimeCompare(hart, ticks),
      },
      clock: { ticks: () => harts.hart.time, wallNanoseconds: () => 0n },
    });
    this.data = new DataView(harts.hart.memory.buffer, at.RAM, MEBIBYTE);
    programs.forEach((lines, hart) => {
      const base = 0x1000 * hart;
      lines.forEach((line, i) =>
        this.data.setUint32(base + 4 * i, typeof line === 'number' ? line : assemble(line).word, true),
      );
      harts.setCell(hart, at.PC, BigInt(RAM_BASE + base));
      harts.setCell(hart, at.MIE, 0x88n); // software and timer: they end a wait, and are not taken
      harts.setCell(hart, register('a0'), BigInt(SHARED));
      harts.setCell(hart, register('a1'), BigInt(SHARED + 64 + 64 * hart));
      harts.setCell(hart, register('a2'), BigInt(ACLINT + 0x4000 + 8 * hart));
      harts.setCell(hart, register('a3'), BigInt(ACLINT + 4 * ((hart + 1) % programs.length)));
      harts.setCell(hart, register('a4'), BigInt(ACLINT + 4 * hart));
      harts.setCell(hart, register('a5'), 1n);
    });
  }

  shared(offset = 0): bigint {
    return this.data.getBigUint64(SHARED - RAM_BASE + offset, true);
  }
  get steps(): number {
    return Number(this.harts.hart.steps);
  }

  /** Runs to a number of steps; idle time is skipped. False when all wait for ever. */
  runTo(steps: number): boolean {
    while (this.steps < steps) {
      if (this.harts.run(steps - this.steps) !== 'idle') continue;
      const ticks = this.harts.ticksUntilTimer;
      if (ticks === undefined) return false;
      this.harts.hart.time += ticks;
    }
    return true;
  }

  get fingerprint(): string {
    const hash = createHash('sha256').update(this.harts.saveState()).update(this.aclint.save());
    return hash.update(this.harts.hart.ram).digest('hex');
  }

  /** The same in fresh memory, as another worker would have it. */
  movedTo(fresh: Rig): Rig {
    fresh.harts.hart.ram.set(this.harts.hart.ram);
    fresh.aclint.restore(this.aclint.save());
    fresh.harts.restoreState(this.harts.saveState());
    return fresh;
  }
}

/** What harts do to each other, a few instructions each; t0 to t2 are anyone's. */
const pieces: readonly (readonly (string | number)[])[] = [
  ['amoadd.d zero, a5, (a0)'],
  ['lr.d t0, (a0)', 'addi t0, t0, 1', 'sc.d t1, t0, (a0)', 'sd t1, 0(a1)'],
  ['csrrs t0, 0xc01, zero', 'sd t0, 8(a1)'], // time
  ['csrrs t0, 0xb02, zero', 'sd t0, 16(a1)'], // minstret
  ['csrrs t0, 0xb00, zero', 'amoxor.d zero, t0, (a1)'], // mcycle
  ['csrrs t0, 0xf14, zero', 'amoadd.d zero, t0, (a1)'], // mhartid
  ['ld t0, 8(a0)', 'addi t0, t0, 1', 'sd t0, 8(a0)'], // not atomic: who loses depends on the turns
  [PAUSE],
  ['sw a5, 0(a3)'], // interrupts the next hart
  ['sw zero, 0(a4)'], // clears its own
  ['csrrs t0, 0xc01, zero', 'addi t0, t0, 50', 'sd t0, 0(a2)', WFI, 'addi t0, zero, -1', 'sd t0, 0(a2)'],
  ['addi t2, zero, 2000', 'addi t2, t2, -1', 'bne t2, zero, -4'],
];

/** Pieces in any order, for ever. */
const program = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 }).map((chosen) => {
  const lines = chosen.flat();
  return [...lines, `jal zero, ${-4 * lines.length}`];
});

const runs = process.env['TEST_FULL'] === '1' ? 500 : 25;

test('a run of several harts executes exactly its budget, and neither cuts nor moves leave a trace', () => {
  fc.assert(
    fc.property(
      fc.array(program, { minLength: 2, maxLength: 4 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 300_000 })), {
        minLength: 4,
        maxLength: 12,
      }),
      (programs, cuts) => {
        const whole = new Rig(programs);
        const total = cuts.reduce((sum, cut) => sum + cut, 0);
        whole.runTo(total);
        let moved = new Rig(programs);
        let end = 0;
        for (const cut of cuts) {
          end += cut;
          if (moved.runTo(end)) expect(moved.steps).toBe(end);
          moved = moved.movedTo(new Rig(programs));
        }
        expect(moved.fingerprint).toBe(whole.fingerprint);
      },
    ),
    { numRuns: runs },
  );
});

const spin = ['addi t0, t0, 1', 'jal zero, -4'];

test('harts that are busy get equal shares', () => {
  const rig = new Rig([spin, spin, spin, spin]);
  rig.runTo(8_000_000);
  for (let hart = 0; hart < 4; hart++) expect(rig.harts.cell(hart, at.STEPS)).toBe(2_000_000n);
});

test('time is one clock for all, and each hart counts its own instructions', () => {
  const store = [
    'csrrs t0, 0xc01, zero',
    'sd t0, 0(a1)',
    'csrrs t1, 0xb02, zero',
    'sd t1, 8(a1)',
    'jal zero, -16',
  ];
  const rig = new Rig([store, store]);
  rig.runTo(2_000_000);
  const [first, second] = [0, 1].map(
    (hart) => [rig.shared(64 + 64 * hart), rig.shared(72 + 64 * hart)] as const,
  );
  // Each last looked at the clock at the end of its turn: one turn of 200,000 steps, at ten a tick, lies between.
  expect(Number(second![0] - first![0])).toBeGreaterThan(19_990);
  expect(Number(second![0] - first![0])).toBeLessThan(20_010);
  expect(Math.abs(Number(first![1] - second![1]))).toBeLessThan(10);
  expect(Number(first![1])).toBeGreaterThan(999_980);
  expect(Number(first![1])).toBeLessThanOrEqual(1_000_000);
});

test('a hart that spins with `pause` leaves its turn to the others', () => {
  const rig = new Rig([[PAUSE, 'jal zero, -4'], spin]);
  rig.runTo(10_000_000);
  expect(Number(rig.harts.cell(1, at.STEPS))).toBeGreaterThan(9_999_000);
});

test('a hart that waits costs nothing, and is woken by an interrupt of another and by its own timer', () => {
  const waiter = [WFI, 'amoadd.d zero, a5, (a0)', 'sw zero, 0(a4)', 'jal zero, -12'];
  const waker = ['addi t0, zero, 1000', 'addi t0, t0, -1', 'bne t0, zero, -4', 'sw a5, 0(a3)', WFI];
  const rig = new Rig([waker, waiter]);
  expect(rig.harts.run(1_000_000)).toBe('idle');
  expect(rig.shared()).toBe(1n);
  expect(rig.steps).toBeLessThan(2_020);
  expect(rig.harts.ticksUntilTimer).toBeUndefined();
  rig.harts.setTimeCompare(1, rig.harts.hart.time + 123n);
  expect(rig.harts.ticksUntilTimer).toBe(123n);
  rig.harts.hart.time += 123n;
  expect(rig.harts.run(10)).toBe('budget'); // the timer is never put off, so it goes on waking
  expect(rig.shared()).toBeGreaterThan(1n);
});

test('what two harts add under reservations, ten cuts a loop, is all there', () => {
  const add = ['lr.d t0, (a0)', 'addi t0, t0, 1', 'sc.d t1, t0, (a0)', 'bne t1, zero, -12', 'addi t2, t2, 1'];
  const rig = new Rig([0, 1, 2].map(() => [...add, PAUSE, 'jal zero, -24']));
  for (let end = 1; end < 30_000; end += 3) rig.runTo(end);
  const made = [0, 1, 2].map((hart) => rig.harts.cell(hart, at.X + 8 * 7));
  const difference = rig.shared() - made.reduce((sum, count) => sum + count, 0n);
  expect(Number(difference)).toBeGreaterThanOrEqual(0);
  expect(Number(difference)).toBeLessThanOrEqual(3); // added, and not yet counted
});

test('a store between two harts’ turns takes the reservation', () => {
  // Hart 0 reserves, pauses, and stores on condition; what hart 1 did meanwhile leaves the value as it was.
  const rig = new Rig([
    ['lr.d t0, (a0)', PAUSE, 'sc.d t1, t0, (a0)', 'sd t1, 0(a1)', WFI],
    ['sd a5, 0(a0)', 'sd zero, 0(a0)', WFI],
  ]);
  expect(rig.harts.run(100)).toBe('idle');
  expect(rig.shared(64)).toBe(1n);
});

test('state is refused by another number of harts', () => {
  const two = new Rig([spin, spin]);
  const three = new Rig([spin, spin, spin]);
  expect(() => three.harts.restoreState(two.harts.saveState())).toThrow(StateError);
  expect(() => three.harts.restoreState(two.harts.saveState())).toThrow('saved with 2 of them, not 3');
});
