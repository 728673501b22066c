/** @throws RangeError when there is no sample */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('the median of no samples');
  return (lower + upper) / 2;
}

export function range(samples: readonly number[]): [number, number] {
  return [Math.min(...samples), Math.max(...samples)];
}

/**
 * Runs two things in turn, A B A B ..., so that what slows the machine for a while slows both; each once before that,
 * uncounted, to warm the page cache.
 */
export async function interleave<T>(
  runs: number,
  first: () => Promise<T>,
  second: () => Promise<T>,
): Promise<{ first: T[]; second: T[] }> {
  await first();
  await second();
  const results = { first: [] as T[], second: [] as T[] };
  for (let index = 0; index < runs; index++) {
    results.first.push(await first());
    results.second.push(await second());
  }
  return results;
}
