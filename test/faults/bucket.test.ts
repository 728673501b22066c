/** Packs in the local cloud's S3: a host of several guests and workers whose requests go wrong, one of them killed. */
import type { ServiceRequest } from '../../cli/local';
import { describeWith } from '../requirement';
import { startHost, workerBundle, type FaultyHost } from './host';
import { letters, lettersFirmware } from './letters';
import { committed, undisturbed } from './outcome';

const GUESTS = Array.from({ length: 4 }, (_, i) => `guest-${i}`);

describeWith([workerBundle], 'a host whose packs lie in a bucket', () => {
  let host: FaultyHost | undefined;
  afterEach(() => host?.stop());

  test('every guest ends as if nothing had been wrong', async () => {
    const expected = undisturbed(letters, { firmware: lettersFirmware });
    let commits = 0;
    let killed = 0;
    host = await startHost(
      {
        guests: Object.fromEntries(GUESTS.map((guest) => [guest, letters])),
        files: { 'letters.bin': lettersFirmware },
        leaseSeconds: 3,
        packsInBucket: true,
      },
      {
        workers: 2,
        faults: { seed: 3, odds: { throttle: 0.05, applied: 0.03, twice: 0.1 } },
        watch: async ({ operation, worker, input }: ServiceRequest, when) => {
          // Its packs are in the bucket, and the record that names them is not in the table yet.
          const record = operation === 'PutItem' && JSON.stringify(input).includes('#generation');
          if (!record || when === 'after' || ++commits % 5 !== 0 || killed >= 2) return true;
          const process = host?.cloud.workers.find(({ id }) => id === worker);
          if (process === undefined) return true;
          killed += 1;
          await host?.cloud.kill(process);
          return false;
        },
      },
    );
    for (const guest of GUESTS) await host.start(guest);
    for (const guest of GUESTS) {
      const head = await host.halted(guest, 120);
      const outcome = await committed(host.store, head, letters, { firmware: lettersFirmware });
      expect({ guest, ...outcome }).toEqual({ guest, ...expected });
      const metrics = await host.store.readMetrics(guest);
      expect(metrics.every(({ s3Puts = 0 }) => s3Puts > 0)).toBe(true);
    }
    expect(killed).toBe(2);
  }, 200_000);
});
