/** A small Debian root with a dynamic libc: the shell, the tools, and the libraries that they are linked with. */
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { closure, type DebianPackage, type PrivateApt } from './apt';
import { containerDirectories } from './roots';
import { type TarEntry, writeTar } from './tar';

const programs = ['dash', 'coreutils'];
/** What programs depend on without being linked with it. */
const passedOver = [
  /^debianutils$/,
  /^libc-gconv-modules-extra$/,
  /^openssl-provider-legacy$/,
  /^gcc-.*-base$/,
  /^init-system-helpers$/,
];
/** What of the packages goes into the root. */
const kept = [
  /^usr\/bin\/[^/]+$/,
  /^usr\/lib\/ld-linux[^/]*$/,
  /^usr\/lib\/riscv64-linux-gnu\/[^/]+\.so[^/]*$/,
];

export function debianRoot(
  apt: PrivateApt,
  say: (line: string) => void,
): { packages: readonly DebianPackage[]; archive: Uint8Array } {
  const packages = closure(apt, programs, passedOver);
  const entries = new Map<string, TarEntry>();
  for (const entry of [...containerDirectories, ...mergedUsr]) entries.set(entry.path, entry);
  for (const found of packages) {
    say(`fetching ${found.name} ${found.version} ...`);
    const unpacked = apt.unpack(apt.download(found));
    for (const entry of filesBelow(unpacked, '')) entries.set(entry.path, entry);
  }
  const sorted = [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { packages, archive: writeTar(sorted) };
}

/** /bin and its like are links into /usr; sh is dash. */
const mergedUsr: readonly TarEntry[] = [
  ...['bin', 'lib', 'sbin'].map((path) => ({ kind: 'link', path, target: `usr/${path}` }) as const),
  ...['usr/bin', 'usr/lib', 'usr/lib/riscv64-linux-gnu', 'usr/sbin'].map(
    (path) => ({ kind: 'directory', path }) as const,
  ),
  { kind: 'link', path: 'usr/bin/sh', target: 'dash' },
];

function* filesBelow(root: string, path: string): Iterable<TarEntry> {
  for (const name of readdirSync(join(root, path)).sort()) {
    const inner = path === '' ? name : `${path}/${name}`;
    const stat = lstatSync(join(root, inner));
    if (stat.isDirectory()) yield* filesBelow(root, inner);
    else if (!kept.some((pattern) => pattern.test(inner))) continue;
    else if (stat.isSymbolicLink())
      yield { kind: 'link', path: inner, target: readlinkSync(join(root, inner)) };
    else if (stat.isFile()) {
      const content = new Uint8Array(readFileSync(join(root, inner)));
      yield { kind: 'file', path: inner, content, mode: stat.mode & 0o777 };
    }
  }
}
