/** The files of /dev: a tmpfs with device nodes, as devtmpfs is. */
import { makeDevice, S } from '../../vfs/constants';
import type { MemoryFileSystem } from '../memory/file-system';

/** Name, major, minor, permissions: Linux' admin-guide/devices.txt, and what udev gives. */
const nodes: readonly (readonly [name: string, major: number, minor: number, permissions: number])[] = [
  ['null', 1, 3, 0o666],
  ['zero', 1, 5, 0o666],
  ['full', 1, 7, 0o666],
  ['random', 1, 8, 0o666],
  ['urandom', 1, 9, 0o666],
  ['tty', 5, 0, 0o666],
  ['console', 5, 1, 0o600],
];

const links: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
];

/** Device numbers of terminals, whose drivers are the kernel's. */
export const TTY_DEVICE = makeDevice(5, 0);
export const CONSOLE_DEVICE = makeDevice(5, 1);

/** Fills an empty file system. `shm` is where a tmpfs is mounted. */
export function addDeviceNodes(fileSystem: MemoryFileSystem): void {
  const owner = { uid: 0, gid: 0 };
  const { root } = fileSystem;
  for (const [name, major, minor, permissions] of nodes) {
    root.create(name, { ...owner, mode: S.IFCHR | permissions, rdev: makeDevice(major, minor) });
  }
  for (const [name, target] of links) root.create(name, { ...owner, mode: S.IFLNK | 0o777, target });
  root.create('shm', { ...owner, mode: S.IFDIR | 0o755 });
}
