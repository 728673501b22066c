/**
 * `npm run demo`: the whole path on this machine. Synthesizes examples/debian-vm, runs the bundles that a deployment
 * would ship in a local cloud, and boots Debian in time slices on several worker processes, one of which is killed.
 * Exit codes: 0 shown, 1 something did not come to pass, 64 wrong usage (sysexits.h).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LocalCloudError } from '../cli/local';
import { DemoError } from './demo/errors';
import { Presenter } from './demo/presenter';
import { reportTable } from './demo/report-table';
import { play, type StoryOptions } from './demo/story';
import { synthesize } from './demo/synthesize';

const usage = `usage: npm run demo -- [--workers N] [--slice-instructions N] [--images DIRECTORY] [--json]
  --workers             worker processes, at least 2 (default: 2)
  --slice-instructions  instructions of a slice at most (default: 120000000)
  --images              where vmlinuz, initrd.gz and fw_dynamic.bin are (default: .cache/images)
  --json                print one JSON document on stdout and nothing else`;

class UsageError extends Error {}

interface Options extends StoryOptions {
  readonly json: boolean;
  readonly images: string;
}

function options(): Options | undefined {
  const { values } = parseArgs({
    options: {
      workers: { type: 'string', default: '2' },
      'slice-instructions': { type: 'string', default: '120000000' },
      images: { type: 'string', default: join(__dirname, '..', '.cache', 'images') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    json: values.json,
    images: values.images,
    workers: wholeNumber('--workers', values.workers, 2),
    sliceInstructions: wholeNumber('--slice-instructions', values['slice-instructions'], 1_000_000),
  };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`${flag} ${text}: give a whole number of at least ${least}`);
  }
  return value;
}

async function main(): Promise<void> {
  const asked = options();
  if (asked === undefined) {
    console.log(usage);
    return;
  }
  const presenter = new Presenter(process.stdout, { quiet: asked.json });
  const directory = mkdtempSync(join(tmpdir(), 'cdk-hypervisor-demo-'));
  // However we end: the assembly holds a copy of the kernel.
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  presenter.step('synthesizing examples/debian-vm');
  const assembly = await synthesize(join(directory, 'cdk.out'), asked.images);
  const report = await play(assembly, asked, presenter);
  if (asked.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else process.stdout.write(reportTable(report));
}

function fail(message: string, exitCode: number): void {
  console.error(`demo: ${message}`);
  process.exitCode = exitCode;
}

// The local cloud ends its processes; this makes 'exit' happen, so that the assembly goes too.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.on(signal, () => process.exit(128 + number));
}

main().catch((error: unknown) => {
  const parsing =
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (error instanceof UsageError || parsing) fail(`${(error as Error).message}\n${usage}`, 64);
  else if (error instanceof DemoError || error instanceof LocalCloudError) fail(error.message, 1);
  else fail(error instanceof Error ? (error.stack ?? error.message) : String(error), 1);
});
