/**
 * What keeps a mistake from costing without end: since a slice asks for the
 * next one, Lambda's own recursion check is off for the worker (DESIGN 5.3).
 */
import type { BreakerBudget } from '../../engine/models/guest';
import type { Head } from '../store/store';

/** Leases in a row without a commit, after which a guest is suspended. The queue's receive count should allow more. */
export const FRUITLESS_ATTEMPTS = 10;

/** Why the guest may not run another slice; undefined: it may. `held`: the head with this attempt's lease. */
export function tripped(budget: BreakerBudget | undefined, held: Head): string | undefined {
  const attempts = held.attempts - 1;
  if (attempts >= FRUITLESS_ATTEMPTS) {
    return (
      `${attempts} attempts to run the slice after generation ${held.generation} committed nothing: ` +
      `see the worker's log for what ended them, then resume the guest`
    );
  }
  const { maxSlices = Infinity, maxInstructions = Infinity } = budget ?? {};
  if (held.slices >= maxSlices) return spent('slices', held.slices, maxSlices);
  if (held.instructions >= maxInstructions) return spent('instructions', held.instructions, maxInstructions);
  return undefined;
}

function spent(what: string, used: number, allowed: number): string {
  return `the breaker's budget is spent: ${used} of ${allowed} ${what}; raise it in the guest's definition to let it go on`;
}

/** Instructions that the budget still allows. */
export function instructionsLeft(budget: BreakerBudget | undefined, held: Head): number {
  return (budget?.maxInstructions ?? Number.MAX_SAFE_INTEGER) - held.instructions;
}
