/**
 * From "they differ somewhere in this run" to the instruction.
 *
 * Near the end of a run the translator leaves the rest to the interpreter, so cutting finer and finer would make the
 * difference go away. Two things are changed instead, always from the state in which both were last equal: how far is
 * run, which gives the region; and how many instructions a region may have, which with one instruction a region gives
 * the instruction itself.
 */
import type { EngineOptions, Guest } from '../guest';
import { type Difference, type Side, differences, isEqual } from './differences';

/** The pair, as the search needs it. */
export interface Pair {
  /** Another translator's guest, in the state in which both were last equal. */
  create(engine: Partial<EngineOptions>): Guest;
  /** Both as they were when they were last equal. */
  rollBack(...guests: Guest[]): void;
  run(guest: Guest, instructions: number): Side;
  readonly interpreter: Guest;
  readonly spaces: Parameters<typeof isEqual>[2];
}

export interface Finding {
  /** Instructions after which they differ, counted from where they were equal. The interpreter's guest is just before the last of them. */
  readonly after: number;
  /** Instructions before that among which the one is that is wrong; 1: it is the last. */
  readonly within: number;
  readonly differences: readonly Difference[];
}

const LENGTHS = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256, undefined];
/** Instructions that a region needs at most until the countdown is tested again. */
const LONGEST_PATH = 400;

/** @param limit instructions of the run in which they have come to differ. Undefined when it does not come again. */
export function search(pair: Pair, limit: number, translator: Guest): Finding | undefined {
  const coarse = shortest(pair, translator, limit);
  const bound = coarse === undefined ? limit : Math.min(limit, coarse + LONGEST_PATH);
  for (const regionLength of LENGTHS) {
    const guest = pair.create({ threshold: 0, ...(regionLength !== undefined && { regionLength }) });
    const after = shortest(pair, guest, bound);
    if (after !== undefined) return describe(pair, guest, after, regionLength ?? LONGEST_PATH);
  }
  return coarse === undefined ? undefined : describe(pair, translator, coarse, LONGEST_PATH);
}

/** The fewest instructions after which they differ; undefined when they do not within `limit`. */
function shortest(pair: Pair, translator: Guest, limit: number): number | undefined {
  const differs = (instructions: number): boolean => {
    const [left, right] = both(pair, translator, instructions);
    return !isEqual(left, right, pair.spaces);
  };
  // From small to large, since a difference may pass: a wrong register is overwritten some time.
  let equal = 0;
  let different = 1;
  for (; different < limit && !differs(different); different *= 2) equal = different;
  if (different >= limit && !differs((different = limit))) return undefined;
  while (different - equal > 1) {
    const middle = Math.floor((equal + different) / 2);
    if (differs(middle)) different = middle;
    else equal = middle;
  }
  return different;
}

function both(pair: Pair, translator: Guest, instructions: number): readonly [left: Side, right: Side] {
  pair.rollBack(pair.interpreter, translator);
  return [pair.run(pair.interpreter, instructions), pair.run(translator, instructions)];
}

function describe(pair: Pair, translator: Guest, after: number, within: number): Finding {
  const [left, right] = both(pair, translator, after);
  const found = differences(left, right, pair.spaces);
  pair.rollBack(pair.interpreter);
  return { after, within: Math.min(within, after), differences: found };
}
