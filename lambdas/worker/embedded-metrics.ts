/**
 * Metrics as CloudWatch finds them in a log line, so that they cost no request: "CloudWatch embedded metric format
 * specification". The line stays a record like any other; `_aws` only says which of its fields are metrics.
 */

type Unit = 'Milliseconds' | 'Count' | 'Bytes' | 'None';

/** Fields of a record that are metrics, and their units. */
const METRICS: Readonly<Record<string, Unit>> = {
  restoreMs: 'Milliseconds',
  runMs: 'Milliseconds',
  idleMs: 'Milliseconds',
  flushMs: 'Milliseconds',
  commitMs: 'Milliseconds',
  instructions: 'Count',
  packs: 'Count',
  consoleBytes: 'Bytes',
  inboxEntries: 'Count',
  results: 'Count',
  bytesWritten: 'Bytes',
  bytesRead: 'Bytes',
  writeUnits: 'Count',
  readUnits: 'Count',
  dollars: 'None',
  suspended: 'Count',
  failed: 'Count',
};

export const NAMESPACE = 'cdk-hypervisor';

/** `host`: the worker function's name, the dimension that alarms look at. `timestamp`: milliseconds since the epoch. */
export function embedded(
  record: Readonly<Record<string, unknown>>,
  host: string,
  timestamp: number,
): Readonly<Record<string, unknown>> {
  const present = Object.entries(METRICS).filter(([name]) => typeof record[name] === 'number');
  return {
    _aws: {
      Timestamp: Math.floor(timestamp),
      CloudWatchMetrics: [
        {
          Namespace: NAMESPACE,
          Dimensions: [['host'], ['host', 'guest']],
          Metrics: present.map(([Name, Unit]) => ({ Name, Unit })),
        },
      ],
    },
    host,
    ...record,
  };
}
