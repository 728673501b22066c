/**
 * `npm test`: builds, checks the format, lints, checks the types, gets the guest images and runs the tests. Each step
 * before jest counts as one check. The last line on stdout is the count; the exit code is 0 when nothing failed.
 * Arguments go to jest, and then the steps that are not about tests are left out: `npm test -- test/engine/isa`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Counts, closingLine, jestCounts, sum } from './checks/counts';

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  /** Exit code that means "not possible on this machine"; the last line of the output says why. */
  readonly skipCode?: number;
  /** Also when only some tests are asked for. */
  readonly always?: boolean;
}

const bootstrap = (task: string, ...args: string[]): string[] => [
  'node',
  'scripts/bootstrap.mjs',
  task,
  ...args,
];

/** In order; those of one group run side by side. */
const groups: readonly (readonly Check[])[] = [
  [{ name: 'build', command: bootstrap('build'), always: true }],
  [
    // sysexits.h: EX_UNAVAILABLE, as scripts/images.ts exits where Debian's archive cannot be reached.
    { name: 'images', command: bootstrap('images'), skipCode: 69, always: true },
    // The second judge of the differential tests; what only it can judge is skipped without it.
    { name: 'reference', command: bootstrap('images', '--reference'), skipCode: 69, always: true },
    { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
    { name: 'lint', command: ['eslint', '--max-warnings', '0', '.'] },
    { name: 'types', command: ['tsc', '-p', '.'] },
  ],
];

interface Finished {
  readonly exitCode: number;
  readonly output: string;
}

function run(command: readonly string[], environment: NodeJS.ProcessEnv, show: boolean): Promise<Finished> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => resolve({ exitCode: 127, output: `${program}: ${error.message}` }));
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output }));
  });
}

async function check({ name, command, skipCode }: Check): Promise<Counts> {
  const started = Date.now();
  const { exitCode, output } = await run(command, {}, false);
  const skipped = exitCode !== 0 && exitCode === skipCode;
  const state = exitCode === 0 ? 'ok' : skipped ? 'SKIPPED' : 'FAILED';
  console.log(`${name.padEnd(8)} ${state} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (exitCode !== 0) console.log(output.trim().replace(/^/gm, '  '));
  return {
    passed: exitCode === 0 ? 1 : 0,
    failed: exitCode !== 0 && !skipped ? 1 : 0,
    skipped: skipped ? 1 : 0,
  };
}

async function jest(args: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-hypervisor-test-'));
  const report = join(folder, 'counts.json');
  try {
    const { exitCode } = await run(['jest', ...args], { COUNT_FILE: report }, true);
    return jestCounts(exitCode, existsSync(report) ? readFileSync(report, 'utf8') : undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(args: readonly string[]): Promise<void> {
  const counts: Counts[] = [];
  for (const group of groups) {
    const due = group.filter(({ always }) => always === true || args.length === 0);
    counts.push(...(await Promise.all(due.map(check))));
    // What comes after a build that failed says nothing about the sources.
    if (group === groups[0] && sum(counts).failed > 0) return close(counts);
  }
  counts.push(await jest(args));
  close(counts);
}

function close(counts: readonly Counts[]): void {
  const total = sum(counts);
  console.log(closingLine(total));
  process.exitCode = total.failed > 0 ? 1 : 0;
}

void main(process.argv.slice(2));
