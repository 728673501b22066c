/**
 * A worker process is killed, by SIGKILL, at each request that it makes to table or queue: before the request gets
 * there, and after it was carried out while the worker still waits for the answer. One guest for each such moment,
 * and all end as the one that nobody disturbed.
 */
import type { ServiceRequest, Watch } from '../../cli/local';
import { describeWith } from '../requirement';
import { letters as definition, lettersFirmware as firmware } from './letters';
import { startHost, workerBundle, type FaultyHost } from './host';
import { committed, undisturbed } from './outcome';

const full = process.env['TEST_FULL'] === '1';

/** Seconds for all guests together: each of the many of a full run costs a process. */
const PATIENCE = full ? 600 : 120;

interface Moment {
  /** Which of the guest's requests, from 1. */
  readonly request: number;
  readonly when: 'before' | 'after';
}

const guestOf = (input: Parameters<Watch>[0]['input']): string => {
  const text = JSON.stringify(input);
  return /quiet|at-\d+-(?:before|after)/.exec(text)?.[0] ?? '';
};

describeWith([workerBundle], 'a worker killed at one step of the protocol', () => {
  let host: FaultyHost;
  const expected = undisturbed(definition, { firmware });

  async function start(guests: readonly string[], watch: Watch): Promise<void> {
    host = await startHost(
      {
        guests: Object.fromEntries(guests.map((guest) => [guest, definition])),
        files: { 'letters.bin': firmware },
        leaseSeconds: 3,
      },
      { workers: 3, watch },
    );
    for (const guest of guests) await host.start(guest);
  }

  afterEach(() => host.stop());

  async function steps(): Promise<string[]> {
    const seen: string[] = [];
    await start(['quiet'], async ({ operation, input }, when) => {
      // What is not for one guest, as the copy of a definition, is asked by whoever comes first.
      if (when === 'before' && guestOf(input) !== '')
        seen.push(`${operation} ${JSON.stringify(input).slice(0, 300)}`);
      return true;
    });
    await host.halted('quiet', 60);
    return seen;
  }

  test(
    full ? 'any step of its life' : 'any step of one slice, up to the next token',
    async () => {
      const seen = await steps();
      const head = await host.store.head('quiet');
      expect(head).toMatchObject({ generation: 4 });
      await host.stop();
      const sends = seen.flatMap((step, i) => (step.startsWith('SendMessage ') ? [i + 1] : []));
      expect(sends).toHaveLength(3);
      const [first = 0, last = 0] = full ? [0, seen.length] : sends;
      const moments = seen
        .map((_, i) => i + 1)
        .filter((request) => request > first && request <= last)
        .flatMap((request): Moment[] => [
          { request, when: 'before' },
          { request, when: 'after' },
        ]);
      expect(moments.length).toBeGreaterThan(20);

      const counts = new Map<string, number>();
      // Requests of one worker overlap: each keeps the number that it came with.
      const numbers = new WeakMap<ServiceRequest, number>();
      const killed = new Set<string>();
      const name = ({ request, when }: Moment) => `at-${request}-${when}`;
      await start(moments.map(name), async (request, when) => {
        const { input, worker } = request;
        const guest = guestOf(input);
        if (when === 'before') {
          counts.set(guest, (counts.get(guest) ?? 0) + 1);
          numbers.set(request, counts.get(guest) ?? 0);
        }
        const number = numbers.get(request) ?? 0;
        if (killed.has(guest) || guest !== name({ request: number, when })) return true;
        killed.add(guest);
        const victim = host.cloud.workers.find(({ id }) => id === worker);
        if (victim === undefined) throw new Error(`no worker ${worker}`);
        await host.cloud.kill(victim);
        return false;
      });
      for (const moment of moments) {
        const guest = name(moment);
        const halted = await host.halted(guest, PATIENCE);
        const outcome = await committed(host.store, halted, definition, { firmware });
        expect({ guest, ...outcome }).toEqual({ guest, ...expected });
        const metrics = await host.store.readMetrics(guest);
        expect(metrics.map(({ generation }) => generation)).toEqual([1, 2, 3, 4]);
      }
      expect(killed.size).toBe(moments.length);
    },
    5000 * PATIENCE,
  );
});
