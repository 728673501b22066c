import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Something outside the repository that a suite needs. */
export interface Requirement {
  /** Why it is not there and how to get it; undefined when it is. */
  readonly missing: string | undefined;
}

/** A program on PATH. @param packages the Debian packages that bring it */
export function program(name: string, packages: string): Requirement {
  const found = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
  return { missing: found ? undefined : `${name} is not installed: apt-get install ${packages}` };
}

/** Files of the guest images by name, in .cache/images. */
export const imagesFolder = join(__dirname, '..', '.cache', 'images');

export function images(...names: readonly string[]): Requirement {
  const absent = names.filter((name) => !existsSync(join(imagesFolder, name)));
  return { missing: absent.length === 0 ? undefined : `no ${absent.join(', ')}: run \`npm run images\`` };
}

/** `describe` when all requirements are there; else skipped, with the reason in the suite's name. */
export function describeWith(requirements: readonly Requirement[], name: string, suite: () => void): void {
  const reason = requirements.find(({ missing }) => missing !== undefined)?.missing;
  if (reason === undefined) describe(name, suite);
  else describe.skip(`${name} [${reason}]`, suite);
}
