/** The container's tree of files: the image's layers under a writable one, and what Linux mounts over it. */
import { PipeEnd } from '../ipc/pipe';
import { addMemoryDevices } from '../fsimpl/devices/drivers';
import { CONSOLE_DEVICE, TTY_DEVICE, addDeviceNodes } from '../fsimpl/devices/nodes';
import type { FileStore } from '../fsimpl/file-store';
import type { ImageTree } from '../fsimpl/image/tree';
import { MemoryFileSystem } from '../fsimpl/memory/file-system';
import { ProcFileSystem } from '../fsimpl/proc/file-system';
import { TerminalFile } from '../tty/terminal-file';
import { Errno } from '../errno';
import { S } from '../vfs/constants';
import type { FileSystem } from '../vfs/file-system';
import type { Location } from '../vfs/location';
import { MountNamespace } from '../vfs/namespace';
import type { Openers } from '../vfs/openers';
import { VirtualFileSystem } from '../vfs/virtual-file-system';
import { Files } from './files';
import type { Kernel } from './kernel';
import { createPipe } from './pipes';
import { procSource } from './proc-source';
import { broken } from '../syscalls/ipc';

const OVERLAY_DEVICE = 0x1a;
const owner = { uid: 0, gid: 0 };

/** @returns the file systems with state of their own, in an order that stays */
export function buildTree(kernel: Kernel, image: ImageTree, store: FileStore): readonly FileSystem[] {
  const now = (): bigint => kernel.wall;
  const root = new MemoryFileSystem({ device: OVERLAY_DEVICE, store, now, image });
  const namespace = new MountNamespace(root);
  const devices = new MemoryFileSystem({ device: OVERLAY_DEVICE + 1, store, now });
  addDeviceNodes(devices);
  const shared = new MemoryFileSystem({ device: OVERLAY_DEVICE + 2, store, now });
  const proc = new ProcFileSystem(procSource(kernel, namespace), OVERLAY_DEVICE + 3);

  const openers: Openers = { character: new Map(), block: new Map(), fifo: fifo(kernel) };
  addMemoryDevices(openers, kernel.random);
  const terminal = (location: Location, flags: number): TerminalFile =>
    new TerminalFile(kernel, location, flags);
  openers.character.set(CONSOLE_DEVICE, terminal);
  openers.character.set(TTY_DEVICE, (location, flags) => {
    if (kernel.current.process.session !== kernel.terminal.session) throw new Errno('ENXIO');
    return terminal(location, flags);
  });

  const vfs = new VirtualFileSystem({ namespace, openers, now });
  kernel.files = new Files(vfs);
  const base = namespace.root;
  const dev = mountAt(namespace, devices, base, 'dev');
  mountAt(namespace, shared, dev, 'shm');
  mountAt(namespace, proc, base, 'proc');
  return [root, devices, shared, proc];
}

/** Mounts on a directory below `above`, which is made if the image has none. @returns the mount's root */
function mountAt(namespace: MountNamespace, fileSystem: FileSystem, above: Location, name: string): Location {
  const found = above.inode.lookup(name);
  const usable = found !== undefined && (found.mode & S.IFMT) === S.IFDIR;
  if (found && !usable) above.inode.unlink(name);
  const inode = usable ? found : above.inode.create(name, { ...owner, mode: S.IFDIR | 0o755 });
  namespace.mount(fileSystem, { mount: above.mount, inode, entry: undefined });
  return namespace.cross({ mount: above.mount, inode, entry: undefined });
}

/** Ends of one FIFO meet in the pipe that is kept under its inode. */
const fifo =
  (kernel: Kernel) =>
  (location: Location, flags: number): PipeEnd => {
    const key = `${location.inode.fileSystem.device} ${location.inode.ino}`;
    return new PipeEnd(kernel.fifos.get(key) ?? createPipe(kernel, key), flags, location, broken(kernel));
  };
