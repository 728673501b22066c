/**
 * What every writable file system has to keep: one suite, called with a way
 * to build it. The judge is the machine's own file system, where it is Linux'.
 */
import fc from 'fast-check';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileStore } from '../../engine/models/container/fsimpl/file-store';
import { O } from '../../engine/models/container/vfs/constants';
import type { FileSystem } from '../../engine/models/container/vfs/file-system';
import { restoreLocation, saveLocation } from '../../engine/models/container/vfs/saved-location';
import { StateError } from '../../engine/snapshot/errors';
import {
  contentsOf,
  errnoOf,
  HostPerformer,
  hostTree,
  narrow,
  type Operation,
  operation,
  type Performer,
  surroundings,
  VirtualPerformer,
  virtualTree,
} from '../models/container/vfs/operations';
import { describeWith } from '../requirement';

export interface FileSystemUnderTest {
  readonly fileSystem: FileSystem;
  readonly store: FileStore;
  readonly clock: Clock;
}

/** Moves on whenever it is asked. */
export class Clock {
  time = 1_000_000_000n;
  readonly now = (): bigint => this.time++;
}

export interface FileSystemCase {
  /** A new one, the same at every call. */
  make(): FileSystemUnderTest;
  /** What makes an empty directory equal to what is below `start` at first. */
  readonly initial: readonly Operation[];
}

/** Where the operations happen, so that `..` has somewhere to climb. */
export const start = 'n/n/n/n/n/root';

/** As the files of `start`'s path are made: part of every case's first contents, with mode 0o777. */
export const startFolders = start.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));

const operations = fc.array(operation, { minLength: 1, maxLength: 40 });

/** A task at `start`. */
function at(
  { fileSystem, clock }: FileSystemUnderTest,
  user = { uid: 0, gid: 0, groups: [] as number[] },
): VirtualPerformer {
  const { vfs, subject } = surroundings(fileSystem, { ...user, now: clock.now });
  return new VirtualPerformer(vfs, { ...subject, cwd: vfs.resolve(subject, start) }, `/${start}`);
}

/** What was committed of each store, page by page. */
const committed = new WeakMap<FileStore, Map<number, Uint8Array>>();

/** Another one in the state of the first, as another worker would have it: by committed pages and saved bytes. */
function moved(from: FileSystemUnderTest, make: FileSystemCase['make']): FileSystemUnderTest {
  const to = make();
  const pages = new Map(committed.get(from.store));
  for (const page of from.store.dirty()) pages.set(page, from.store.read(page).slice());
  from.store.clean();
  committed.set(from.store, pages).set(to.store, pages);
  for (const [page, bytes] of pages) to.store.load(page, bytes);
  const state = from.fileSystem.save();
  to.store.forget();
  to.fileSystem.restore(state);
  to.clock.time = from.clock.time;
  return to;
}

const pagesOf = (store: FileStore): string[] =>
  store.dirty().map((page) => `${page} ${Buffer.from(store.read(page)).toString('base64')}`);

