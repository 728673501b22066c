import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTar } from '../../lib/archive/tar';
import { appletNames } from './busybox';

const DIRECTORIES = {
  bin: 0o755,
  dev: 0o755,
  etc: 0o755,
  proc: 0o555,
  root: 0o700,
  sys: 0o555,
  tmp: 0o1777,
  usr: 0o755,
};

const FILES = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  'etc/group': 'root:x:0:\n',
};

const LINKS = { sbin: 'bin', 'usr/bin': '../bin', 'usr/sbin': '../bin' };

/**
 * The root of the example container as a tar archive: Debian's busybox, its applets as links, and the least that
 * programs look for. Same input, same bytes.
 */
export function busyboxRoot(busybox: Uint8Array): Uint8Array {
  const root = mkdtempSync(join(tmpdir(), 'busybox-root-'));
  try {
    for (const name of Object.keys(DIRECTORIES)) mkdirSync(join(root, name));
    for (const [name, text] of Object.entries(FILES)) place(join(root, name), text, 0o644);
    place(join(root, 'bin/busybox'), busybox, 0o755);
    for (const applet of appletNames(busybox)) {
      if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
    }
    for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, join(root, name));
    // Last, and by themselves: what mkdir makes depends on the umask, and /proc lets nobody write.
    for (const [name, mode] of Object.entries(DIRECTORIES)) chmodSync(join(root, name), mode);
    const pieces: Uint8Array[] = [];
    writeTar(root, (piece) => pieces.push(piece.slice()));
    return Buffer.concat(pieces);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function place(path: string, content: Uint8Array | string, mode: number): void {
  writeFileSync(path, content);
  chmodSync(path, mode);
}
