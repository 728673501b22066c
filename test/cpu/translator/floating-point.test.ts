/**
 * Floating point by WebAssembly's arithmetic is soft-float's, bit for bit, flags included: random programs of all
 * of F and D on hard operands, translated and interpreted. What soft-float does is proved elsewhere.
 */
import fc from 'fast-check';
import { Hart } from '../../../engine/cpu/hart';
import * as at from '../../../engine/cpu/layout';
import { instructionsOf } from '../../../engine/isa/table';
import { atOnce, fingerprint, hartWith } from './programs';

const runs = process.env['TEST_FULL'] === '1' ? 20_000 : 150;
const BOX = 0xffffffffn << 32n;

/** Those of the extensions that neither load nor store. */
const arithmetic = instructionsOf(['f', 'd']).filter(
  ({ mnemonic, encoding }) => encoding.length === 4 && /^f(?!ence|[ls][wd]$)/.test(mnemonic),
);
/** Fields of operands, down to eight registers each. */
const FEW_REGISTERS = ~((0b11000 << 7) | (0b11000 << 15) | (0b11000 << 20) | (0b11000 << 27)) >>> 0;
const anyInstruction = fc
  .record({
    row: fc.constantFrom(...arithmetic),
    fields: fc.nat(0xffffffff),
    rounding: fc.oneof(
      { weight: 8, arbitrary: fc.constant(7) },
      { weight: 2, arbitrary: fc.constantFrom(0, 1) },
      { weight: 1, arbitrary: fc.nat(7) },
    ),
  })
  .map(({ row: { encoding }, fields, rounding }) => {
    const operands = ((fields & ~(7 << 12)) | (rounding << 12)) & ~encoding.mask & FEW_REGISTERS;
    return (encoding.match | operands) >>> 0;
  });
/** flw, fld, fsw and fsd of x11's cells. */
const anyAccess = fc
  .record({ register: fc.nat(7), cell: fc.nat(7), kind: fc.nat(3), half: fc.nat(1) })
  .map(({ register, cell, kind, half }) => {
    const width = 2 + (kind & 1);
    const offset = 8 * cell + (width === 2 ? 4 * half : 0);
    const fields =
      kind < 2
        ? (offset << 20) | (register << 7) | 0x07
        : ((offset >> 5) << 25) | (register << 20) | ((offset & 31) << 7) | 0x27;
    return (fields | (11 << 15) | (width << 12)) >>> 0;
  });
/** fsflags and fsrm, from x0: to be cleared now and then. */
const clearing = fc.constantFrom(0x00101073, 0x00201073);
const programs = fc.array(
  fc.oneof(
    { weight: 30, arbitrary: anyInstruction },
    { weight: 6, arbitrary: anyAccess },
    { weight: 1, arbitrary: clearing },
  ),
  { minLength: 4, maxLength: 40 },
);

/** Bits of a number that is hard: near the ends of the range, or near others, with few or many bits set. */
const hard = (fraction: number, ones: number): fc.Arbitrary<bigint> =>
  fc
    .record({
      sign: fc.bigInt({ min: 0n, max: 1n }),
      exponent: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: (ones >> 1) - 3, max: (ones >> 1) + 3 }) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(0, 1, 2, 3, ones >> 2, ones - (ones >> 2), ones - 2, ones - 1, ones),
        },
        { weight: 1, arbitrary: fc.nat(ones) },
      ),
      low: fc.oneof(
        fc.constantFrom(0n, 1n, (1n << BigInt(fraction)) - 1n, 1n << BigInt(fraction - 1)),
        fc.bigInt({ min: 0n, max: (1n << BigInt(fraction)) - 1n }),
      ),
    })
    .map(
      ({ sign, exponent, low }) =>
        (((sign << (fraction === 52 ? 11n : 8n)) | BigInt(exponent)) << BigInt(fraction)) | low,
    );
const number = fc.oneof(
  { weight: 4, arbitrary: hard(52, 0x7ff) },
  { weight: 4, arbitrary: hard(23, 0xff).map((bits) => bits | BOX) },
  { weight: 1, arbitrary: hard(23, 0xff) },
);

