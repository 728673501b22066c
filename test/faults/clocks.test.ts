/** Workers whose clocks are minutes apart, and messages that come twice and late: leases are stolen, and nothing is lost. */
import { describeWith } from '../requirement';
import { startHost, workerBundle, type FaultyHost } from './host';
import { letters, lettersFirmware } from './letters';
import { committed, undisturbed } from './outcome';

const GUESTS = Array.from({ length: 12 }, (_, i) => `guest-${i}`);

describeWith([workerBundle], 'clocks that are minutes apart', () => {
  let host: FaultyHost | undefined;
  afterEach(() => host?.stop());

  test('every guest ends as if nothing had been wrong', async () => {
    const expected = undisturbed(letters, { firmware: lettersFirmware });
    host = await startHost(
      {
        guests: Object.fromEntries(GUESTS.map((guest) => [guest, letters])),
        files: { 'letters.bin': lettersFirmware },
        leaseSeconds: 5,
      },
      {
        workers: 3,
        faults: { seed: 7, clockSkewMs: 180_000, odds: { twice: 0.3, late: 0.2, throttle: 0.05 } },
      },
    );
    for (const guest of GUESTS) await host.start(guest);
    for (const guest of GUESTS) {
      const head = await host.halted(guest, 240);
      const outcome = await committed(host.store, head, letters, { firmware: lettersFirmware });
      expect({ guest, ...outcome }).toEqual({ guest, ...expected });
    }
    const { store } = host;
    const slices = (await Promise.all(GUESTS.map((guest) => store.readMetrics(guest)))).flat();
    const spread = slices.map(({ endedAt }) => endedAt);
    expect(Math.max(...spread) - Math.min(...spread)).toBeGreaterThan(60_000);
  }, 400_000);
});
