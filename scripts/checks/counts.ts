export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function sum(counts: readonly Counts[]): Counts {
  const total = (key: keyof Counts): number => counts.reduce((so, count) => so + count[key], 0);
  return { passed: total('passed'), failed: total('failed'), skipped: total('skipped') };
}

/** The closing line of a test run: `N passed, N failed`, and `, N skipped` when there are. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * What a finished jest counts for. Jest also fails for what is no test (an unmatched pattern, a broken configuration, a
 * crash before the report): that is one failure, so that a run that failed never reads as passed.
 *
 * @param report what the reporter wrote, or undefined when it never came to it
 */
export function jestCounts(exitCode: number, report: string | undefined): Counts {
  const counts = report === undefined ? { passed: 0, failed: 0, skipped: 0 } : (JSON.parse(report) as Counts);
  return (exitCode !== 0 || report === undefined) && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
