/**
 * No guest program makes the engine throw, run on past its budget, or touch memory that is not its own. Some seconds, or
 * ten minutes with TEST_FULL=1; FUZZ_SEED is the first seed (default: by the clock), FUZZ_SECONDS the time.
 */
import { fuzz } from './fuzz';

const full = process.env['TEST_FULL'] === '1';
const seconds = Number(process.env['FUZZ_SECONDS'] ?? (full ? 600 : 8));
const first = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);

test(
  'guests without sense harm themselves alone',
  () => {
    const end = performance.now() + seconds * 1000;
    let seed = first;
    let executed = 0;
    do {
      try {
        executed += fuzz(seed);
      } catch (error) {
        throw new Error(`FUZZ_SEED=${seed} FUZZ_SECONDS=0: ${String(error)}`, { cause: error });
      }
      seed += 1;
    } while (performance.now() < end);
    process.stdout.write(
      `fuzzed seeds ${first} to ${seed - 1}, ${executed.toLocaleString('en')} instructions\n`,
    );
    expect(executed).toBeGreaterThan(seed - first);
  },
  seconds * 1000 + 120_000,
);
