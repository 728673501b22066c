import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { appletNames } from './busybox';
import { type ArchiveEntry, writeArchive } from './cpio';

/** The guest's own files: `init`, what `agent` answers with, and in `run/` the scripts that `hv.run=NAME` selects. */
const guestFiles = join(__dirname, 'guest');

/**
 * The initramfs of the example guest, gzip-compressed: Debian's busybox, its applets as links, and the `init` beside
 * this file. All programs are in /bin; the other usual directories are links to it. Same input, same bytes.
 */
export function initramfs(busybox: Uint8Array): Uint8Array {
  const directories = ['bin', 'dev', 'etc', 'etc/run', 'proc', 'root', 'sys', 'tmp', 'usr'];
  const entries: ArchiveEntry[] = [
    ...directories.map((path) => ({ kind: 'directory', path }) as const),
    // The kernel opens /dev/console for init before anything could mount devtmpfs: character device 5, 1
    // (Linux, Documentation/admin-guide/devices.txt).
    { kind: 'character device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', content: busybox, mode: 0o755 },
    { kind: 'link', path: 'sbin', target: 'bin' },
    { kind: 'link', path: 'usr/bin', target: '../bin' },
    { kind: 'link', path: 'usr/sbin', target: '../bin' },
    { kind: 'file', path: 'init', content: readFileSync(join(guestFiles, 'init')), mode: 0o755 },
    {
      kind: 'file',
      path: 'etc/upper.awk',
      content: readFileSync(join(guestFiles, 'upper.awk')),
      mode: 0o644,
    },
  ];
  // Links in the archive: `busybox --install` would make them at each boot, with a system call or two for each.
  for (const applet of appletNames(busybox)) {
    if (applet !== 'busybox') entries.push({ kind: 'link', path: `bin/${applet}`, target: 'busybox' });
  }
  for (const name of readdirSync(join(guestFiles, 'run'))) {
    const content = readFileSync(join(guestFiles, 'run', name));
    entries.push({ kind: 'file', path: `etc/run/${name.replace(/\.sh$/, '')}`, content, mode: 0o755 });
  }
  return gzipSync(writeArchive(entries), { level: 9 });
}
