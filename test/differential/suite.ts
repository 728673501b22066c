import { writeFileSync } from 'node:fs';
import { describeWith } from '../requirement';
import { type Outcome, runCampaign, seedsFrom } from './campaign';
import { Coverage } from './coverage';
import type { CreateHart, Granularity } from './lockstep';
import { chooseSeeds, spendByNeed } from './need';
import type { Stream } from './program';
import { references } from './references';
import { streams } from './streams';
import { standard, withNewer } from './target';

/** Instructions of one program, roughly, over all streams. */
const instructionsPerProgram = 500;

/**
 * What is run. In full: half of the instructions go to all streams alike, compared after each; the other half and as
 * many more as it takes to where an entry of the table was executed least, compared after each block.
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
    /** In full, a line says how far it has come: jest prints nothing before its end. */
    const told = async (title: string, running: Promise<Outcome>): Promise<Outcome> => {
      const started = performance.now();
      const outcome = await running;
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      if (full)
        process.stderr.write(
          `${title}: ${outcome.programs} programs, ${outcome.compared.toLocaleString('en')} instructions, ` +
            `${seconds} s${outcome.failures.map((failure) => `\n${failure}`).join('')}\n`,
        );
      return outcome;
    };
    const compare = (stream: Stream, seeds: readonly number[], granularity?: Granularity): Promise<Outcome> =>
      runCampaign(stream, createHart, { seeds, coverage, ...(granularity && { granularity }) });

    for (const stream of streams) {
      declare(stream, stream.name, async () => {
        expectAlike(await told(stream.name, compare(stream, seedsFrom(firstSeed, programsOf(stream)))));
      });
    }

    const repeated = process.env['LOCKSTEP_REFERENCE'] === 'newer' ? budget.programs : budget.repeated;
    for (const stream of repeated > 0 ? streams.filter(({ target = standard }) => target === standard) : []) {
      const again = { ...stream, target: withNewer() };
      const title = `${stream.name}, against the newer QEMU`;
      declare(again, title, async () => {
        const seeds = seedsFrom(firstSeed, repeated);
        expectAlike(await told(title, runCampaign(again, createHart, { seeds })));
      });
    }

    test(
      `every entry of the table was executed ${budget.executions.toLocaleString('en')} times or more`,
      async () => {
        const used = new Map(streams.map((stream) => [stream, firstSeed + budget.programs]));
        const outcomes: Outcome[] = [];
        await spendByNeed(coverage, budget, async (stream, entry) => {
          const from = used.get(stream) ?? firstSeed;
          const { seeds, next } = chooseSeeds(stream, entry, from);
          used.set(stream, next);
          const title = `${stream.name} for ${entry.mnemonic}, after ${coverage.count(entry)}`;
          outcomes.push(await told(title, compare(stream, seeds, stream.stepwise ? 'instruction' : 'block')));
        });
        const file = process.env['LOCKSTEP_COVERAGE'];
        if (file !== undefined) writeFileSync(file, `${JSON.stringify(coverage, null, 2)}\n`);
        process.stdout.write(`lock-step coverage of ${name}: ${coverage.summary()}\n`);
        expectAlike({
          programs: outcomes.reduce((sum, { programs }) => sum + programs, 0),
          compared: outcomes.reduce((sum, { compared }) => sum + compared, 0),
          unfinished: outcomes.reduce((sum, { unfinished }) => sum + unfinished, 0),
          failures: outcomes.flatMap(({ failures }) => failures),
        });
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
