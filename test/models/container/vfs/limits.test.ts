import fc from 'fast-check';
import { FileStore } from '../../../../engine/models/container/fsimpl/file-store';
import { MemoryFileSystem } from '../../../../engine/models/container/fsimpl/memory/file-system';
import { O } from '../../../../engine/models/container/vfs/constants';
import { StateError } from '../../../../engine/snapshot/errors';
import { errnoOf, narrow, surroundings } from './operations';

describe('the pages of files', () => {
  it('go out lowest first, each to one owner, and come back as zeros', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(15)), { maxLength: 60 }), (steps) => {
        const store = new FileStore(8 * 4096);
        const owned = new Set<number>();
        for (const step of steps) {
          if (step === null) {
            const lowest = [0, 1, 2, 3, 4, 5, 6, 7].find((page) => !owned.has(page));
            if (lowest === undefined) {
              expect(errnoOf(() => store.allocate())).toBe('ENOSPC');
              continue;
            }
            expect(store.allocate()).toBe(lowest);
            expect(store.read(lowest).every((byte) => byte === 0)).toBe(true);
            store.writable(lowest).fill(lowest + 1);
            owned.add(lowest);
          } else if (owned.delete(step)) {
            store.free(step);
            expect(store.dirty()).toContain(step);
          }
          expect(store.used).toBe(owned.size);
          for (const page of owned) expect(store.read(page)[4095]).toBe(page + 1);
        }
      }),
    );
  });

  it('are dirty from a change to the next commit', () => {
    const store = new FileStore(4 * 4096);
    store.writable(store.allocate())[0] = 1;
    expect(store.dirty()).toEqual([0]);
    store.clean();
    expect(store.dirty()).toEqual([]);
    store.load(2, new Uint8Array(4096).fill(3));
    expect(store.dirty()).toEqual([]);
    expect(store.read(2)[0]).toBe(3);
    expect(() => store.load(4, new Uint8Array(4096))).toThrow(RangeError);
  });

  it('cannot be claimed twice, nor where there are none', () => {
    const store = new FileStore(2 * 4096);
    store.claim(1);
    expect(() => store.claim(1)).toThrow(StateError);
    expect(() => store.claim(2)).toThrow(StateError);
    expect(store.allocate()).toBe(0);
    expect(errnoOf(() => store.allocate())).toBe('ENOSPC');
  });

  it.each([0, -4096, 100, NaN, 2 ** 40])('refuses a size of %d', (size) => {
    expect(() => new FileStore(size)).toThrow(RangeError);
  });
});

describe('limits of a file system', () => {
  it('hold for it alone; the store has room for others', () => {
    const store = new FileStore(64 * 4096);
    const small = new MemoryFileSystem({ device: 1, store, now: () => 0n, limit: 2 * 4096 });
    const other = new MemoryFileSystem({ device: 2, store, now: () => 0n });
    const open = (fileSystem: MemoryFileSystem) => {
      const { vfs, subject } = surroundings(fileSystem);
      return narrow(vfs.open(subject, 'file', O.CREAT | O.WRONLY, 0o600));
    };
    const file = open(small);
    expect(file.write(new Uint8Array(9000))).toBe(8192);
    expect(errnoOf(() => file.write(new Uint8Array(1)))).toBe('ENOSPC');
    expect(small.statfs()).toMatchObject({ blocks: 2, blocksFree: 0 });
    expect(open(other).write(new Uint8Array(9000))).toBe(9000);
  });

  it('bound names and inodes too, and give them back', () => {
    const fileSystem = new MemoryFileSystem({
      device: 1,
      store: new FileStore(4096),
      now: () => 0n,
      metadataLimit: 16384,
    });
    const { vfs, subject } = surroundings(fileSystem);
    const fill = (): number => {
      let made = 0;
      expect(
        errnoOf(() => {
          for (;;) vfs.mkdir(subject, `directory${made++}`, 0o755);
        }),
      ).toBe('ENOSPC');
      return made;
    };
    const free = fileSystem.statfs().filesFree;
    const made = fill();
    expect(made).toBeLessThan(128);
    expect(errnoOf(() => vfs.symlink(subject, 'x'.repeat(4000), 'link'))).toBe('ENOSPC');
    for (let index = 0; index < made - 1; index++) vfs.rmdir(subject, `directory${index}`);
    expect(free - fileSystem.statfs().filesFree).toBeLessThanOrEqual(1); // the root's own node
    expect(fill()).toBe(made);
  });

  it('bound hard links', () => {
    const fileSystem = new MemoryFileSystem({ device: 1, store: new FileStore(4096), now: () => 0n });
    const { vfs, subject } = surroundings(fileSystem);
    narrow(vfs.open(subject, 'file', O.CREAT | O.WRONLY, 0o600)).close();
    const file = vfs.resolve(subject, 'file');
    expect(
      errnoOf(() => {
        for (let index = 0; ; index++) subject.root.inode.link(`link${index}`, file.inode);
      }),
    ).toBe('EMLINK');
    expect(file.inode.stat().nlink).toBe(65000);
  });
});
