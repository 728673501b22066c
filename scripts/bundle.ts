/**
 * Bundles what the package ships besides the constructs: the functions that hosts deploy, and the command `hv`.
 * Each function becomes a folder of its own, which is the asset; equal sources give equal bytes, so that a
 * deployment changes only when the code does.
 */
import { build, type BuildOptions, type Plugin } from 'esbuild';
import * as fs from 'fs';
import * as path from 'path';

interface Entry {
  readonly source: string;
  readonly bundle: string;
  readonly options?: BuildOptions;
}

/** Emulators of AWS services for the local cloud: development dependencies with files of their own. */
const emulators = ['dynalite', 'fauxqs'];

const entries: readonly Entry[] = [
  { source: 'lambdas/worker/handler.ts', bundle: 'dist/lambdas/worker/index.js' },
  // The thread that compiles for the guests lies beside the program that starts it.
  { source: 'lambdas/surroundings/compiler-thread.ts', bundle: 'dist/lambdas/worker/compiler.js' },
  { source: 'lambdas/surroundings/compiler-thread.ts', bundle: 'dist/cli/compiler.js' },
  { source: 'lambdas/ingress/handler.ts', bundle: 'dist/lambdas/ingress/index.js' },
  { source: 'cli/hv.ts', bundle: 'dist/cli/hv.js', options: { external: emulators } },
];

/** The modules that the local cloud starts as processes of their own, which it looks for beside itself. */
function processEntries(root: string): Entry[] {
  const folder = 'cli/local';
  if (!fs.existsSync(path.join(root, folder))) return [];
  const modules = fs.readdirSync(path.join(root, folder)).filter((name) => name.endsWith('.mts'));
  return modules.sort().map((name) => ({
    source: `${folder}/${name}`,
    bundle: `dist/cli/${path.basename(name, '.mts')}.mjs`,
    options: { format: 'esm', external: emulators },
  }));
}

/**
 * The AWS SDK is bundled, not taken from the runtime: its version is then the one that was tested, and a cold
 * start reads one file, and others when it comes to need them (`lateClients`). In ASCII, which V8 reads a byte a character. Functions lose their names, which would be put
 * back one by one whenever the bundle is loaded: errors name themselves.
 */
const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'silent',
};

/**
 * Clients of the SDK that a function imports when it needs them become files beside its bundle: V8 parses whatever
 * it loads, and half of a worker's bundle would be clients that no restore uses. `found` gathers their packages.
 */
const lateClients = (found: Set<string>): Plugin => ({
  name: 'late-clients',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^@aws-sdk\/client-/ }, ({ path: name, kind }) => {
      if (kind !== 'dynamic-import') return undefined;
      found.add(name);
      return { path: `./${path.basename(name)}.js`, external: true };
    });
  },
});

/** Bundles a function, and the clients that it loads late. */
async function bundleFunction(root: string, source: string, outfile: string): Promise<string[]> {
  const clients = new Set<string>();
  const options: BuildOptions = {
    ...common,
    absWorkingDir: root,
    // A require instead, which has no need to guess the names that a bundle exports.
    supported: { 'dynamic-import': false },
  };
  await build({ ...options, entryPoints: [source], outfile, plugins: [lateClients(clients)] });
  const files = [...clients]
    .sort()
    .map((name) => [name, `${path.dirname(outfile)}/${path.basename(name)}.js`]);
  for (const [name, file] of files) {
    const stdin = { contents: `module.exports = require('${name}');`, resolveDir: root };
    await build({ ...options, stdin, outfile: file! });
  }
  return [outfile, ...files.map(([, file]) => file!)];
}

/**
 * Bundles every entry below `root` whose source exists.
 *
 * @returns the bundles' paths relative to `root`.
 * @throws esbuild's error, with the place in the source, when one cannot be bundled.
 */
export async function bundle(root: string): Promise<string[]> {
  const present = [...entries, ...processEntries(root)].filter(({ source }) =>
    fs.existsSync(path.join(root, source)),
  );
  const written: string[] = [];
  for (const { source, bundle: outfile, options } of present) {
    // Sources named relative to the root keep this machine's directories out of the output.
    if (source.startsWith('lambdas/')) written.push(...(await bundleFunction(root, source, outfile)));
    else {
      await build({ ...common, ...options, absWorkingDir: root, entryPoints: [source], outfile });
      written.push(outfile);
    }
  }
  const command = path.join(root, 'dist/cli/hv.js');
  if (fs.existsSync(command)) fs.chmodSync(command, 0o755);
  return written;
}

if (require.main === module) {
  const root = path.resolve(__dirname, '..');
  bundle(root).then(
    (bundles) => {
      for (const file of bundles) {
        const kilobytes = Math.ceil(fs.statSync(path.join(root, file)).size / 1024);
        process.stdout.write(`${file}  ${kilobytes} KB\n`);
      }
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
