import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Operands, randomFrom } from './operands';
import { NV, NX, operations, roundingModes } from './operations';
import type { Trial } from './operations';
import { compileAssembly, emulated, hardware, performer, softFloatSource } from './programs';
import type { Outcome, Reference } from './programs';

/** SOFTFLOAT_SEED=n draws other operands; TEST_FULL=1 draws twenty times as many, in as many rounds. */
const firstSeed = Number(process.env['SOFTFLOAT_SEED'] ?? 1);
const rounds = process.env['TEST_FULL'] ? 20 : 1;

let directory: string;
let perform: ReturnType<typeof performer>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'softfloat-'));
  perform = performer(compileAssembly(softFloatSource, directory));
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function hex({ result, flags }: Outcome): string {
  return `${result.toString(16)} flags ${flags.toString(2).padStart(5, '0')}`;
}

function describeTrial(trial: Trial): string {
  const row = operations[trial.operation];
  const operands = trial.operands.slice(0, row?.operands.length).map((bits) => `0x${bits.toString(16)}`);
  return `${row?.name}(${operands.join(', ')}) ${row?.rounds ? roundingModes[trial.roundingMode] : ''}`;
}

/** What differs, each line with all that is needed to repeat it. NX set beforehand takes the shorter ways. */
function differences(
  trials: readonly Trial[],
  expected: readonly (Outcome | undefined)[],
  seed: number,
): string[] {
  const lines: string[] = [];
  trials.forEach((trial, index) => {
    const wanted = expected[index];
    if (wanted === undefined) return;
    for (const before of [0, NX]) {
      const got = perform(trial, before);
      if (got.result === wanted.result && got.flags === (wanted.flags | before)) continue;
      lines.push(
        `${describeTrial(trial)}: got ${hex(got)}, want ${hex(wanted)}, flags before ${before}, seed ${seed}`,
      );
    }
  });
  return lines;
}

function numberOf(name: string): number {
  return operations.findIndex((row) => row.name === name);
}

// What follows needs nothing but Node; the two comparisons with other processors need compilers.

const view = new DataView(new ArrayBuffer(8));
const doubleOf = (bits: bigint): number => (view.setBigUint64(0, bits), view.getFloat64(0));
const bitsOf = (x: number): bigint =>
  Number.isNaN(x) ? 0x7ff8000000000000n : (view.setFloat64(0, x), view.getBigUint64(0));

test.each<[string, (a: number, b: number) => number]>([
  ['f64_add', (a, b) => a + b],
  ['f64_sub', (a, b) => a - b],
  ['f64_mul', (a, b) => a * b],
  ['f64_div', (a, b) => a / b],
  ['f64_sqrt', (a) => Math.sqrt(a)],
])("%s to nearest even gives JavaScript's own result", (name, own) => {
  const source = new Operands(randomFrom(firstSeed));
  for (let count = 0; count < 5_000; count++) {
    const trial = source.trial(numberOf(name), 1);
    const [a, b] = trial.operands;
    const wanted = bitsOf(own(doubleOf(a), doubleOf(b)));
    const { result } = perform(trial, 0);
    if (result !== wanted)
      throw new Error(`${describeTrial(trial)}: got ${result}, want ${wanted}, seed ${firstSeed}`);
  }
});

/** Unprivileged ISA manual, "F": "Domains of float-to-integer conversions and behavior for invalid inputs". */
test.each<[string, bigint, bigint]>([
  ['i32', 0xffffffff80000000n, 0x7fffffffn],
  ['u32', 0n, 0xffffffffffffffffn],
  ['i64', 0x8000000000000000n, 0x7fffffffffffffffn],
  ['u64', 0n, 0xffffffffffffffffn],
])('invalid conversions to %s saturate, and a NaN counts as too great', (integer, least, greatest) => {
  const convert = (x: bigint): Outcome =>
    perform({ operation: numberOf(`f64_to_${integer}`), roundingMode: 1, operands: [x, 0n, 0n] }, 0);
  expect(convert(bitsOf(-1e30))).toEqual({ result: least, flags: NV });
  expect(convert(bitsOf(-Infinity))).toEqual({ result: least, flags: NV });
  expect(convert(bitsOf(1e30))).toEqual({ result: greatest, flags: NV });
  expect(convert(bitsOf(Infinity))).toEqual({ result: greatest, flags: NV });
  expect(convert(bitsOf(NaN))).toEqual({ result: greatest, flags: NV });
});

interface Comparison {
  readonly reference: Reference;
  readonly name: string;
  readonly modes: number;
  readonly perOperation: number;
  readonly includes: (operation: number) => boolean;
  /** Trials that the reference answers otherwise than RISC-V, rightly. */
  readonly excludes: (trial: Trial) => boolean;
}

const comparisons: readonly Comparison[] = [
  {
    reference: hardware,
    name: 'x86-64 hardware',
    modes: 4,
    perOperation: 25_000,
    includes: (operation) => operations[operation]?.universal === true,
    excludes: isInfinityTimesZeroPlusNaN,
  },
  {
    reference: emulated,
    name: 'riscv64 instructions under QEMU',
    modes: 5,
    perOperation: 6_000,
    includes: () => true,
    excludes: () => false,
  },
];

/** IEEE 754 leaves open whether infinity * 0 + quiet NaN is invalid (7.2); x86 says no, RISC-V yes. */
function isInfinityTimesZeroPlusNaN({ operation, operands: [a, b, c] }: Trial): boolean {
  const name = operations[operation]?.name;
  if (name !== 'f32_fma' && name !== 'f64_fma') return false;
  const [magnitude, infinity] =
    name === 'f32_fma' ? [0x7fffffffn, 0x7f800000n] : [0x7fffffffffffffffn, 0x7ff0000000000000n];
  const product = [a & magnitude, b & magnitude];
  return product.includes(infinity) && product.includes(0n) && (c & magnitude) > infinity;
}

for (const { reference, name, modes, perOperation, includes, excludes } of comparisons) {
  const title = `results and flags equal those of ${name}`;
  if (reference.missing !== undefined) {
    test.skip(`${title} (skipped: ${reference.missing})`, () => undefined);
    continue;
  }
  test(
    title,
    () => {
      const chosen = operations.map((_, index) => index).filter(includes);
      for (let round = 0; round < rounds; round++) {
        const seed = firstSeed + round;
        const source = new Operands(randomFrom(seed));
        const trials = chosen
          .flatMap((operation) => Array.from({ length: perOperation }, () => source.trial(operation, modes)))
          .filter((trial) => !excludes(trial));
        const expected = reference.perform(trials, directory);
        const lines = differences(trials, expected, seed);
        if (lines.length > 0) throw new Error(`${lines.length} differ:\n${lines.slice(0, 20).join('\n')}`);
        // An operation that the reference lacks throughout (fused multiply-add on old processors) is the only gap.
        expect(expected.filter((outcome) => outcome !== undefined).length).toBeGreaterThan(trials.length / 2);
      }
    },
    rounds * 60_000,
  );
}
