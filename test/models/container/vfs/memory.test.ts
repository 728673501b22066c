import { FileStore } from '../../../../engine/models/container/fsimpl/file-store';
import { treeOfLayers } from '../../../../engine/models/container/fsimpl/image/layers';
import { MemoryFileSystem } from '../../../../engine/models/container/fsimpl/memory/file-system';
import { O } from '../../../../engine/models/container/vfs/constants';
import {
  Clock,
  fileSystemContract,
  type FileSystemUnderTest,
  start,
  startFolders,
} from '../../../contract/file-system';
import type { Operation } from './operations';
import { surroundings } from './operations';
import { pax, tar } from './tar';

const folders = startFolders.map((name) => ({ name, type: '5', mode: 0o777 }));

function tmpfs(): FileSystemUnderTest {
  const store = new FileStore(2 * 1024 * 1024);
  const clock = new Clock();
  const fileSystem = new MemoryFileSystem({ device: 1, store, now: clock.now });
  const { vfs, subject } = surroundings(fileSystem, { now: clock.now });
  for (const path of startFolders) vfs.mkdir({ ...subject, umask: 0 }, path, 0o777);
  return { fileSystem, store, clock };
}

fileSystemContract('tmpfs', { make: tmpfs, initial: [] });

const long = 'x'.repeat(9000);
const file = (path: string, bytes: string, mode = 0o644): Operation => ({
  do: 'open',
  path,
  flags: O.WRONLY | O.CREAT,
  mode,
  offset: 0,
  bytes: Buffer.from(bytes),
  size: undefined,
});
const initial: readonly Operation[] = [
  { do: 'mkdir', path: 'a', mode: 0o755 },
  { do: 'mkdir', path: 'a/b', mode: 0o755 },
  file('a/c', long),
  { do: 'link', path: 'a/c', to: 'a/d' },
  file('a/b/a', 'short'),
  file('a/b/b', ''),
  { do: 'symlink', path: 'a/b', to: 'b' },
  { do: 'mkdir', path: 'c', mode: 0o755 },
  file('c/b', 'second layer'),
];
/** The same by two layers, with whiteouts. */
const image = treeOfLayers([
  {
    name: 'base',
    archive: tar(
      ...folders,
      { name: `${start}/a`, type: '5' },
      { name: `${start}/a/b`, type: '5' },
      { name: `${start}/a/c`, contents: long },
      { name: `${start}/a/d`, type: '1', link: `${start}/a/c` },
      { name: `${start}/a/b/a`, contents: 'longer than short' },
      { name: `${start}/a/b/b` },
      { name: `${start}/c`, type: '5' },
      { name: `${start}/c/a`, contents: 'hidden' },
      { name: `${start}/d`, contents: 'removed' },
    ),
  },
  {
    name: 'above',
    archive: tar(
      { name: `${start}/b`, type: '2', link: 'a/b' },
      { name: `${start}/c/b`, contents: 'second layer' },
      { name: `${start}/c/.wh..wh..opq` },
      { name: `${start}/.wh.d` },
      pax({ path: `${start}/a/b/a` }),
      { name: 'whatever', contents: 'short' },
    ),
  },
]);

function overlay(): FileSystemUnderTest {
  const store = new FileStore(2 * 1024 * 1024);
  const clock = new Clock();
  return { fileSystem: new MemoryFileSystem({ device: 2, store, now: clock.now, image }), store, clock };
}

fileSystemContract('overlay', { make: overlay, initial });
