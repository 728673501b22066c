/** `npm run demo -- --json`, as a script would run it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../scripts/demo/debian-vm';
import type { GuestReport, ModelsReport } from '../../scripts/demo/three-models';
import { modelsTable } from '../../scripts/demo/three-models-table';
import { reportTable } from '../../scripts/demo/debian-vm-table';

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
    [
      ['--example', 'constructor'],
      64,
      /^demo: --example constructor: give one of debian-vm, three-models\nusage: /,
    ],
    [['--slice-instructions', 'many'], 64, /^demo: --slice-instructions many: give a whole number/],
    [['--colour'], 64, /^demo: Unknown option '--colour'/],
    [
      ['--json', '--images', '/no/images'],
      1,
      /^demo: \/no\/images\/vmlinuz is missing; run "npm run images" first\n$/,
    ],
    [
      ['--json', '--example', 'three-models', '--images', '/no/images'],
      1,
      /^demo: \/no\/images\/vmlinuz is missing; run "npm run images" first\n$/,
    ],
  ])('%j is refused with exit status %i', (args, status, message) => {
    const { stdout, stderr, ...run } = demo(...args);
    expect(stderr).toMatch(message);
    expect(stdout.replace(/^== .*\n/, '')).toBe('');
    expect(run.status).toBe(status);
  });

  const ready = ['.cache/images/vmlinuz', '.cache/images/initrd.gz', '.cache/images/fw_dynamic.bin'];
  const there = (files: readonly string[]) => files.every((file) => existsSync(join(root, file)));
  // Without the guest's images there is nothing to boot: "npm run images" fetches them.
  (there(ready) ? test : test.skip)(
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

  const models = [...ready, '.cache/images/busybox-root.tar'];
  (there(models) ? test : test.skip)(
    'one event to a guest of each model, and an answer from each',
    () => {
      const { status, stdout, stderr } = demo('--json', '--example', 'three-models');
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const report = JSON.parse(stdout) as ModelsReport;
      expect(report.failures).toEqual({});
      expect(report.guests.map(({ model }) => model)).toEqual(['vm', 'paravirtual', 'container']);
      const answer = '{"text":"THREE MODELS, ONE HOST"}';
      for (const guest of report.guests) {
        expect(guest.answers).toEqual([answer, answer]);
        expect(guest.first.instructions).toBeGreaterThan(0);
        expect(guest.checkpointBytes).toBeGreaterThan(0);
      }
      const [vm, paravirtual, container] = report.guests.map(({ first }) => first.instructions);
      expect(paravirtual).toBeLessThan(vm!);
      expect(container).toBeLessThan(vm! / 20);
    },
    600_000,
  );
});

test('the table of the models fits 80 columns, and says which model failed', () => {
  const guest = (model: string): GuestReport => ({
    model,
    guest: model,
    answers: ['a', 'b'],
    first: {
      slices: 123,
      instructions: 1_234_567_890,
      exits: {
        'ecall-user': 9999,
        'a-cause-with-a-long-name': 1e9,
        another: 12_345,
        'one-more-of-them': 5,
        few: 1,
      },
    },
    milliseconds: { first: 123_456, second: 999 },
    checkpointBytes: 2 ** 30,
    workers: ['1'],
  });
  const report: ModelsReport = {
    event: {},
    guests: [guest('paravirtual'), guest('vm')],
    failures: { container: 'why' },
    milliseconds: 1,
  };
  const lines = modelsTable(report).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.find((line) => line.startsWith('vm'))).toMatch(/^vm +123 +1234\.6 +123\.46 +1\.00 +1048576$/);
  expect(lines.find((line) => line.startsWith('  vm'))).toMatch(
    /a-cause-with-a-long-name 1000M, another 12k, ecall-user 9999/,
  );
  expect(lines).toContain('container did not answer: why');
});
