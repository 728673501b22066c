/**
 * What keeps a mistake from costing without end: since a slice asks for the
 * next one, Lambda's own recursion check is off for the worker (DESIGN 5.3).
 */
import type { BreakerBudget } from '../../engine/models/guest';
import type { DaySpent, Head } from '../store/store';

/** Leases in a row without a commit, after which a guest is suspended. The queue's receive count should allow more. */
export const FRUITLESS_ATTEMPTS = 10;

const DAY_MS = 86_400_000;

/** One line of the budget: what of it is used, and what is allowed. */
interface Row {
  readonly what: string;
  readonly used: (held: Head, today: DaySpent) => number;
  readonly allowed: keyof BreakerBudget;
}

const ROWS: readonly Row[] = [
  { what: 'slices', used: (held) => held.slices, allowed: 'maxSlices' },
  { what: 'instructions', used: (held) => held.instructions, allowed: 'maxInstructions' },
  { what: 'slices of this day', used: (_, today) => today.slices, allowed: 'maxSlicesPerDay' },
  { what: 'seconds of this day', used: (_, today) => today.seconds, allowed: 'maxSecondsPerDay' },
  { what: 'dollars of this day', used: (_, today) => today.dollars, allowed: 'maxDollarsPerDay' },
];

/** Why the guest may not run another slice; undefined: it may. `held`: the head with this attempt's lease. */
export function tripped(budget: BreakerBudget | undefined, held: Head, now: number): string | undefined {
  const attempts = held.attempts - 1;
  if (attempts >= FRUITLESS_ATTEMPTS) {
    return (
      `${attempts} attempts to run the slice after generation ${held.generation} committed nothing: ` +
      `see the worker's log for what ended them, then resume the guest`
    );
  }
  const today = spentToday(held, now);
  for (const { what, used, allowed } of ROWS) {
    const limit = budget?.[allowed];
    if (limit !== undefined && used(held, today) >= limit) return spent(what, used(held, today), limit);
  }
  return undefined;
}

function spent(what: string, used: number, allowed: number): string {
  const remedy = what.endsWith('day')
    ? 'resume the guest to give it another day, or raise it in its definition'
    : "raise it in the guest's definition to let it go on";
  return `the breaker's budget is spent: ${Number(used.toFixed(6))} of ${allowed} ${what}; ${remedy}`;
}

/** What the guest has used since midnight, UTC. */
export function spentToday({ spent: counted }: Pick<Head, 'spent'>, now: number): DaySpent {
  const day = Math.floor(now / DAY_MS);
  // Another worker's clock may be behind: a day that has begun stays begun.
  if (counted !== undefined && counted.day >= day) return counted;
  return { day, slices: 0, seconds: 0, dollars: 0 };
}

/** What it has used with one more slice. */
export function spentWith(held: Head, milliseconds: number, dollars: number, now: number): DaySpent {
  const today = spentToday(held, now);
  return {
    day: today.day,
    slices: today.slices + 1,
    seconds: today.seconds + milliseconds / 1000,
    dollars: today.dollars + dollars,
  };
}

/** Instructions that the budget still allows. */
export function instructionsLeft(budget: BreakerBudget | undefined, held: Head): number {
  return (budget?.maxInstructions ?? Number.MAX_SAFE_INTEGER) - held.instructions;
}
