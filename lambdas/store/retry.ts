/**
 * Repeats what a busy table refused. Throttles are normal at a slice's end
 * (FACTS section 2: 1,000 write units a second and partition), so they are
 * repeated until the deadline, with full jitter.
 */
import { StoreDeadlineError } from './errors';

export interface RetryTiming {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  /** After this time nothing is tried again (milliseconds since the epoch). */
  readonly deadline: number;
}

/** Refused for certain: nothing was written. */
const REFUSED = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'ThrottledException',
]);

/** The answer is lost: it may have been written. */
const UNKNOWN_OUTCOME = new Set([
  'InternalServerError',
  'ServiceUnavailable',
  'TimeoutError',
  'RequestTimeout',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
]);

const FIRST_PAUSE = 25;
const LONGEST_PAUSE = 3000;

/** One try, told whether an earlier one may have been carried out already. */
export type Attempt<T> = (mayHaveHappened: boolean) => Promise<T>;

/** @throws StoreDeadlineError when time is up; what is not worth repeating is passed on as it is. */
export async function retry<T>(operation: string, timing: RetryTiming, attempt: Attempt<T>): Promise<T> {
  let mayHaveHappened = false;
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt(mayHaveHappened);
    } catch (error) {
      const kind = kindOf(error);
      if (kind === 'final') throw error;
      if (kind === 'unknown') mayHaveHappened = true;
      const pause = timing.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(tries - 1, 10));
      if (timing.now() + pause >= timing.deadline) throw new StoreDeadlineError(operation, tries, error);
      await timing.sleep(pause);
    }
  }
}

function kindOf(error: unknown): 'refused' | 'unknown' | 'final' {
  if (!(error instanceof Error)) return 'final';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (REFUSED.has(error.name)) return 'refused';
  if (UNKNOWN_OUTCOME.has(error.name) || UNKNOWN_OUTCOME.has(code)) return 'unknown';
  return statusOf(error) >= 500 ? 'unknown' : 'final';
}

/** The HTTP status that the SDK attaches to a service's error; 0 without one. */
function statusOf(error: Error): number {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return 0;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : 0;
}
