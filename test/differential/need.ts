/** Programs where they are needed most: for the entries of the instruction table that were executed least. */
import type { Instruction } from '../../engine/isa/instruction';
import type { Coverage } from './coverage';
import { generate, type Stream } from './program';

/** Programs run for one entry before looking again. */
const batch = 25;
/** Seeds looked at for each program that is run. */
const choice = 4;
/** Batches after which an entry that is still as rare as before is given up. */
const attempts = 4;

/** The seeds, of those from `from` on, whose programs name the instruction most often. A seed stands for one program. */
export function chooseSeeds(
  stream: Stream,
  { mnemonic }: Instruction,
  from: number,
): { readonly seeds: readonly number[]; readonly next: number } {
  const next = from + batch * choice;
  const scored = Array.from({ length: batch * choice }, (_, index) => {
    const lines = generate(stream, from + index).groups.flat();
    return { seed: from + index, score: lines.filter((line) => line.split(' ', 1)[0] === mnemonic).length };
  });
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
    await run(need.stream, need.entry);
    if (coverage.count(need.entry) > need.count) continue;
    const times = (fruitless.get(need.entry) ?? 0) + 1;
    fruitless.set(need.entry, times);
    if (times >= attempts) givenUp.add(need.entry);
  }
}
