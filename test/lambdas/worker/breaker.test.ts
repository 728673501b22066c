import { sliceDollars } from '../../../lambdas/economics/slice-cost';
import { spentWith, tripped } from '../../../lambdas/worker/breaker';
import { embedded } from '../../../lambdas/worker/embedded-metrics';
import { firstHead } from '../../../lambdas/worker/slice';

const DAY = 86_400_000;
const head = firstHead('g', 'd', 0);

test('a day is spent slice by slice, and the next one begins at nothing', () => {
  const spent = spentWith({ ...head, spent: spentWith(head, 2000, 0.5, 3 * DAY) }, 1500, 0.25, 3 * DAY + 1);
  expect(spent).toEqual({ day: 3, slices: 2, seconds: 3.5, dollars: 0.75 });
  const held = { ...head, spent, attempts: 1 };
  expect(tripped({ maxDollarsPerDay: 0.75 }, held, 4 * DAY - 1)).toMatch(/0.75 of 0.75 dollars of this day/);
  expect(tripped({ maxDollarsPerDay: 0.76 }, held, 4 * DAY - 1)).toBeUndefined();
  expect(tripped({ maxSecondsPerDay: 3 }, held, 4 * DAY - 1)).toMatch(/3.5 of 3 seconds/);
  expect(tripped({ maxSecondsPerDay: 3 }, held, 4 * DAY)).toBeUndefined();
  // A worker whose clock is a day behind does not give the day back.
  expect(tripped({ maxSecondsPerDay: 3 }, held, 3 * DAY - 1)).toMatch(/3.5 of 3 seconds/);
});

test('a full checkpoint of 64 MiB costs what FACTS says it costs', () => {
  const units = 64 * 1024;
  const none = {
    milliseconds: 0,
    memoryMb: 1769,
    architecture: 'arm64',
    writeUnits: 0,
    readUnits: 0,
  } as const;
  const one = sliceDollars({ ...none, writeUnits: units }) - sliceDollars(none);
  expect(one).toBeCloseTo(0.041, 3);
  const hour = sliceDollars({ ...none, milliseconds: 3_600_000 }) - sliceDollars(none);
  expect(hour).toBeCloseTo(0.083, 3);
});

test('a log line in the embedded metric format names the metrics that it has', () => {
  const line = embedded(
    { message: 'slice', guest: 'g', runMs: 5, dollars: 0.1, exits: { timer: 1 } },
    'worker',
    12.7,
  );
  expect(line).toEqual({
    _aws: {
      Timestamp: 12,
      CloudWatchMetrics: [
        {
          Namespace: 'cdk-hypervisor',
          Dimensions: [['host'], ['host', 'guest']],
          Metrics: [
            { Name: 'runMs', Unit: 'Milliseconds' },
            { Name: 'dollars', Unit: 'None' },
          ],
        },
      ],
    },
    host: 'worker',
    message: 'slice',
    guest: 'g',
    runMs: 5,
    dollars: 0.1,
    exits: { timer: 1 },
  });
});
