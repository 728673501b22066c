import { writeFileSync } from 'node:fs';
import { runCampaign } from './campaign';
import { Coverage } from './coverage';
import type { CreateHart } from './lockstep';
import { streams } from './streams';
import { whatIsMissing } from './toolchain';

/** Instructions of one program, roughly, over all streams. */
const instructionsPerProgram = 250;

/**
 * Declares the lock-step tests of one hart: one test a stream.
 *
 *   TEST_FULL=1            many programs instead of some dozen a stream
 *   LOCKSTEP_INSTRUCTIONS  how many instructions then (default 20 million)
 *   LOCKSTEP_SEED          first seed (default 1)
 *   LOCKSTEP_COVERAGE      file for the counts by instruction, as JSON
 */
export function describeLockstep(name: string, createHart: CreateHart): void {
  const missing = whatIsMissing();
  if (missing !== undefined) console.warn(`skipped: ${missing}`);
  const run = missing === undefined ? describe : describe.skip;
  const full = process.env['TEST_FULL'] === '1';
  const budget = Number(process.env['LOCKSTEP_INSTRUCTIONS'] ?? 20_000_000);
  const programs = full ? Math.ceil(budget / streams.length / instructionsPerProgram) : 30;
  const firstSeed = Number(process.env['LOCKSTEP_SEED'] ?? 1);

  run(`${name} in lock-step with QEMU`, () => {
    const coverage = new Coverage();
    test.each(streams.map((stream) => [stream.name, stream] as const))(
      '%s',
      async (_, stream) => {
        const outcome = await runCampaign(stream, createHart, { firstSeed, programs, coverage });
        expect(outcome.failures.join('\n\n')).toBe('');
        expect(outcome.unfinished).toBe(0);
      },
      full ? 3_600_000 : 120_000,
    );

    test('every instruction was executed', () => {
      const file = process.env['LOCKSTEP_COVERAGE'];
      if (file !== undefined) writeFileSync(file, `${JSON.stringify(coverage, null, 2)}\n`);
      process.stdout.write(`lock-step coverage of ${name}: ${coverage.summary()}\n`);
      expect(coverage.missing()).toEqual([]);
    });
  });
}
