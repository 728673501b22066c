/**
 * `npm run demo`: the whole path on this machine. Synthesizes an example and runs the bundles that a deployment would
 * ship in a local cloud. debian-vm boots Debian in time slices on several worker processes, one of which is killed;
 * three-models sends one event to a guest of each model.
 * Exit codes: 0 shown, 1 something did not come to pass, 64 wrong usage (sysexits.h).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LocalCloudError } from '../cli/local';
import { DemoError } from './demo/errors';
import { EXAMPLES, type Example } from './demo/examples';
import { Presenter } from './demo/presenter';
import type { StoryOptions } from './demo/story';
import { synthesize } from './demo/synthesize';

const usage = `usage: npm run demo -- [--example NAME] [--workers N] [--slice-instructions N] [--images DIRECTORY] [--json]
  --example             ${Object.keys(EXAMPLES).join(' or ')} (default: debian-vm)
  --workers             worker processes, at least 2 (default: 2; 3 for three-models)
  --slice-instructions  instructions of a slice at most (default: 120000000; 40000000 for three-models)
  --images              where the guests' images are (default: .cache/images)
  --json                print one JSON document on stdout and nothing else`;

class UsageError extends Error {}

interface Options extends StoryOptions {
  readonly json: boolean;
  readonly name: string;
  readonly example: Example;
  readonly images: string;
}

function options(): Options | undefined {
  const { values } = parseArgs({
    options: {
      example: { type: 'string', default: 'debian-vm' },
      workers: { type: 'string' },
      'slice-instructions': { type: 'string' },
      images: { type: 'string', default: join(__dirname, '..', '.cache', 'images') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const example = Object.hasOwn(EXAMPLES, values.example) ? EXAMPLES[values.example] : undefined;
  if (example === undefined) {
    throw new UsageError(`--example ${values.example}: give one of ${Object.keys(EXAMPLES).join(', ')}`);
  }
  return {
    name: values.example,
    example,
    json: values.json,
    images: values.images,
    workers: number('--workers', values.workers, 2) ?? example.defaults.workers,
    sliceInstructions:
      number('--slice-instructions', values['slice-instructions'], 1_000_000) ??
      example.defaults.sliceInstructions,
  };
}

function number(flag: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
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
  const { name, example, images } = asked;
  presenter.step(`synthesizing examples/${name}`);
  const assembly = await synthesize({
    example: name,
    needs: example.needs,
    images,
    output: join(directory, 'cdk.out'),
  });
  const { report, table, failed } = await example.show(assembly, asked, presenter);
  process.stdout.write(asked.json ? `${JSON.stringify(report, undefined, 2)}\n` : table);
  if (failed !== undefined) throw new DemoError(failed);
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
