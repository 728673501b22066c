/** The simulation keeps to what queueing theory knows, gives the same for the same seed, and docs/economics.md is its output. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { economics } from '../../scripts/simulate/report';
import { simulate, type Setting } from '../../scripts/simulate/simulation';

const base: Setting = {
  guests: 1000,
  store: 's3',
  concurrency: 1000,
  writeUnits: 4000,
  seconds: 3600,
  seed: 5,
};

test('what is written down is what comes out', () => {
  const docs = join(__dirname, '..', '..', 'docs');
  const { document, picture } = economics();
  expect(readFileSync(join(docs, 'economics.md'), 'utf8')).toBe(document);
  expect(readFileSync(join(docs, 'economics.svg'), 'utf8')).toBe(picture);
}, 600_000);

test("Little's law: busy workers are arrivals times the time that each takes", () => {
  const { slicesPerSecond, workersBusy, kinds } = simulate({ ...base, seconds: 100_000 });
  const seconds = { idle: 1.5, interactive: 3, busy: 60 } as Readonly<Record<string, number>>;
  const work = kinds.reduce((sum, { kind, slices }) => sum + slices * (seconds[kind] ?? 0), 0) / 100_000;
  expect(workersBusy / work).toBeCloseTo(1, 1);
  expect(slicesPerSecond).toBeGreaterThan(0);
});

test('more guests than workers wait, and a table that is too slow holds them up', () => {
  const crowded = simulate({ ...base, concurrency: 5 });
  expect(crowded.workersBusy).toBeGreaterThan(4.9);
  expect(crowded.wait95).toBeGreaterThan(simulate(base).wait95);
  const slow = simulate({ ...base, store: 'dynamodb', writeUnits: 400 });
  expect(slow.writeUnitsPerSecond).toBeLessThanOrEqual(401);
  expect(slow.flushWaitMean).toBeGreaterThan(simulate({ ...base, store: 'dynamodb' }).flushWaitMean);
});
