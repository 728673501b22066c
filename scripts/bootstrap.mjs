// The one entry behind `npm test`, `npm run demo` and the other commands. Plain Node 20 with no dependency, so
// that it runs on a fresh clone: it installs the packages, builds what changed, then runs the task on the Node
// of the development dependency `node`, the version that AWS Lambda runs.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const binaries = join(root, 'node_modules', '.bin');
const stamps = join(root, '.cache', 'stamps');

/** What is made from what, by the step's script or `command`. A step runs again when the content of its sources changed or an output is missing. */
const steps = {
  engine: {
    says: 'building the engine',
    script: 'scripts/build-engine.ts',
    sources: ['engine', 'scripts/build-engine.ts', 'package-lock.json'],
    outputs: ['engine/generated'],
  },
  bundle: {
    says: 'building the package',
    script: 'scripts/bundle.ts',
    sources: ['engine', 'lambdas', 'lib', 'cli', 'scripts/bundle.ts', 'tsconfig.json', 'package-lock.json'],
    outputs: ['dist'],
  },
  library: {
    says: 'building the constructs',
    script: 'tsconfig.lib.json',
    command: ['tsc', '-p', 'tsconfig.lib.json'],
    sources: ['lib', 'tsconfig.json', 'tsconfig.lib.json', 'package-lock.json'],
    outputs: ['dist/lib/index.d.ts'],
  },
  images: {
    says: 'getting the guest images',
    script: 'scripts/images.ts',
    sources: ['scripts/images.ts', 'scripts/images'],
    outputs: ['manifest.json', 'vmlinuz', 'fw_dynamic.bin', 'initrd.gz', 'busybox-root.tar'].map(
      (name) => `.cache/images/${name}`,
    ),
  },
};

/** What `npm run` can ask for: the steps that come first, then the command, to which the user's arguments go. */
const tasks = {
  build: { needs: ['engine', 'bundle', 'library'] },
  demo: { needs: ['engine', 'bundle', 'images'], run: ['node', '--import', 'tsx', 'scripts/demo.ts'] },
  bench: { needs: ['engine', 'bundle', 'images'], run: ['node', '--import', 'tsx', 'scripts/bench.ts'] },
  images: { needs: [], run: ['node', '--import', 'tsx', 'scripts/images.ts'] },
  test: { needs: [], run: ['node', '--import', 'tsx', 'scripts/test.ts'], counts: true },
  'test:full': {
    needs: [],
    run: ['node', '--import', 'tsx', 'scripts/test.ts'],
    environment: { TEST_FULL: '1' },
    counts: true,
  },
  docs: { needs: ['engine'], run: ['node', '--import', 'tsx', 'scripts/docs.ts'] },
  simulate: { needs: [], run: ['node', '--import', 'tsx', 'scripts/simulate.ts'] },
  lint: { needs: [], run: ['eslint', '--max-warnings', '0', '.'] },
  format: { needs: [], run: ['prettier', '--write', '--log-level', 'warn', '.'] },
  typecheck: { needs: ['engine'], run: ['tsc', '-p', '.'] },
};

class Failure extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

const quiet = process.argv.slice(3).some((argument) => argument === '--quiet' || argument === '--json');

function say(line) {
  if (!quiet) process.stderr.write(`${line}\n`);
}

