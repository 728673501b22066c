/** Programs where they are needed most: for the entries of the instruction table that were executed least. */
import type { Instruction } from '../../engine/isa/instruction';
import type { Coverage } from './coverage';
import { generate, type Stream } from './program';
import { tableOf } from './provers';
import { streams } from './streams';
import { standard } from './target';

/** Programs run for one entry before looking again. */
const batch = 50;
/** Seeds looked at for each program that is run. */
const choice = 3;
/** Batches after which an entry that is still as rare as before is given up. */
const attempts = 4;

const naming = (stream: Stream, seed: number, { mnemonic }: Instruction): number =>
  generate(stream, seed)
    .groups.flat()
    .filter((line) => line.split(' ', 1)[0] === mnemonic).length;

/** For an entry that no program has met yet: the stream whose programs name it most often. */
function likelyStream(entry: Instruction): Stream | undefined {
  const scored = streams
    .filter(
      ({ target = standard }) =>
        target.reference.requirement.missing === undefined && tableOf(target.extensions).includes(entry),
    )
    .map((stream) => ({
      stream,
      score: Array.from({ length: 40 }, (_, seed) => naming(stream, seed, entry)).reduce((a, b) => a + b, 0),
    }));
  return scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score)[0]?.stream;
}

/** The seeds, of those from `from` on, whose programs name the instruction most often. A seed stands for one program. */
export function chooseSeeds(
  stream: Stream,
  entry: Instruction,
  from: number,
): { readonly seeds: readonly number[]; readonly next: number } {
  const next = from + batch * choice;
  const scored = Array.from({ length: batch * choice }, (_, index) => ({
    seed: from + index,
    score: naming(stream, from + index, entry),
  }));
  const best = scored.sort((a, b) => b.score - a.score || a.seed - b.seed).slice(0, batch);
  return { seeds: best.map(({ seed }) => seed).sort((a, b) => a - b), next };
}

/** Goes on until so many instructions were run and each entry was executed so often, or cannot be. */
export async function spendByNeed(
  coverage: Coverage,
  budget: { readonly instructions: number; readonly executions: number },
  run: (stream: Stream, entry: Instruction) => Promise<void>,
): Promise<void> {
  const givenUp = new Set<Instruction>();
  const fruitless = new Map<Instruction, number>();
  for (;;) {
    const minimum = coverage.instructions < budget.instructions ? Infinity : budget.executions;
    const need = coverage.neediest(minimum, givenUp);
    if (need === undefined) return;
    const stream = need.stream ?? likelyStream(need.entry);
    if (stream !== undefined) await run(stream, need.entry);
    if (coverage.count(need.entry) > need.count) continue;
    const times = (fruitless.get(need.entry) ?? 0) + 1;
    fruitless.set(need.entry, times);
    if (times >= attempts) givenUp.add(need.entry);
  }
}
