import fc from 'fast-check';
import type { GuestRun, GuestWorkload, Peer } from './peer';
import { runGuestProcess } from './peers/guest-process';
import { interleave, median } from './statistics';
import { performanceDocument } from './document';
import { table } from './table';
import { boot } from './workloads/boot';

function fake(name: string, userspaceMs: number, seen: string[], missing?: string): Peer {
  return {
    name,
    available: () => missing,
    run: async (_workload: GuestWorkload): Promise<GuestRun> => {
      seen.push(name);
      return { userspaceMs, wallMs: userspaceMs * 2, laps: new Map() };
    },
  };
}
const options = { runs: 3, images: '/images', seconds: 1, progress: () => undefined };

test('the median has as many samples on either side', () => {
  const samples = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });
  fc.assert(
    fc.property(samples, (all) => {
      const middle = median(all);
      expect(all.filter((each) => each < middle).length).toBeLessThanOrEqual(all.length / 2);
      expect(all.filter((each) => each > middle).length).toBeLessThanOrEqual(all.length / 2);
    }),
  );
});

test('runs alternate, after one uncounted run of each', async () => {
  let calls = 0;
  const order: string[] = [];
  const one = (name: string) => async () => {
    order.push(name);
    return ++calls;
  };
  const { first, second } = await interleave(3, one('A'), one('B'));
  expect(order.join('')).toBe('ABABABAB');
  expect([first, second]).toEqual([
    [3, 5, 7],
    [4, 6, 8],
  ]);
});

test('boot: the ratio is ours over theirs, held against the target', async () => {
  const report = await boot(fake('ours', 600, []), fake('theirs', 100, []), 5).run(options);
  const text = table('a title '.repeat(20), report);
  expect(text).toMatch(/to userspace, ratio +6\.00 x +<= 5\.00 x MISS/);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('the document has ratios and sizes before times, and says what was skipped', async () => {
  const report = await boot(fake('ours', 600, []), fake('theirs', 100, []), 5).run(options);
  const skipped = { workload: 'other', skipped: 'nothing to measure with' };
  const text = performanceDocument(
    [
      { title: 'the boot', report },
      { title: 'the other', report: skipped },
    ],
    { node: 'v24.0.0', cpu: 'a CPU', cpus: 2, load: 0.25 },
    new Date('2026-01-02T03:04:05Z'),
  );
  expect(text).toContain(
    'Measured 2026-01-02 with Node v24.0.0 on 2 CPUs (a CPU); load average before: 0.3.',
  );
  const ratio = text.search(/\| to userspace, ratio +\| 6\.00 x +\| +\| <= 5\.00 x MISS \|/);
  const time = text.search(/\| to userspace, ours +\| 600 ms/);
  expect(ratio).toBeGreaterThan(0);
  expect(time).toBeGreaterThan(ratio);
  expect(text).toContain('Skipped: the other. nothing to measure with');
});

test('boot is skipped, with the reason, when a peer is missing', async () => {
  const seen: string[] = [];
  const report = await boot(fake('ours', 1, seen), fake('theirs', 1, seen, 'not installed'), 5).run(options);
  expect(report).toEqual({ workload: 'boot', skipped: 'not installed' });
  expect(seen).toEqual([]);
});

describe('a guest as a process', () => {
  const node = (code: string, timeout?: number): Promise<GuestRun> =>
    runGuestProcess(process.execPath, ['-e', code], timeout);

  test('times the marker, also when it comes in two pieces, and the exit', async () => {
    const run = await node(
      'process.stdout.write("userspace rea"); setTimeout(() => { console.log("ched"); setTimeout(() => {}, 50) }, 50)',
    );
    expect(run.userspaceMs).toBeGreaterThan(45);
    expect(run.wallMs).toBeGreaterThan(run.userspaceMs);
  });

  test.each([
    ['no marker', 'console.log("panic")', undefined, /never came[\s\S]*panic/],
    ['an exit code', 'console.log("userspace reached"); process.exitCode = 3', undefined, /exit code 3/],
    ['a hang', 'setInterval(() => {}, 1000)', 300, /SIGKILL after/],
  ])('%s is an error', async (_name, code, timeout, message) => {
    await expect(node(code, timeout)).rejects.toThrow(message);
  });
});
