import fc from 'fast-check';
import { SeededRandom } from '../../engine/backends/random';
import { StateError } from '../../engine/snapshot/errors';

const draw = (source: SeededRandom, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  source.fill(bytes);
  return bytes;
};
const seeds = fc.maxSafeNat();

test('equal seeds give equal bytes, whatever was saved and restored between', () => {
  fc.assert(
    fc.property(seeds, fc.array(fc.nat(40)), (seed, lengths) => {
      const one = new SeededRandom(seed);
      let other = new SeededRandom(seed);
      for (const length of lengths) {
        expect(draw(other, length)).toEqual(draw(one, length));
        const next = new SeededRandom(0);
        next.restore(other.save());
        expect(next.save()).toEqual(other.save());
        other = next;
      }
    }),
  );
});

test('other seeds give other bytes', () => {
  fc.assert(
    fc.property(seeds, seeds, (a, b) => {
      fc.pre(a !== b);
      expect(draw(new SeededRandom(a), 16)).not.toEqual(draw(new SeededRandom(b), 16));
    }),
  );
});

test('every bit is set about half of the time', () => {
  const bytes = draw(new SeededRandom(1), 65536);
  for (let bit = 0; bit < 8; bit++) {
    const set = bytes.reduce((sum, byte) => sum + ((byte >> bit) & 1), 0);
    expect(Math.abs(set - 32768)).toBeLessThan(700); // over five standard deviations
  }
});

test('a seed that is no natural number, and a foreign state, are refused', () => {
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53])
    expect(() => new SeededRandom(seed)).toThrow(/whole number/);
  expect(() => new SeededRandom(1).restore(new Uint8Array(3))).toThrow(StateError);
});
