/** Which mirror and suite of Debian's archive packages come from, whoever wants them. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { debianMirror, systemSources } from './debian-sources';
import { ImagesError } from './errors';

/** Who signs Debian's archive, and what of it is wanted. Where it is, the system's own sources say. */
const defaults = {
  keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
  suites: ['forky', 'sid'],
};

export interface ArchiveRequest {
  readonly mirror?: string;
  /** Tried in order. */
  readonly suites?: readonly string[];
  readonly keyring?: string;
  readonly say: (line: string) => void;
}

export interface Archive {
  readonly mirror: string;
  readonly suite: string;
  readonly keyring: string;
}

/** Where apt keeps its state: one per suite, since it refuses to mix the lists of two. */
export const aptState = (directory: string, suite: string): string => join(directory, 'apt', suite);

/**
 * What `use` returns for the first suite that has all it needs.
 *
 * @throws ImagesError of the first suite when none does, or when the archive cannot be reached at all
 */
export function fromFirstSuite<Result>(request: ArchiveRequest, use: (archive: Archive) => Result): Result {
  requirePrograms(['apt-get', 'apt-cache', 'dpkg-deb']);
  const keyring = request.keyring ?? defaults.keyring;
  if (!existsSync(keyring)) {
    throw new ImagesError(
      `no keyring ${keyring} to check Debian's signatures with: install the package debian-archive-keyring, or name one with --keyring FILE`,
      'unavailable',
    );
  }
  const mirror = request.mirror ?? debianMirror(systemSources());
  if (mirror === undefined) {
    throw new ImagesError(
      "the system's apt sources name no mirror of Debian's archive: give one, `npm run images -- --mirror URI`",
      'unavailable',
    );
  }
  const failures: ImagesError[] = [];
  for (const suite of request.suites ?? defaults.suites) {
    try {
      return use({ mirror, suite, keyring });
    } catch (error) {
      if (!(error instanceof ImagesError)) throw error;
      failures.push(error);
    }
  }
  throw failures[0] ?? new ImagesError('no suite to look in: name one with --suite NAME', 'invalid');
}

function requirePrograms(names: readonly string[]): void {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const missing = names.filter((name) => !path.some((directory) => existsSync(join(directory, name))));
  if (missing.length > 0) {
    throw new ImagesError(
      `the guest images come from Debian's archive through apt, and ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not installed: ` +
        'run this on Debian or Ubuntu, or in a container of theirs (packages apt and dpkg)',
      'unavailable',
    );
  }
}

export function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
