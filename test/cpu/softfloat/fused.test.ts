/** Fused multiply-add of ordinary numbers against arithmetic on whole numbers, NX included. */
import fc from 'fast-check';
import { Hart } from '../../../engine/cpu/hart';
import * as at from '../../../engine/cpu/layout';
import { pokeWords, underTest } from '../engine-under-test';

const runs = process.env['TEST_FULL'] === '1' ? 2_000_000 : 30_000;
const BOX = 0xffffffffn << 32n;

const hart = new Hart({ ...underTest, ramSize: 2 ** 20, bus: { read: () => undefined, write: () => false } });
hart.setCell(at.MSTATUS, 0x6000n);

/** frd = frs1 * frs2 + frs3, and fflags, which were as given. */
function fused(word: number, operands: readonly bigint[], flags: bigint): { result: bigint; flags: bigint } {
  pokeWords(hart, 0, [word]);
  operands.forEach((value, i) => hart.setCell(at.F + 8 * (i + 1), value));
  hart.setCell(at.FFLAGS, flags);
  hart.loadContext(hart.saveContext());
  hart.pc = 0x80000000n;
  hart.run(1);
  return { result: hart.f(4), flags: hart.cell(at.FFLAGS) };
}

interface Format {
  readonly fraction: number;
  readonly bias: number;
}
const bit = (n: number | bigint): bigint => 1n << BigInt(n);

/** The number as a whole number times 2^-2200. */
function scaled(bits: bigint, { fraction, bias }: Format): bigint {
  const exponent = Number((bits >> BigInt(fraction)) & BigInt(2 * bias + 1));
  const whole = (bits & (bit(fraction) - 1n)) | (exponent === 0 ? 0n : bit(fraction));
  const value = whole << BigInt(2200 + Math.max(exponent, 1) - bias - fraction);
  return (bits >> BigInt(fraction + (bias === 1023 ? 11 : 8))) & 1n ? -value : value;
}

/** The sum of a product and a number, rounded to nearest even; undefined when it is no ordinary number. */
function reference(
  operands: readonly bigint[],
  format: Format,
): { result: bigint; exact: boolean } | undefined {
  const { fraction, bias } = format;
  const ones = BigInt(2 * bias + 1);
  if (operands.some((bits) => ((bits >> BigInt(fraction)) & ones) === ones)) return undefined;
  const [a, b, c] = operands.map((bits) => scaled(bits, format)) as [bigint, bigint, bigint];
  const value = a * b + (c << 2200n); // times 2^-4400
  const magnitude = value < 0n ? -value : value;
  const length = magnitude.toString(2).length;
  const shift = BigInt(Math.max(0, length - 1 - fraction));
  const rest = magnitude & (bit(shift) - 1n);
  let whole = magnitude >> shift;
  const half = shift === 0n ? 0n : bit(shift - 1n);
  if (shift > 0n && (rest > half || (rest === half && (whole & 1n) === 1n))) whole += 1n;
  const exponent = Number(shift) + fraction - 4400 + bias;
  if (magnitude === 0n || exponent < 2 || exponent > 2 * bias - 1) return undefined;
  const sign = value < 0n ? bit(fraction + (bias === 1023 ? 11 : 8)) : 0n;
  // A carry out of the fraction raises the exponent by itself.
  return {
    result: sign | ((BigInt(exponent) << BigInt(fraction)) + (whole - bit(fraction))),
    exact: rest === 0n,
  };
}

/** A number whose exponent is near that of others, with few or many bits set: sums cancel, and fall between two numbers. */
const numbers = (fraction: number, bias: number, spread: number): fc.Arbitrary<bigint> =>
  fc
    .record({
      sign: fc.bigInt({ min: 0n, max: 1n }),
      exponent: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: bias - spread, max: bias + spread }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 * bias + 1 }) },
      ),
      low: fc.bigInt({ min: 0n, max: (1n << BigInt(fraction)) - 1n }),
      shift: fc.nat(fraction),
      up: fc.boolean(),
    })
    .map(({ sign, exponent, low, shift, up }) => {
      const mask = (1n << BigInt(fraction)) - 1n;
      const bits = up ? (low << BigInt(shift)) & mask : low >> BigInt(shift);
      return (((sign << (fraction === 52 ? 11n : 8n)) | BigInt(exponent)) << BigInt(fraction)) | bits;
    });

// fmadd.d f4, f1, f2, f3 and fmadd.s, both to nearest even.
test.each([
  ['doubles', 0x1a208243, { fraction: 52, bias: 1023 }, 60, (value: bigint) => value],
  ['singles', 0x18208243, { fraction: 23, bias: 127 }, 28, (value: bigint) => value | BOX],
] as const)('%s', (_, word, format, spread, boxed) => {
  const number = numbers(format.fraction, format.bias, spread);
  let compared = 0;
  fc.assert(
    fc.property(number, number, number, fc.boolean(), (a, b, c, set) => {
      const expected = reference([a, b, c], format);
      if (!expected) return;
      compared++;
      const before = set ? 1n : 0n;
      const { result, flags } = fused(word, [a, b, c].map(boxed), before);
      expect(result).toBe(boxed(expected.result));
      expect(flags).toBe(before | (expected.exact ? 0n : 1n));
    }),
    { numRuns: runs },
  );
  expect(compared).toBeGreaterThan(runs / 2);
});
