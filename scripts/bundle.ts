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

const entries: readonly Entry[] = [
  { source: 'lambdas/worker/handler.ts', bundle: 'dist/lambdas/worker/index.js' },
  { source: 'lambdas/ingress/handler.ts', bundle: 'dist/lambdas/ingress/index.js' },
  {
    source: 'cli/hv.ts',
    bundle: 'dist/cli/hv.js',
    // The local cloud's servers are development dependencies with files of their own, found at run time.
    options: { packages: 'external' },
  },
];

/**
 * The AWS SDK is bundled, not taken from the runtime: its version is then the one that was tested, and a cold
 * start reads one file. Names are kept, since errors are told apart by theirs.
 */
const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minify: true,
  keepNames: true,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
};

/** Bundles every entry below `root` whose source exists. Returns the bundles' paths relative to `root`. */
export async function bundle(root: string): Promise<string[]> {
  const present = entries.filter(({ source }) => fs.existsSync(path.join(root, source)));
  for (const { source, bundle: outfile, options } of present) {
    await build({
      ...common,
      ...options,
      // Paths relative to the root keep this machine's directories out of the output.
      absWorkingDir: root,
      entryPoints: [source],
      outfile,
    });
    if (outfile.startsWith('dist/cli/')) makeExecutable(path.join(root, outfile));
  }
  return present.map((entry) => entry.bundle);
}

function makeExecutable(file: string): void {
  const shebang = '#!/usr/bin/env node\n';
  const code = fs.readFileSync(file, 'utf8');
  if (!code.startsWith('#!')) fs.writeFileSync(file, shebang + code);
  fs.chmodSync(file, 0o755);
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
