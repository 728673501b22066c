import { Duration, Token } from 'aws-cdk-lib';
import { DeclarationError } from './declaration-error';

/** How much of its guests' past a host keeps. What meets either of the two is kept. */
export interface HistoryOptions {
  /**
   * Generations kept of each guest, the present one counted; at least 2, so that a damaged one has one before it.
   *
   * @default 2
   */
  readonly generations?: number;

  /**
   * Age up to which generations are kept, whatever their number.
   *
   * @default - none: only their number counts
   */
  readonly age?: Duration;
}

/** Environment of the worker. */
export function historyEnvironment(
  path: string,
  { generations = 2, age }: HistoryOptions,
): Record<string, string> {
  if (
    Token.isUnresolved(generations) ||
    !Number.isInteger(generations) ||
    generations < 2 ||
    generations > 10_000
  ) {
    throw new DeclarationError(
      `history.generations of ${path}`,
      `${Token.isUnresolved(generations) ? 'a value that is not known at synth' : generations} is no number of generations`,
      'Give a whole number from 2 to 10000',
    );
  }
  return {
    ...(generations === 2 ? {} : { HISTORY_GENERATIONS: generations.toString() }),
    ...(age && { HISTORY_SECONDS: age.toSeconds({ integral: false }).toString() }),
  };
}
