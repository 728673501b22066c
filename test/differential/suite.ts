import { writeFileSync } from 'node:fs';
import { runCampaign } from './campaign';
import { Coverage } from './coverage';
import type { CreateHart } from './lockstep';
import { describeWith } from '../requirement';
import type { Stream } from './program';
import { streams } from './streams';
import { standard, withNewer } from './target';

/** Instructions of one program, roughly, over all streams. */
const instructionsPerProgram = 250;

function judgedBy(reference: string | undefined): readonly Stream[] {
  if (reference !== 'newer') return streams;
  const target = withNewer();
  return streams.map((stream) => ({ target, ...stream }));
}

/**
 * Declares the lock-step tests of one hart: one test a stream.
 *
 *   TEST_FULL=1            many programs instead of some dozen a stream
 *   LOCKSTEP_INSTRUCTIONS  how many instructions then (default 20 million)
 *   LOCKSTEP_REFERENCE     `newer`: every stream against the newer QEMU
 *   LOCKSTEP_SEED          first seed (default 1)
 *   LOCKSTEP_COVERAGE      file for the counts by instruction, as JSON
 */
export function describeLockstep(name: string, createHart: CreateHart): void {
  const full = process.env['TEST_FULL'] === '1';
  const budget = Number(process.env['LOCKSTEP_INSTRUCTIONS'] ?? 20_000_000);
  const programs = full ? Math.ceil(budget / streams.length / instructionsPerProgram) : 30;
  const firstSeed = Number(process.env['LOCKSTEP_SEED'] ?? 1);

  describeWith([standard.reference.requirement], `${name} in lock-step with QEMU`, () => {
    const coverage = new Coverage();
    for (const stream of judgedBy(process.env['LOCKSTEP_REFERENCE'])) {
      const { missing } = (stream.target ?? standard).reference.requirement;
      const declare = missing === undefined ? test : test.skip;
      declare(
        missing === undefined ? stream.name : `${stream.name} [${missing}]`,
        async () => {
          const outcome = await runCampaign(stream, createHart, { firstSeed, programs, coverage });
          expect(outcome.failures.join('\n\n')).toBe('');
          expect(outcome.unfinished).toBe(0);
        },
        full ? 3_600_000 : 120_000,
      );
    }

    test('every instruction was executed', () => {
      const file = process.env['LOCKSTEP_COVERAGE'];
      if (file !== undefined) writeFileSync(file, `${JSON.stringify(coverage, null, 2)}\n`);
      process.stdout.write(`lock-step coverage of ${name}: ${coverage.summary()}\n`);
      expect(coverage.missing()).toEqual([]);
    });
  });
}
