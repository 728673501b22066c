import { DeclarationError } from './declaration-error';

const MOST_HARTS = 8;

/** How many harts a machine has. */
export function checkHarts(input: string, harts: number): number {
  if (!Number.isInteger(harts) || harts < 1 || harts > MOST_HARTS) {
    throw new DeclarationError(
      input,
      `a machine cannot have ${harts} harts`,
      `Give a whole number from 1 to ${MOST_HARTS}, known at synth`,
    );
  }
  return harts;
}
