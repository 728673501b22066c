import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { bundle } from '../../scripts/bundle';

const roots: string[] = [];
afterAll(() => roots.forEach((root) => fs.rmSync(root, { recursive: true, force: true })));

/** A source tree of its own with the given files. */
function tree(files: Record<string, string>): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bundle-test-'));
  roots.push(root);
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
  return root;
}

const sources = {
  'lambdas/shared.ts':
    "export class LeaseError extends Error {\n  override readonly name = 'LeaseError';\n}\n",
  'lambdas/worker/handler.ts':
    "import { LeaseError } from '../shared';\nexport const handler = async (): Promise<string> => new LeaseError().name;\n",
  'lambdas/ingress/handler.ts': "export const handler = (): string => 'ingress';\n",
  'cli/hv.ts': "#!/usr/bin/env node\nconsole.log('hv');\n",
  'cli/local/runtime.mts':
    "import { createRequire } from 'node:module';\nconsole.log(typeof createRequire(import.meta.url));\n",
};

const read = (root: string, file: string) => fs.readFileSync(path.join(root, file), 'utf8');

test('each function is one file that loads by itself, and the command is executable', async () => {
  const root = tree(sources);
  const bundles = await bundle(root);
  expect(bundles).toEqual([
    'dist/lambdas/worker/index.js',
    'dist/lambdas/ingress/index.js',
    'dist/cli/hv.js',
    'dist/cli/runtime.mjs',
  ]);
  for (const name of ['worker', 'ingress']) {
    expect(fs.readdirSync(path.join(root, 'dist/lambdas', name))).toEqual(['index.js']);
  }
  fs.rmSync(path.join(root, 'lambdas'), { recursive: true });
  const { handler } = jest.requireActual<{ handler: () => Promise<string> }>(path.join(root, bundles[0]!));
  // Errors are told apart by the names that they give themselves.
  await expect(handler()).resolves.toBe('LeaseError');
  expect(read(root, 'dist/cli/hv.js')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(fs.statSync(path.join(root, 'dist/cli/hv.js')).mode & 0o111).toBe(0o111);
});

test('equal sources give equal bytes, wherever they lie', async () => {
  const [one, other] = [tree(sources), tree(sources)];
  const bundles = await bundle(one);
  await bundle(other);
  for (const file of bundles) {
    expect(read(one, file)).toBe(read(other, file));
    expect(read(one, file)).not.toContain(one);
  }
});

test('what is not written yet is left out', async () => {
  const root = tree({ 'lambdas/ingress/handler.ts': sources['lambdas/ingress/handler.ts'] });
  await expect(bundle(root)).resolves.toEqual(['dist/lambdas/ingress/index.js']);
});

test('an error in a source is an error of the build', async () => {
  const root = tree({ 'lambdas/worker/handler.ts': "import './missing';\n" });
  await expect(bundle(root)).rejects.toThrow('Could not resolve "./missing"');
});
