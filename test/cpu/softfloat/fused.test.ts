/** Fused multiply-add has two ways to its result, told apart by NX in fflags: both give the same bits. */
import fc from 'fast-check';
import { Hart } from '../../../engine/cpu/hart';
import * as at from '../../../engine/cpu/layout';

const runs = process.env['TEST_FULL'] === '1' ? 2_000_000 : 60_000;
const NX = 1n;
const BOX = 0xffffffffn << 32n;

const hart = new Hart({ ramSize: 2 ** 20, bus: { read: () => undefined, write: () => false } });
hart.setCell(at.MSTATUS, 0x6000n);

/** frd = frs1 * frs2 + frs3, with fflags as given. */
function fused(word: number, operands: readonly bigint[], flags: bigint): bigint {
  new DataView(hart.ram.buffer, hart.ram.byteOffset).setUint32(0, word, true);
  operands.forEach((value, i) => hart.setCell(at.F + 8 * (i + 1), value));
  hart.setCell(at.FFLAGS, flags);
  hart.loadContext(hart.saveContext());
  hart.pc = 0x80000000n;
  hart.run(1);
  return hart.f(4);
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
  ['doubles', 0x1a208243, numbers(52, 1023, 60), (value: bigint) => value],
  ['singles', 0x18208243, numbers(23, 127, 28), (value: bigint) => value | BOX],
] as const)('%s', (_, word, number, boxed) => {
  fc.assert(
    fc.property(number, number, number, (a, b, c) => {
      const operands = [a, b, c].map(boxed);
      expect(fused(word, operands, NX)).toBe(fused(word, operands, 0n));
    }),
    { numRuns: runs },
  );
});
