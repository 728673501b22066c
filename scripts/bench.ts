/**
 * `npm run bench`: ratios against peers measured in the same run, never absolute times. Exit codes: 0 measured or
 * skipped with a reason, 1 a workload failed, 64 wrong usage. A missed target is shown, and is no failure: the machine
 * may be busy.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { performanceDocument, type Machine } from '../test/bench/document';
import { table } from '../test/bench/table';
import type { Report, Workload } from '../test/bench/workload';
import { workloads } from '../test/bench/workloads';

const usage = `usage: npm run bench -- [--only NAME]... [--runs N] [--seconds N] [--engine NAME] [--json] [--write]
  --only  workload to run; may be repeated (there are: ${workloads()
    .map(({ name }) => name)
    .join(', ')})
  --runs  runs of each peer, at least 3 (default: 3)
  --seconds  work of each program, in seconds of QEMU on a middling machine (default: 2)
  --engine   back end of ours, as hv run takes it (default: translator)
  --json  print the reports as JSON on stdout and nothing else
  --write also write docs/performance.md; with all workloads only`;

const DOCUMENT = join(__dirname, '..', 'docs', 'performance.md');

class UsageError extends Error {}

function options():
  { json: boolean; write: boolean; runs: number; seconds: number; chosen: readonly Workload[] } | undefined {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      engine: { type: 'string' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 3) {
    throw new UsageError(`--runs ${values.runs}: give a whole number of at least 3`);
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new UsageError(`--seconds ${values.seconds}: give a number above 0`);
  const all = workloads(values.engine);
  const unknown = values.only?.find((name) => !all.some((workload) => workload.name === name));
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: no such workload`);
  if (values.write && values.only !== undefined) {
    throw new UsageError('--write describes all workloads: leave --only out');
  }
  return {
    json: values.json,
    write: values.write,
    runs,
    seconds,
    chosen: all.filter(({ name }) => values.only?.includes(name) ?? true),
  };
}

async function measure(
  workload: Workload,
  { runs, seconds }: { runs: number; seconds: number },
  progress: (line: string) => void,
): Promise<Report> {
  const images = join(__dirname, '..', '.cache', 'images');
  if (!existsSync(join(images, 'manifest.json'))) {
    return { workload: workload.name, skipped: 'the guest images are missing: run `npm run images`' };
  }
  return workload.run({ runs, images, seconds, progress });
}

async function main(): Promise<void> {
  const asked = options();
  if (asked === undefined) {
    console.log(usage);
    return;
  }
  const progress = asked.json ? () => undefined : (line: string) => console.error(`  ${line}`);
  const machine: Machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    load: loadavg()[0] ?? 0,
  };
  const reports: Report[] = [];
  for (const workload of asked.chosen) {
    const report = await measure(workload, asked, progress);
    reports.push(report);
    if (!asked.json) console.log(`${table(workload.title, report)}\n`);
  }
  if (asked.write) {
    const measured = asked.chosen.map(({ title }, index) => ({ title, report: reports[index]! }));
    mkdirSync(dirname(DOCUMENT), { recursive: true });
    writeFileSync(DOCUMENT, performanceDocument(measured, machine, new Date()));
    progress('wrote docs/performance.md');
  }
  if (asked.json) {
    console.log(JSON.stringify({ machine, reports }, null, 2));
  }
}

main().catch((error: unknown) => {
  const wrongUsage =
    error instanceof UsageError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  console.error(
    `bench: ${error instanceof Error ? error.message : String(error)}${wrongUsage ? `\n${usage}` : ''}`,
  );
  process.exitCode = wrongUsage ? 64 : 1;
});
