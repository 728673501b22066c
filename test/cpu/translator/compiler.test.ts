/** Code that is compiled elsewhere comes at some time or other, and no guest can tell when. */
import fc from 'fast-check';
import type { EngineOptions } from '../../../engine/cpu/hart';
import { instructionsFor } from '../../../engine/cpu/instruction-sets';
import { OrderCompiler, type Compiled, type Compiler } from '../../../engine/cpu/translator/compiler';
import { branchingPrograms, fingerprint, hartWith } from './programs';

const runs = process.env['TEST_FULL'] === '1' ? 2000 : 40;

/** Carries orders out in its own time: what it is given and gives is copied, as between threads. */
class Elsewhere implements Compiler {
  orders = 0;
  private result: Compiled | undefined;
  private left = 0;
  private readonly compiler = new OrderCompiler(instructionsFor);

  /** @param delays how often each result is asked for in vain */
  constructor(private readonly delays: readonly number[]) {}

  begin(order: Parameters<Compiler['begin']>[0]): void {
    const { module, ...rest } = this.compiler.carryOut(structuredClone(order));
    order.bytes.fill(0xff); // taken away
    this.result = { ...structuredClone(rest), module };
    this.left = this.delays[this.orders++ % this.delays.length]!;
  }
  take(): Compiled | undefined {
    return this.left-- > 0 ? undefined : this.result;
  }
}

test.each([false, true])('with code that comes late (that changes itself: %s)', (changes) => {
  let regions = 0;
  fc.assert(
    fc.property(
      branchingPrograms(changes),
      fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 5, maxLength: 20 }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
      ({ halves, offset }, budgets, threshold, delays) => {
        const compiler = new Elsewhere(delays);
        const engine: EngineOptions = {
          kind: 'translator',
          threshold,
          patience: 1,
          compiler: () => compiler,
        };
        const one = hartWith(halves, offset);
        const other = hartWith(halves, offset, engine);
        for (const budget of budgets) {
          const exit = one.run(budget);
          expect(other.run(budget)).toBe(exit);
          expect([other.pc, other.steps]).toEqual([one.pc, one.steps]);
          expect(fingerprint(other)).toBe(fingerprint(one));
          if (exit === 'idle') break;
        }
        regions += other.translator.counts.regions;
      },
    ),
    { numRuns: runs },
  );
  expect(regions).toBeGreaterThan(runs / 2);
});

test('without a compiler that has failed the guest’s own thread compiles', () => {
  const spin = [0x0001, 0xbffd]; // c.nop; c.j back
  const engine: EngineOptions = {
    kind: 'translator',
    threshold: 1,
    patience: 1,
    compiler: () => ({ begin: () => undefined, take: () => ({ failed: 'no memory' }) }),
  };
  const hart = hartWith(spin, 0, engine);
  for (let run = 0; run < 6; run++) hart.run(100);
  expect(hart.translator.compilerFailure).toBe('no memory');
  expect(hart.translator.counts.regions).toBeGreaterThan(0);
});
