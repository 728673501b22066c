/** What a slice used, for its metrics. */
import type { ExitCounts } from '../../engine/models/guest';
import type { CheckpointStore, SliceMetrics } from '../store/store';

/** Exits since `before`, by cause. */
export function difference(before: ExitCounts, after: ExitCounts): ExitCounts {
  return Object.fromEntries(
    Object.entries(after)
      .map(([cause, count]): [string, number] => [cause, count - (before[cause] ?? 0)])
      .filter(([, count]) => count !== 0),
  );
}

/** What the store has read and written for the slice so far. */
export function usageOf(
  store: CheckpointStore,
): Pick<SliceMetrics, 'bytesWritten' | 'writeUnits' | 'bytesRead' | 'readUnits' | 's3Puts' | 's3Gets'> {
  const { bytesWritten, writeUnits, bytesRead, readUnits, requests } = store.usage;
  const units = { bytesWritten, writeUnits, bytesRead, readUnits };
  return requests.put + requests.get === 0 ? units : { ...units, s3Puts: requests.put, s3Gets: requests.get };
}
