/** `npm run demo -- --json`, as a script would run it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { reportTable } from '../../scripts/demo/report-table';
import type { Report } from '../../scripts/demo/story';

const root = join(__dirname, '..', '..');

function demo(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', join('scripts', 'demo.ts'), ...args],
    { cwd: root, encoding: 'utf8', timeout: 600_000, killSignal: 'SIGKILL' },
  );
  return { status, stdout, stderr };
}

describe('demo', () => {
  test.each<[string[], number, RegExp]>([
    [['--workers', '1'], 64, /^demo: --workers 1: give a whole number of at least 2\nusage: /],
    [['--slice-instructions', 'many'], 64, /^demo: --slice-instructions many: give a whole number/],
    [['--colour'], 64, /^demo: Unknown option '--colour'/],
    [
      ['--json', '--images', '/no/images'],
      1,
      /^demo: \/no\/images\/vmlinuz is missing; run "npm run images" first\n$/,
    ],
  ])('%j is refused with exit status %i', (args, status, message) => {
    const { stdout, stderr, ...run } = demo(...args);
    expect(stderr).toMatch(message);
    expect(stdout.replace(/^== .*\n/, '')).toBe('');
    expect(run.status).toBe(status);
  });

  const ready = ['.cache/images/vmlinuz', '.cache/images/initrd.gz', '.cache/images/fw_dynamic.bin'].every(
    (file) => existsSync(join(root, file)),
  );
  // Without the guest's images there is nothing to boot: "npm run images" fetches them.
  (ready ? test : test.skip)(
    'boots Debian in slices, survives a killed worker, answers a command and powers off',
    () => {
      const { status, stdout, stderr } = demo('--json');
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const report = JSON.parse(stdout) as Report;
      expect(report).toMatchObject({ status: 'halted', reason: 'the guest powered off' });
      expect(report.bootSlices).toBeGreaterThanOrEqual(5);
      expect(report.workers.length).toBeGreaterThanOrEqual(2);
      expect(report.answer.join('\n')).toMatch(/^Linux .* riscv64 [^]*\nanswer 42$/);

      // Every generation was committed once; the killed one by another process, under a later lease.
      expect(report.slices.map(({ generation }) => generation)).toEqual(
        report.slices.map((_, index) => index + 1),
      );
      const { kill } = report;
      const again = report.slices.find(({ generation }) => generation === kill.generation);
      expect(again?.worker).toBe(kill.takenUpBy);
      expect(again?.worker).not.toBe(kill.worker);
      expect(again?.fencing).toBeGreaterThan(kill.generation);

      const lines = reportTable(report).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(lines.filter((line) => /^ +\d+ /.test(line))).toHaveLength(report.slices.length);
    },
    600_000,
  );
});