/** Runs a command in the repository's root; resolves with its exit code (128 + n when signal n ended it). */
function run(command, args, { environment = {}, output = 'inherit' } = {}) {
  return new Promise((resolve, reject) => {
    let captured = '';
    const stdio =
      output === 'capture' ? ['ignore', 'pipe', 'pipe'] : ['inherit', output === 'stderr' ? 2 : 1, 2];
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}`, ...environment },
      stdio,
      shell: process.platform === 'win32',
    });
    child.stdout?.on('data', (chunk) => (captured += chunk));
    child.stderr?.on('data', (chunk) => (captured += chunk));
    // A terminal sends Ctrl-C to the whole group: the child decides what it means, and its exit code is ours.
    const forward = (signal) => child.kill(signal);
    const ignore = () => {};
    process
      .on('SIGTERM', forward)
      .on('SIGHUP', forward)
      .on('SIGINT', process.stdin.isTTY ? ignore : forward);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.removeAllListeners(name);
      resolve({ exitCode: signal ? 128 + constants.signals[signal] : code, captured });
    });
  });
}

/**
 * Why `npm ci` has to run, or undefined. npm writes the hidden lock file node_modules/.package-lock.json as the
 * last act of an installation, so an interrupted one is noticed, and one made by hand is not repeated.
 */
function installReason() {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return 'first run';
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    // An optional package that is absent is one for another platform.
    if (present[path] === undefined ? !entry.optional : present[path].version !== entry.version) {
      return `package-lock.json changed: ${path.replace(/^.*node_modules\//, '')}`;
    }
  }
  return undefined;
}

async function install() {
  const reason = installReason();
  if (reason === undefined) return;
  say(`installing npm packages (${reason}; about a minute) ...`);
  const started = Date.now();
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { exitCode, captured } = await run('npm', args, { output: 'capture' });
  if (exitCode !== 0) {
    const detail = captured.trim().split('\n').slice(-8).join('\n');
    throw new Failure(
      `npm ci failed (exit code ${exitCode}):\n${detail}\nCheck the network and npm's registry setting, then run the same command again.`,
    );
  }
  say(`installed npm packages in ${seconds(started)}`);
}

function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}

function* filesBelow(path) {
  const full = join(root, path);
  if (!existsSync(full)) return;
  if (!statSync(full).isDirectory()) {
    yield path;
    return;
  }
  for (const name of readdirSync(full).sort()) {
    // Outputs are not sources.
    if (name === 'generated' || name === 'node_modules') continue;
    yield* filesBelow(`${path}/${name}`);
  }
}

function contentHash(sources) {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const path of filesBelow(source)) {
      const content = readFileSync(join(root, path));
      hash.update(`${path}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}

/** Runs a build step when it is due; true when it did something. */
async function build(name) {
  const step = steps[name];
  // A tree without the script has nothing of that kind to build.
  if (!existsSync(join(root, step.script))) return false;
  const stamp = join(stamps, name);
  const hash = contentHash(step.sources);
  const built = existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
  if (built && step.outputs.every((output) => existsSync(join(root, output)))) return false;
  say(`${step.says} ...`);
  const started = Date.now();
  // The step's own lines are progress: they go to stderr, so that stdout holds only what the task prints.
  const output = quiet ? 'capture' : 'stderr';
  const [command, ...args] = step.command ?? ['node', '--import', 'tsx', step.script];
  const { exitCode, captured } = await run(command, args, { output });
  if (exitCode !== 0) {
    throw new Failure(`${captured}${step.says} failed: \`${step.script}\`, exit code ${exitCode}`, exitCode);
  }
  mkdirSync(stamps, { recursive: true });
  // Renamed into place: a stamp is whole or absent, also when two commands build at once.
  writeFileSync(`${stamp}.${process.pid}`, hash);
  renameSync(`${stamp}.${process.pid}`, stamp);
  say(`${step.says}: done in ${seconds(started)}`);
  return true;
}

async function main() {
  const [name, ...args] = process.argv.slice(2);
  const task = tasks[name];
  if (task === undefined) {
    throw new Failure(`no task "${name ?? ''}": use one of ${Object.keys(tasks).join(', ')}`, 2);
  }
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) {
    throw new Failure(`Node ${process.versions.node} is too old: install Node 20 or later`);
  }
  try {
    await install();
    let built = false;
    for (const step of task.needs) built = (await build(step)) || built;
    if (task.run === undefined) {
      if (!built) say('up to date');
      return 0;
    }
  } catch (error) {
    // A test run ends in its count whatever went wrong before it.
    if (task.counts) process.on('exit', () => process.stdout.write('0 passed, 1 failed\n'));
    throw error;
  }
  const [command, ...fixed] = task.run;
  const { exitCode } = await run(command, [...fixed, ...args], { environment: task.environment });
  return exitCode;
}

main().then(
  (exitCode) => (process.exitCode = exitCode),
  (error) => {
    process.stderr.write(`${error instanceof Failure ? error.message : error.stack}\n`);
    process.exitCode = error.exitCode ?? 1;
  },
);