interface State {
  readonly registers: readonly bigint[];
  readonly memory: readonly bigint[];
  readonly integers: readonly bigint[];
  readonly flags: number;
  readonly rounding: number;
}
const eight = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: 8, maxLength: 8 });
const states: fc.Arbitrary<State> = fc.record({
  registers: eight(number),
  memory: eight(number),
  integers: eight(fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.bigInt({ min: 0n, max: 9n }))),
  flags: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(31) }),
  rounding: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(7) }),
});

/** The program twice in a row, then for ever again from its start: jal x0 to behind the prologue. */
function begin(program: readonly number[], state: State, translated: boolean): Hart {
  const back = -4 * program.length;
  const jump =
    (((back >> 20) & 1) << 31) |
    (((back >> 1) & 0x3ff) << 21) |
    (((back >> 11) & 1) << 20) |
    (((back >> 12) & 0xff) << 12) |
    0x6f;
  // lui x5, 6; csrs mstatus, x5; csrw mtvec, a0.
  const words = [0x000062b7, 0x3002a073, 0x30551073, ...program, jump >>> 0];
  const hart = hartWith(
    words.flatMap((word) => [word & 0xffff, word >>> 16]),
    0,
    translated ? atOnce : undefined,
  );
  state.registers.forEach((value, i) => hart.setCell(at.F + 8 * i, value));
  state.integers.forEach((value, i) => i > 0 && hart.setX(i, value));
  hart.setCell(at.FFLAGS, BigInt(state.flags));
  hart.setCell(at.FRM, BigInt(state.rounding));
  const data = new DataView(hart.ram.buffer, hart.ram.byteOffset + 0x20000 + 0x100 * 11);
  state.memory.forEach((value, i) => data.setBigUint64(8 * i, value, true));
  hart.loadContext(hart.saveContext());
  return hart;
}

test('translated floating point is the interpreter’s, flags and all', () => {
  let regions = 0;
  fc.assert(
    fc.property(programs, states, fc.integer({ min: 1, max: 400 }), (program, state, budget) => {
      const one = begin(program, state, false);
      const other = begin(program, state, true);
      for (const steps of [budget, 3 * program.length]) {
        one.run(steps);
        other.run(steps);
        expect([other.pc, other.steps]).toEqual([one.pc, one.steps]);
        expect(fingerprint(other)).toBe(fingerprint(one));
      }
      regions += other.translator.counts.regions;
    }),
    { numRuns: runs },
  );
  expect(regions).toBeGreaterThan(runs);
});

/** Each instruction alone, with its usual rounding, on operands that are hard: nothing hides it. */
test('each instruction, on many operands', () => {
  const rows = arithmetic.filter(({ encoding }) => encoding.operands.has('rd'));
  const perRow = Math.ceil(runs / 80);
  for (const { encoding } of rows) {
    // rd = f4 or x4, from 1, 2 and 3.
    const fields = ((7 << 12) | (4 << 7) | (1 << 15) | (2 << 20) | (3 << 27)) & ~encoding.mask;
    const word = (encoding.match | fields) >>> 0;
    fc.assert(
      fc.property(fc.array(states, { minLength: 30, maxLength: 30 }), (list) => {
        const one = begin([word], list[0]!, false);
        const other = begin([word], list[0]!, true);
        for (const state of list) {
          for (const hart of [one, other]) {
            state.registers.forEach((value, i) => hart.setCell(at.F + 8 * i, value));
            state.integers.forEach((value, i) => i > 0 && hart.setX(i, value));
            hart.setCell(at.FFLAGS, BigInt(state.flags | 1));
            hart.setCell(at.FRM, 0n);
            hart.loadContext(hart.saveContext());
            hart.run(7);
          }
          const seen = [one, other].map((hart) => [hart.f(4), hart.x(4), hart.cell(at.FFLAGS)]);
          expect(seen[1]).toEqual(seen[0]);
        }
        expect(fingerprint(other)).toBe(fingerprint(one));
      }),
      { numRuns: perRow },
    );
  }
});
