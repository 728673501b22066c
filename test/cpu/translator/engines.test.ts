/** Interpreter and translator are the same machine: state, TLBs and RAM, wherever a run is cut. */
import fc from 'fast-check';
import type { EngineOptions } from '../../../engine/cpu/hart';
import { anyWords, atOnce, branchingPrograms, fingerprint, hartWith } from './programs';

const runs = process.env['TEST_FULL'] === '1' ? 3000 : 40;
const cuts = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 3, maxLength: 8 });

function compare(
  halves: readonly number[],
  offset: number,
  budgets: readonly number[],
  engine: EngineOptions,
): number {
  const one = hartWith(halves, offset);
  const other = hartWith(halves, offset, engine);
  for (const budget of budgets) {
    const exit = one.run(budget);
    expect(other.run(budget)).toBe(exit);
    expect([other.pc, other.steps]).toEqual([one.pc, one.steps]);
    expect(fingerprint(other)).toBe(fingerprint(one));
    if (exit === 'idle') break;
  }
  return other.translator.counts.regions;
}

test('on words of any kind', () => {
  fc.assert(
    fc.property(anyWords, cuts, (halves, budgets) => void compare(halves, 0, budgets, atOnce)),
    { numRuns: runs },
  );
});

test('on control flow of any shape, across pages, with faults anywhere', () => {
  let regions = 0;
  fc.assert(
    fc.property(branchingPrograms(false), cuts, ({ halves, offset }, budgets) => {
      regions += compare(halves, offset, budgets, atOnce);
    }),
    { numRuns: runs },
  );
  expect(regions).toBeGreaterThan(runs);
});

test('on code that changes itself', () => {
  fc.assert(
    fc.property(
      branchingPrograms(true),
      cuts,
      ({ halves, offset }, budgets) => void compare(halves, offset, budgets, atOnce),
    ),
    { numRuns: runs },
  );
});

test('when code becomes hot at any time', () => {
  fc.assert(
    fc.property(
      branchingPrograms(true),
      cuts,
      fc.integer({ min: 1, max: 40 }),
      ({ halves, offset }, budgets, threshold) =>
        void compare(halves, offset, budgets, { kind: 'translator', threshold }),
    ),
    { numRuns: runs },
  );
});

test('when the cache is too small for anything to stay', () => {
  fc.assert(
    fc.property(
      branchingPrograms(false),
      cuts,
      ({ halves, offset }, budgets) => void compare(halves, offset, budgets, { ...atOnce, codeSize: 1 }),
    ),
    { numRuns: Math.ceil(runs / 5) },
  );
});
