import { DeclarationError } from './declaration-error';

/** A count that a definition can hold: a whole number from 1 on. */
export function checkCount(input: string, count: number): number {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new DeclarationError(
      input,
      `${count} is no count`,
      'Give a whole number from 1 on, known at synth',
    );
  }
  return count;
}
