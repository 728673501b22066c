/**
 * Bundles what the package ships besides the constructs: the functions that hosts deploy, and the command `hv`.
 * Each function becomes a folder of its own, which is the asset; equal sources give equal bytes, so that a
 * deployment changes only when the code does.
 */
import { build, type BuildOptions } from 'esbuild';
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
 * start reads one file. In ASCII, which V8 reads a byte a character. Functions lose their names, which would be put
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
 * Bundles every entry below `root` whose source exists.
 *
 * @returns the bundles' paths relative to `root`.
 * @throws esbuild's error, with the place in the source, when one cannot be bundled.
 */
export async function bundle(root: string): Promise<string[]> {
  const present = [...entries, ...processEntries(root)].filter(({ source }) =>
    fs.existsSync(path.join(root, source)),
  );
  for (const { source, bundle: outfile, options } of present) {
    // Sources named relative to the root keep this machine's directories out of the output.
    await build({ ...common, ...options, absWorkingDir: root, entryPoints: [source], outfile });
  }
  const command = path.join(root, 'dist/cli/hv.js');
  if (fs.existsSync(command)) fs.chmodSync(command, 0o755);
  return present.map((entry) => entry.bundle);
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