export function fileSystemContract(name: string, { make, initial }: FileSystemCase): void {
  const linux = { missing: process.platform === 'linux' ? undefined : 'the judge is Linux' };
  const root = { missing: process.getuid?.() === 0 ? undefined : 'becoming another user takes root' };

  describe(`${name} keeps the contract of a writable file system`, () => {
    describeWith([linux], 'as the host does', () => {
      it('gives the same errors, contents and tree', () => {
        const [uid, gid] = [process.geteuid!(), process.getegid!()];
        againstHost({ uid, gid, groups: process.getgroups!() }, (action) => action());
      });
    });

    describeWith([linux, root], 'as the host does', () => {
      it('gives the same errors, contents and tree to a user without privileges', () => {
        const nobody = { uid: 65534, gid: 65534, groups: process.getgroups!() };
        againstHost(nobody, (action) => {
          process.setegid!(nobody.gid);
          process.seteuid!(nobody.uid);
          try {
            return action();
          } finally {
            process.seteuid!(0);
            process.setegid!(0);
          }
        });
      });
    });

    function againstHost(
      user: { uid: number; gid: number; groups: number[] },
      as: <T>(action: () => T) => T,
    ): void {
      const mask = process.umask(0o022);
      const base = fs.mkdtempSync(join(tmpdir(), 'file-system-'));
      let run = 0;
      try {
        fs.chmodSync(base, 0o777);
        fc.assert(
          fc.property(operations, (sequence) => {
            const top = join(base, String(run++));
            const folder = join(top, start);
            fs.mkdirSync(folder, { recursive: true });
            for (const path of ['.', ...startFolders]) {
              fs.chmodSync(join(top, path), 0o777);
              fs.chownSync(join(top, path), user.uid, user.gid);
            }
            const host = new HostPerformer(folder);
            for (const first of initial) as(() => expect(host.perform(first)).toMatch(/^(done|written)$/));
            const subject = make();
            if (user.uid !== 0) giveAway(subject.fileSystem, user.uid, user.gid);
            const ours = at(subject, user);
            for (const step of sequence) {
              const expected = as(() => host.perform(step));
              expect({ step, outcome: ours.perform(step) }).toEqual({ step, outcome: expected });
            }
            expect(virtualTree(subject.fileSystem.root.lookup('n')!)).toEqual(hostTree(join(top, 'n')));
            fs.rmSync(top, { recursive: true });
          }),
          { numRuns: 150 },
        );
      } finally {
        process.umask(mask);
        fs.rmSync(base, { recursive: true, force: true });
      }
    }

    it('is the same file system wherever it was saved and restored on the way', () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(operation, fc.nat(3)), { maxLength: 40 }), (sequence) => {
          const undisturbed = make();
          let carried = make();
          for (const [step, move] of sequence) {
            if (move === 0) carried = moved(carried, make);
            expect(at(carried).perform(step)).toBe(at(undisturbed).perform(step));
          }
          expect(Buffer.from(carried.fileSystem.save())).toEqual(Buffer.from(undisturbed.fileSystem.save()));
          expect(virtualTree(carried.fileSystem.root)).toEqual(virtualTree(undisturbed.fileSystem.root));
          expect(carried.fileSystem.statfs()).toEqual(undisturbed.fileSystem.statfs());
          expect(carried.store.used).toBe(undisturbed.store.used);
        }),
        { numRuns: 100 },
      );
    });

    it('saves equal states as equal bytes, and reads its own bytes only', () => {
      fc.assert(
        fc.property(operations, fc.nat(), (sequence, cut) => {
          const one = make();
          const two = make();
          const performers: Performer[] = [at(one), at(two)];
          for (const step of sequence) for (const performer of performers) performer.perform(step);
          const saved = one.fileSystem.save();
          expect(Buffer.from(two.fileSystem.save())).toEqual(Buffer.from(saved));
          expect(pagesOf(two.store)).toEqual(pagesOf(one.store));
          const short = saved.subarray(0, cut % saved.length);
          expect(() => make().fileSystem.restore(short)).toThrow(StateError);
        }),
        { numRuns: 50 },
      );
    });

    it('refuses damaged states by a StateError, or takes them as they are', () => {
      const change = fc.tuple(fc.nat(), fc.nat(255));
      fc.assert(
        fc.property(operations, fc.array(change, { minLength: 1, maxLength: 3 }), (sequence, changes) => {
          const subject = make();
          for (const step of sequence) at(subject).perform(step);
          const state = subject.fileSystem.save().slice();
          for (const [offset, value] of changes) state[offset % state.length] = value;
          const other = make();
          other.store.forget();
          try {
            other.fileSystem.restore(state);
          } catch (error) {
            expect(error).toBeInstanceOf(StateError);
            return;
          }
          expect(Buffer.compare(other.fileSystem.save(), state)).toBe(0);
        }),
        { numRuns: 100 },
      );
    });

    it('holds contents as plain memory would', () => {
      const offset = fc.constantFrom(0, 1, 100, 4095, 4096, 4097, 8192, 10000);
      const length = fc.constantFrom(0, 1, 50, 4096, 6000);
      const action = fc.record({
        kind: fc.constantFrom('write', 'truncate', 'append'),
        offset,
        length,
        value: fc.nat(255),
      });
      fc.assert(
        fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
          const subject = make();
          const { vfs, subject: task } = at(subject);
          const file = narrow(vfs.open(task, 'contents', O.RDWR | O.CREAT, 0o600));
          let model = new Uint8Array(0);
          const grow = (size: number): void => {
            const larger = new Uint8Array(Math.max(size, model.length));
            larger.set(model);
            model = larger;
          };
          for (const { kind, offset: from, length: count, value } of actions) {
            const bytes = new Uint8Array(count).fill(value);
            if (kind === 'truncate') {
              file.truncate(from);
              grow(from);
              model = model.slice(0, from);
            } else {
              file.flags = kind === 'append' ? file.flags | O.APPEND : file.flags & ~O.APPEND;
              const target = kind === 'append' ? model.length : from;
              file.seek(from, 0);
              expect(file.write(bytes)).toBe(count);
              if (count > 0) grow(target + count);
              model.set(bytes, count > 0 ? target : 0);
              if (count > 0) expect(file.offset).toBe(target + count);
            }
            expect(Buffer.compare(contentsOf(file.inode), model)).toBe(0);
          }
          file.close();
          vfs.unlink(task, 'contents');
          expect(subject.store.used).toBe(make().store.used);
        }),
        { numRuns: 100 },
      );
    });

    it('keeps an open file that has no name left, over save and restore too', () => {
      const first = make();
      const { vfs, subject } = at(first);
      const file = narrow(vfs.open(subject, 'gone', O.RDWR | O.CREAT, 0o600));
      file.write(new Uint8Array([1, 2, 3]));
      vfs.unlink(subject, 'gone');
      expect(errnoOf(() => vfs.resolve(subject, 'gone'))).toBe('ENOENT');
      expect(vfs.pathOf(file.location, subject.root)).toEqual({
        path: `/${start}/gone`,
        exists: false,
        reachable: true,
      });

      const second = moved(first, make);
      const there = at(second);
      const again = narrow(
        there.vfs.reopen(
          restoreLocation(there.vfs.namespace, saveLocation(file.location)),
          file.flags,
          file.offset,
        ),
      );
      second.fileSystem.dropUnreferenced();
      again.write(new Uint8Array([4]));
      expect([...contentsOf(again.inode)]).toEqual([1, 2, 3, 4]);
      for (const each of [file, again]) each.close();
      const unused = make().store.used;
      expect([first.store.used, second.store.used]).toEqual([unused, unused]);
    });

    it('lists each name once, whatever is removed and added meanwhile', () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 }), (count, chunk) => {
          const { vfs, subject } = at(make());
          vfs.mkdir(subject, 'many', 0o700);
          const names = Array.from({ length: count }, (_, index) => `many/${index}`);
          for (const path of names) vfs.mkdir(subject, path, 0o700);
          const directory = narrow(vfs.open(subject, 'many', O.RDONLY));
          const listed: string[] = [];
          for (let more = true; more;) {
            const piece: string[] = [];
            directory.getdents((entry) => piece.length < chunk && piece.push(entry.name) > 0);
            more = piece.length > 0;
            for (const entry of piece) {
              listed.push(entry);
              if (entry.startsWith('.')) continue;
              vfs.rmdir(subject, `many/${entry}`);
              if (!entry.startsWith('new')) continue;
              vfs.mkdir(subject, `many/later`, 0o700);
              vfs.rmdir(subject, 'many/later');
            }
          }
          expect(listed.sort()).toEqual(['.', '..', ...names.map((path) => path.slice(5))].sort());
          vfs.rmdir(subject, 'many');
        }),
        { numRuns: 30 },
      );
    });

    it('runs out of space with ENOSPC, loses nothing by it, and has the space back', () => {
      const subject = make();
      const { vfs, subject: task } = at(subject);
      const before = subject.store.used;
      const file = narrow(vfs.open(task, 'large', O.RDWR | O.CREAT, 0o600));
      const piece = new Uint8Array(100_000).fill(7);
      let total = 0;
      expect(
        errnoOf(() => {
          for (;;) total += file.write(piece) as number;
        }),
      ).toBe('ENOSPC');
      expect(vfs.statfs(file.location).blocksFree).toBe(0);
      expect(file.stat().size).toBe(total);
      expect(total % 4096).toBe(0);
      expect(contentsOf(file.inode).every((byte) => byte === 7)).toBe(true);
      file.truncate(0);
      expect(file.pwrite(piece, 0)).toBe(piece.length);
      file.close();
      vfs.unlink(task, 'large');
      expect(subject.store.used).toBe(before);
    });
  });
}

/** All files to one user, as if it had made them. */
function giveAway(fileSystem: FileSystem, uid: number, gid: number): void {
  const walk = (inode: FileSystem['root']): void => {
    inode.change({ uid, gid });
    if ((inode.mode & 0o170000) !== 0o040000) return;
    for (const { name } of [...inode.entries(0)]) walk(inode.lookup(name)!);
  };
  walk(fileSystem.root);
}
