import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(__dirname, '..', '..');

/** A small repository of its own: real bootstrap, real Node and tsx; an engine script that counts its runs. */
let root: string;

function put(path: string, content: string): void {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
}

function bootstrap(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'bootstrap.mjs'), ...args],
    {
      encoding: 'utf8',
    },
  );
  return { status, stdout, stderr };
}

const builds = (): number =>
  existsSync(join(root, 'log')) ? readFileSync(join(root, 'log'), 'utf8').split('\n').length - 1 : 0;

const countingBuild = `
import { appendFileSync, mkdirSync } from 'node:fs';
appendFileSync('log', 'run\\n');
mkdirSync('engine/generated', { recursive: true });
console.log('a line of the build');
`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bootstrap-'));
  mkdirSync(join(root, 'scripts'));
  cpSync(join(repository, 'scripts', 'bootstrap.mjs'), join(root, 'scripts', 'bootstrap.mjs'));
  put('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/tsx': { version: '4' } } }));
  put(
    'node_modules/.package-lock.json',
    JSON.stringify({ packages: { 'node_modules/tsx': { version: '4' } } }),
  );
  mkdirSync(join(root, 'node_modules', '.bin'));
  symlinkSync(process.execPath, join(root, 'node_modules', '.bin', 'node'));
  symlinkSync(join(repository, 'node_modules', 'tsx'), join(root, 'node_modules', 'tsx'));
  put('engine/source.ts', '1');
  put('scripts/build-engine.ts', countingBuild);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('builds when there is a reason and only then', () => {
  expect(bootstrap('build').status).toBe(0);
  expect(builds()).toBe(1);
  expect(bootstrap('build').stderr).toBe('up to date\n');
  expect(builds()).toBe(1);
  put('engine/source.ts', '2');
  bootstrap('build');
  expect(builds()).toBe(2);
  rmSync(join(root, 'engine', 'generated'), { recursive: true });
  bootstrap('build');
  expect(builds()).toBe(3);
  // A build writes there: it must not make itself due.
  put('engine/generated/out.wasm', 'x');
  bootstrap('build');
  expect(builds()).toBe(3);
});

test('a failed build is said, ends with its exit code, and is tried again', () => {
  put('scripts/build-engine.ts', 'console.error("the reason"); process.exit(3);');
  for (let attempt = 0; attempt < 2; attempt++) {
    const { status, stdout, stderr } = bootstrap('build');
    expect(status).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/the reason[\s\S]*scripts\/build-engine\.ts.*exit code 3/);
  }
});

test('stdout is the task’s own; its arguments and exit code pass through', () => {
  put('scripts/bench.ts', 'console.log(JSON.stringify(process.argv.slice(2))); process.exit(7);');
  const result = bootstrap('bench', '--json', 'a b');
  expect(result).toEqual({ status: 7, stdout: '["--json","a b"]\n', stderr: '' });
  expect(builds()).toBe(1);
});

test('an unknown task is refused with the list', () => {
  const { status, stderr } = bootstrap('tset');
  expect(status).toBe(2);
  expect(stderr).toMatch(/no task "tset".*build.*test/);
});

test('packages are installed when the lock names another version; a failure ends a test run in its count', () => {
  put('package-lock.json', JSON.stringify({ packages: { 'node_modules/tsx': { version: '5' } } }));
  put('node_modules/.bin/npm', '#!/bin/sh\necho "npm $*: no network" >&2; exit 1\n');
  chmodSync(join(root, 'node_modules/.bin/npm'), 0o755);
  const { status, stdout, stderr } = bootstrap('test');
  expect(status).toBe(1);
  expect(stdout).toBe('0 passed, 1 failed\n');
  expect(stderr).toMatch(/package-lock\.json changed: tsx[\s\S]*npm ci .*no network[\s\S]*Check the network/);
});

test('a signal reaches the task, and the task decides how it ends', async () => {
  put(
    'scripts/demo.ts',
    'process.on("SIGTERM", () => process.exit(5)); console.log("up"); setInterval(() => {}, 1000);',
  );
  const child = spawn(process.execPath, [join(root, 'scripts', 'bootstrap.mjs'), 'demo']);
  child.stdout.on('data', () => child.kill('SIGTERM'));
  const exitCode = await new Promise((resolve) => child.on('close', resolve));
  expect(exitCode).toBe(5);
});
