import { writeFileSync } from 'node:fs';
import { describeWith } from '../requirement';
import { type Outcome, runCampaign, seedsFrom } from './campaign';
import { Coverage } from './coverage';
import type { CreateHart } from './lockstep';
import { chooseSeeds, spendByNeed } from './need';
import type { Stream } from './program';
import { references } from './references';
import { streams } from './streams';
import { standard, withNewer } from './target';

/** Instructions of one program, roughly, over all streams. */
const instructionsPerProgram = 250;

/**
 * What is run. In full: half of the instructions go to all streams alike, the other half and as many more as it takes
 * to where an entry of the table was executed least.
 */
const budgets = {
  quick: { programs: 20, instructions: 0, executions: 1, repeated: 0 },
  full: (instructions: number) => ({
    programs: Math.ceil(instructions / 2 / streams.length / instructionsPerProgram),
    instructions,
    executions: 10_000,
    repeated: 200,
  }),
};

/**
 * Declares the lock-step tests of one hart: one test a stream, then what coverage asks for.
 *
 *   TEST_FULL=1            20 million instructions, each table entry at least 10,000 times
 *   LOCKSTEP_INSTRUCTIONS  how many instructions then
 *   LOCKSTEP_REFERENCE     `newer`: the streams of the standard target against the newer QEMU too (also in TEST_FULL)
 *   LOCKSTEP_SEED          first seed (default 1)
 *   LOCKSTEP_COVERAGE      file for the counts by instruction, as JSON
 */
export function describeLockstep(name: string, createHart: CreateHart): void {
  const full = process.env['TEST_FULL'] === '1';
  const budget = full
    ? budgets.full(Number(process.env['LOCKSTEP_INSTRUCTIONS'] ?? 20_000_000))
    : budgets.quick;
  const firstSeed = Number(process.env['LOCKSTEP_SEED'] ?? 1);
  const patience = full ? 7_200_000 : 180_000;
  const expectAlike = (outcome: Outcome): void => {
    expect(outcome.failures.join('\n\n')).toBe('');
    expect(outcome.unfinished).toBe(0);
  };

  describeWith([standard.reference.requirement], `${name} in lock-step with QEMU`, () => {
    const coverage = new Coverage();
    const programsOf = ({ alone }: Stream): number =>
      alone ? Math.ceil(budget.programs / 10) : budget.programs;
    const compare = (stream: Stream, seeds: readonly number[]): Promise<Outcome> =>
      runCampaign(stream, createHart, { seeds, coverage });

    for (const stream of streams) {
      declare(stream, stream.name, async () => {
        expectAlike(await compare(stream, seedsFrom(firstSeed, programsOf(stream))));
      });
    }

    const repeated = process.env['LOCKSTEP_REFERENCE'] === 'newer' ? budget.programs : budget.repeated;
    for (const stream of repeated > 0 ? streams.filter(({ target = standard }) => target === standard) : []) {
      const again = { ...stream, target: withNewer() };
      declare(again, `${stream.name}, against the newer QEMU`, async () => {
        expectAlike(await runCampaign(again, createHart, { seeds: seedsFrom(firstSeed, repeated) }));
      });
    }

    test(
      `every entry of the table was executed ${budget.executions.toLocaleString('en')} times or more`,
      async () => {
        const used = new Map(streams.map((stream) => [stream, firstSeed + budget.programs]));
        await spendByNeed(coverage, budget, async (stream, entry) => {
          const from = used.get(stream) ?? firstSeed;
          const { seeds, next } = chooseSeeds(stream, entry, from);
          used.set(stream, next);
          expectAlike(await compare(stream, seeds));
        });
        const file = process.env['LOCKSTEP_COVERAGE'];
        if (file !== undefined) writeFileSync(file, `${JSON.stringify(coverage, null, 2)}\n`);
        process.stdout.write(`lock-step coverage of ${name}: ${coverage.summary()}\n`);
        expect(coverage.below(budget.executions)).toEqual([]);
      },
      patience,
    );
  });

  /** A test that is skipped, with the reason, where the stream's reference is missing. */
  function declare(stream: Stream, title: string, run: () => Promise<void>): void {
    const { missing } = (stream.target ?? standard).reference.requirement;
    if (missing === undefined) test(title, run, patience);
    else test.skip(`${title} [${missing}]`, run);
  }
}

if (references.newer.requirement.missing !== undefined)
  console.warn(`not compared with the newer QEMU: ${references.newer.requirement.missing}`);
