import { FileStore } from '../../../../engine/models/container/fsimpl/file-store';
import { addMemoryDevices } from '../../../../engine/models/container/fsimpl/devices/drivers';
import { addDeviceNodes } from '../../../../engine/models/container/fsimpl/devices/nodes';
import { MemoryFileSystem } from '../../../../engine/models/container/fsimpl/memory/file-system';
import { SeededRandom } from '../../../../engine/backends/random';
import { O, POLL, S } from '../../../../engine/models/container/vfs/constants';
import type { OpenFile } from '../../../../engine/models/container/vfs/open-file';
import { errnoOf, narrow, surroundings } from './operations';

const fileSystem = new MemoryFileSystem({
  type: 'devtmpfs',
  device: 5,
  store: new FileStore(4096),
  now: () => 0n,
});
addDeviceNodes(fileSystem);
const { vfs, subject, openers } = surroundings(fileSystem);
addMemoryDevices(openers, new SeededRandom(1));
const open = (name: string): OpenFile => narrow(vfs.open(subject, name, O.RDWR));
const filled = (): Uint8Array => new Uint8Array(8).fill(9);

describe('devices', () => {
  it('null: always at its end, takes everything', () => {
    expect([open('null').read(filled()), open('null').write(filled()), open('null').seek(99, 0)]).toEqual([
      0, 8, 0,
    ]);
    expect(open('null').poll()).toBe(POLL.IN | POLL.OUT);
  });
  it('zero: gives zeros without end', () => {
    const into = filled();
    expect(open('zero').read(into)).toBe(8);
    expect(into).toEqual(new Uint8Array(8));
  });
  it('full: gives zeros, takes nothing', () => {
    expect(open('full').read(filled())).toBe(8);
    expect(errnoOf(() => open('full').write(filled()))).toBe('ENOSPC');
  });
  it('random, urandom: from the source of randomness', () => {
    const expected = new Uint8Array(16);
    new SeededRandom(1).fill(expected);
    const found = new Uint8Array(16);
    open('random').read(found.subarray(0, 8));
    open('urandom').pread(found.subarray(8), 1000);
    expect(found).toEqual(expected);
  });
  it('has what programs look for', () => {
    expect([...fileSystem.root.entries(0)].map(({ name }) => name)).toEqual(
      expect.arrayContaining(['tty', 'console', 'fd', 'stdin', 'stdout', 'stderr', 'shm']),
    );
    expect(vfs.readlink(vfs.resolve(subject, 'stdin', { follow: false }))).toBe('/proc/self/fd/0');
    expect(vfs.resolve(subject, 'console').inode.mode).toBe(S.IFCHR | 0o600);
    expect(errnoOf(() => open('console'))).toBe('ENXIO'); // the kernel's driver is not there
  });
});
