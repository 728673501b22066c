/** `hv port`: the report as text and as JSON, and what is no kernel. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatReport } from '../../cli/port';
import { main } from '../../cli/program';
import { syntheticKernel } from '../models/paravirt/synthetic-kernel';
import { FakeHost } from './fake-host';
import { noState } from './no-state';

const directory = mkdtempSync(join(tmpdir(), 'hv-port-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, content: Uint8Array): string => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const vmlinuz = file('vmlinuz', syntheticKernel({ offsets: 'relative to a base' }).image);

async function hv(...args: string[]) {
  const host = new FakeHost({ isTTY: false });
  let status: number | undefined;
  const createGuest = () => {
    throw new Error('nothing is to be run');
  };
  const clock = { wallNanoseconds: () => 0n, monotonicMilliseconds: () => 0 };
  await main(
    args,
    { createGuest, openState: noState, host, clock, exit: (code) => (status ??= code) },
    '1.2.3',
  );
  return { status, out: host.out, err: host.err };
}

test('prints a line for each rule and why, within 80 columns', async () => {
  const { status, out, err } = await hv('port', vmlinuz);
  expect([status, err]).toEqual([0, '']);
  expect(out).toMatch(/^vmlinuz: 605 symbols, 1 of \d+ rules applied\n\n/);
  expect(out).toMatch(
    /^memcpy +replaced +at 0x100, 36 bytes verified, 8 written\n {4}copies whole pages natively$/m,
  );
  expect(out).toMatch(/^memset +refused +at 0x180\n {4}\+0x0 is "c.jr ra" where/m);
  expect(out).toMatch(/^clear_page +absent$/m);
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('prints the same as JSON', async () => {
  const { status, out } = await hv('port', vmlinuz, '--json');
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    kernel: 'vmlinuz',
    symbols: 605,
    rules: expect.arrayContaining([
      expect.objectContaining({ rule: 'memcpy', outcome: 'replaced', offset: 0x100 }),
    ]) as unknown,
  });
});

test('long names do not break the lines', () => {
  const report = formatReport({
    kernel: 'k'.repeat(200),
    symbols: 1,
    rules: [{ rule: 'memcpy', outcome: 'refused', why: `${'word '.repeat(40)}${'x'.repeat(70)}` }],
  });
  for (const line of report.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test.each<[string, string[], RegExp]>([
  ['no file', ['port'], /missing required argument/],
  [
    'a file that is not there',
    ['port', join(directory, 'none')],
    /kernel .*none does not exist; check the path/,
  ],
  [
    'another architecture',
    ['port', file('bzImage', new Uint8Array(4096))],
    /bzImage is no RISC-V Linux kernel/,
  ],
  [
    'no symbols',
    ['port', file('bare', syntheticKernel({ offsets: 'none' }).image)],
    /bare cannot be ported: .*kallsyms/,
  ],
])('%s is one line and status 2', async (_, args, message) => {
  const { status, out, err } = await hv(...args);
  expect([status, out]).toEqual([2, '']);
  expect(err).toMatch(message);
  expect(err.trimEnd().split('\n')).toHaveLength(1);
});
