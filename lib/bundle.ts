import * as fs from 'fs';
import * as path from 'path';
import { DeclarationError } from './declaration-error';

/** The functions that a host deploys, named as their folders under `lambdas/`. */
export type BundleName = 'worker' | 'ingress';

/**
 * Folder of a function's code, bundled when this package was built, so that users need neither esbuild nor
 * Docker. The candidates serve the published package (`dist/lib`) and the source tree (`lib`).
 */
export function bundleDirectory(name: BundleName): string {
  const candidates = [
    path.join(__dirname, '..', 'lambdas', name),
    path.join(__dirname, '..', 'dist', 'lambdas', name),
  ];
  const found = candidates.find((directory) => fs.existsSync(path.join(directory, 'index.js')));
  if (found === undefined) {
    throw new DeclarationError(
      `function bundle "${name}"`,
      `there is no index.js in ${candidates.join(' or ')}`,
      'Run "npm run build" in the source tree, or install the package again',
    );
  }
  return found;
}
