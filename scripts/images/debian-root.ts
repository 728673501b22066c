/** Debian roots with a dynamic libc: some programs, and the libraries that they are linked with. */
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { closure, type DebianPackage, type PrivateApt } from './apt';
import { containerDirectories } from './roots';
import { type TarEntry, writeTar } from './tar';

export interface RootSelection {
  /** Packages. */
  readonly programs: readonly string[];
  /** What they depend on without being linked with it. */
  readonly passedOver: readonly RegExp[];
  /** What of the packages goes into the root: paths without a leading slash. */
  readonly kept: readonly RegExp[];
}

/** Programs and libraries, and nothing beside them. */
export const smallRoot: RootSelection = {
  programs: ['dash', 'coreutils'],
  passedOver: [
    /^debianutils$/,
    /^libc-gconv-modules-extra$/,
    /^openssl-provider-legacy$/,
    /^gcc-.*-base$/,
    /^init-system-helpers$/,
  ],
  kept: [/^usr\/bin\/[^/]+$/, /^usr\/lib\/ld-linux[^/]*$/, /^usr\/lib\/riscv64-linux-gnu\/[^/]+\.so[^/]*$/],
};

export interface Root {
  readonly packages: readonly DebianPackage[];
  /** Sorted by path. Of directories only those that every root has. */
  readonly entries: readonly TarEntry[];
}

export function debianRoot(apt: PrivateApt, selection: RootSelection, say: (line: string) => void): Root {
  const packages = closure(apt, selection.programs, selection.passedOver);
  const entries = new Map<string, TarEntry>();
  for (const entry of [...containerDirectories, ...mergedUsr]) entries.set(entry.path, entry);
  for (const found of packages) {
    say(`fetching ${found.name} ${found.version} ...`);
    const unpacked = apt.unpack(apt.download(found));
    for (const entry of filesBelow(unpacked, '', selection.kept)) entries.set(entry.path, entry);
  }
  return { packages, entries: [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

export const rootArchive = ({ entries }: Root): Uint8Array => writeTar(entries);

/** /bin and its like are links into /usr; sh is dash. */
const mergedUsr: readonly TarEntry[] = [
  ...['bin', 'lib', 'sbin'].map((path) => ({ kind: 'link', path, target: `usr/${path}` }) as const),
  ...['usr/bin', 'usr/lib', 'usr/lib/riscv64-linux-gnu', 'usr/sbin'].map(
    (path) => ({ kind: 'directory', path }) as const,
  ),
  { kind: 'link', path: 'usr/bin/sh', target: 'dash' },
];

function* filesBelow(root: string, path: string, kept: readonly RegExp[]): Iterable<TarEntry> {
  for (const name of readdirSync(join(root, path)).sort()) {
    const inner = path === '' ? name : `${path}/${name}`;
    const stat = lstatSync(join(root, inner));
    if (stat.isDirectory()) yield* filesBelow(root, inner, kept);
    else if (!kept.some((pattern) => pattern.test(inner))) continue;
    else if (stat.isSymbolicLink())
      yield { kind: 'link', path: inner, target: readlinkSync(join(root, inner)) };
    else if (stat.isFile()) {
      const content = new Uint8Array(readFileSync(join(root, inner)));
      yield { kind: 'file', path: inner, content, mode: stat.mode & 0o777 };
    }
  }
}
