import { FileStore } from '../../../../engine/models/container/fsimpl/file-store';
import { MemoryFileSystem } from '../../../../engine/models/container/fsimpl/memory/file-system';
import { ACCESS, makeDevice, MOUNT, O, RENAME, S } from '../../../../engine/models/container/vfs/constants';
import type { Location, Subject } from '../../../../engine/models/container/vfs/location';
import type { VirtualFileSystem } from '../../../../engine/models/container/vfs/virtual-file-system';
import { fromBytes, toBytes } from '../../../../engine/models/container/vfs/name';
import { errnoOf, narrow, surroundings } from './operations';

const store = new FileStore(1024 * 1024);
const memory = (device: number): MemoryFileSystem => new MemoryFileSystem({ device, store, now: () => 5n });

let vfs: VirtualFileSystem;
let subject: Subject;
beforeEach(() => {
  ({ vfs, subject } = surroundings(memory(1), { now: () => 77n }));
});

const make = (path: string, mode = 0o644): void =>
  narrow(vfs.open(subject, path, O.CREAT | O.WRONLY, mode)).close();
const at = (path: string, who = subject): Location => vfs.resolve(who, path);
const asUser = (uid: number, groups: number[] = [], gid = uid): Subject => ({
  ...subject,
  credentials: { uid, gid, groups },
});

describe('path resolution (path_resolution(7))', () => {
  it('cannot climb out of a changed root, by `..` or by links', () => {
    for (const path of ['secret', 'jail', 'jail/in']) vfs.mkdir(subject, path, 0o755);
    for (const [target, name] of [
      ['/secret', 'absolute'],
      ['../../../secret', 'climbing'],
      ['in/../../secret', 'through'],
    ] as const) {
      vfs.symlink(subject, target, `jail/${name}`);
    }
    const jailed: Subject = { ...subject, root: at('jail'), cwd: at('jail/in') };
    for (const path of [
      '/secret',
      '../../secret',
      '/absolute',
      '/climbing',
      '/through',
      '/../../secret',
      '../absolute/',
    ]) {
      expect(errnoOf(() => at(path, jailed))).toBe('ENOENT');
    }
    expect(at('../../..', jailed).inode.ino).toBe(at('jail').inode.ino);
    expect(at('jail/absolute').inode.ino).toBe(at('secret').inode.ino);
    expect(vfs.pathOf(jailed.cwd, jailed.root)).toEqual({ path: '/in', exists: true, reachable: true });
    expect(vfs.pathOf(at('secret'), jailed.root)).toEqual({
      path: '/secret',
      exists: true,
      reachable: false,
    });
  });

  it.each([
    [40, 'done'],
    [41, 'ELOOP'],
  ])('follows a chain of %i links: %s', (count, outcome) => {
    make('link0');
    for (let index = 1; index <= count; index++) vfs.symlink(subject, `link${index - 1}`, `link${index}`);
    expect(errnoOf(() => at(`link${count}`))).toBe(outcome);
    expect(errnoOf(() => vfs.open(subject, `link${count}`, O.CREAT | O.WRONLY, 0o600))).toBe(outcome);
  });

  it('gives up on links that lead to themselves', () => {
    vfs.symlink(subject, 'self', 'self');
    expect(errnoOf(() => at('self'))).toBe('ELOOP');
    expect(errnoOf(() => at('self/x'))).toBe('ELOOP');
    expect(errnoOf(() => vfs.resolve(subject, 'self', { follow: false }))).toBe('done');
  });

  it('keeps names as bytes', () => {
    const name = fromBytes(new Uint8Array([0xff, 0xfe, 0x0a, 0x80]));
    make(name);
    expect([...at('/').inode.entries(0)].map((entry) => [...toBytes(entry.name)])).toEqual([
      [0xff, 0xfe, 0x0a, 0x80],
    ]);
  });
});

describe('mounts', () => {
  const mounted = (): MemoryFileSystem => {
    const other = memory(2);
    vfs.mkdir(subject, 'mnt', 0o755);
    vfs.mkdir(subject, 'mnt/hidden', 0o755);
    vfs.namespace.mount(other, at('mnt'));
    return other;
  };

  it('cover what is below, and `..` leads out of them', () => {
    const other = mounted();
    expect(at('mnt').inode.fileSystem).toBe(other);
    expect(errnoOf(() => at('mnt/hidden'))).toBe('ENOENT');
    vfs.mkdir(subject, 'mnt/deep', 0o755);
    expect(at('mnt/deep/../..').inode.fileSystem).toBe(subject.root.inode.fileSystem);
    expect(vfs.pathOf(at('mnt/deep'), subject.root).path).toBe('/mnt/deep');
    vfs.namespace.unmount(at('mnt'));
    expect(errnoOf(() => at('mnt/hidden'))).toBe('done');
  });

  it('show the newest of several on one directory', () => {
    mounted();
    const third = memory(3);
    vfs.namespace.mount(third, at('mnt'));
    expect(at('mnt').inode.fileSystem).toBe(third);
    expect(at('mnt/..').inode.ino).toBe(subject.root.inode.ino);
    expect(vfs.pathOf(at('mnt'), subject.root).path).toBe('/mnt');
  });

  it('are borders for links and renames, and busy', () => {
    mounted();
    make('file');
    vfs.mkdir(subject, 'dir', 0o755);
    expect(errnoOf(() => vfs.rename(subject, 'file', 'mnt/file'))).toBe('EXDEV');
    expect(errnoOf(() => vfs.link(subject, at('file'), 'mnt/file'))).toBe('EXDEV');
    expect(errnoOf(() => vfs.rmdir(subject, 'mnt'))).toBe('EBUSY');
    expect(errnoOf(() => vfs.rename(subject, 'mnt', 'elsewhere'))).toBe('EBUSY');
    expect(errnoOf(() => vfs.rename(subject, 'dir', 'mnt'))).toBe('EBUSY');
    expect(errnoOf(() => vfs.namespace.unmount(at('dir')))).toBe('EINVAL');
  });

  it('show part of a file system, and that part only (bind mount)', () => {
    vfs.mkdir(subject, 'whole', 0o755);
    vfs.mkdir(subject, 'whole/part', 0o755);
    make('whole/part/file');
    vfs.mkdir(subject, 'view', 0o755);
    vfs.namespace.mount(subject.root.mount.fileSystem, at('view'), {
      root: at('whole/part').inode,
      flags: MOUNT.RDONLY,
    });
    expect(at('view/file').inode.ino).toBe(at('whole/part/file').inode.ino);
    expect(at('view/..').inode.ino).toBe(subject.root.inode.ino);
    expect(vfs.pathOf(at('view/file'), subject.root).path).toBe('/view/file');
    expect(errnoOf(() => vfs.open(subject, 'view/file', O.WRONLY))).toBe('EROFS');
    expect(errnoOf(() => vfs.open(subject, 'view/new', O.WRONLY | O.CREAT))).toBe('EROFS');
    expect(errnoOf(() => vfs.unlink(subject, 'view/file'))).toBe('EROFS');
    expect(errnoOf(() => vfs.access(subject, at('view/file'), ACCESS.WRITE))).toBe('EROFS');
    expect(errnoOf(() => vfs.open(subject, 'view/file', O.RDONLY))).toBe('done');
  });
});

describe('rights', () => {
  it('let root do all but execute what nobody may', () => {
    make('plain', 0);
    expect(errnoOf(() => vfs.access(subject, at('plain'), ACCESS.READ | ACCESS.WRITE))).toBe('done');
    expect(errnoOf(() => vfs.access(subject, at('plain'), ACCESS.EXECUTE))).toBe('EACCES');
  });

  it('go by the first class that fits: owner, group, others', () => {
    make('file');
    vfs.chown(subject, at('file'), 10, 20);
    vfs.chmod(subject, at('file'), 0o047);
    const may = (who: Subject, wanted: number): boolean =>
      errnoOf(() => vfs.access(who, at('file'), wanted)) === 'done';
    expect(may(asUser(10, [20]), ACCESS.READ)).toBe(false);
    expect([may(asUser(11, [20]), ACCESS.READ), may(asUser(11, [20]), ACCESS.WRITE)]).toEqual([true, false]);
    expect(may(asUser(11, [], 20), ACCESS.READ)).toBe(true);
    expect(may(asUser(11), ACCESS.READ | ACCESS.WRITE | ACCESS.EXECUTE)).toBe(true);
  });

  it('protect the files of others in a sticky directory', () => {
    vfs.mkdir({ ...subject, umask: 0 }, 'tmp', 0o1777);
    narrow(vfs.open(asUser(1), 'tmp/mine', O.CREAT | O.WRONLY, 0o666)).close();
    expect(errnoOf(() => vfs.unlink(asUser(2), 'tmp/mine'))).toBe('EPERM');
    expect(errnoOf(() => vfs.rename(asUser(2), 'tmp/mine', 'tmp/yours'))).toBe('EPERM');
    expect(errnoOf(() => vfs.unlink(asUser(1), 'tmp/mine'))).toBe('done');
  });

  it('chown and chmod as chown(2) and chmod(2) say', () => {
    make('file', 0o755);
    vfs.chown(subject, at('file'), 1, 1);
    vfs.chmod(asUser(1), at('file'), 0o6755);
    expect(at('file').inode.mode).toBe(S.IFREG | 0o6755);
    expect(errnoOf(() => vfs.chown(asUser(1), at('file'), 2, -1))).toBe('EPERM');
    expect(errnoOf(() => vfs.chown(asUser(1), at('file'), -1, 9))).toBe('EPERM');
    vfs.chown(asUser(1, [9]), at('file'), -1, 9);
    expect(at('file').inode).toMatchObject({ mode: S.IFREG | 0o755, uid: 1, gid: 9 });
    vfs.chmod(asUser(1), at('file'), 0o2755);
    expect(at('file').inode.mode & S.ISGID).toBe(0); // not its group
    expect(errnoOf(() => vfs.chmod(asUser(2), at('file'), 0o777))).toBe('EPERM');
  });

  it('pass the group of a set-group-ID directory on', () => {
    vfs.mkdir(subject, 'shared', 0o777);
    vfs.chown(subject, at('shared'), 0, 42);
    vfs.chmod(subject, at('shared'), 0o2777);
    vfs.mkdir(asUser(7), 'shared/below', 0o755);
    expect(at('shared/below').inode).toMatchObject({ uid: 7, gid: 42, mode: S.IFDIR | 0o2755 });
  });

  it('set times as utimensat(2) says', () => {
    make('file');
    vfs.utimens(subject, at('file'), 'omit', -1n);
    expect(at('file').inode.stat()).toMatchObject({ atime: 5n, mtime: -1n });
    vfs.utimens(subject, at('file'), 'now', 'omit');
    expect(at('file').inode.stat()).toMatchObject({ atime: 77n, mtime: -1n });
    expect(errnoOf(() => vfs.utimens(asUser(1), at('file'), 3n, 'now'))).toBe('EPERM');
    expect(errnoOf(() => vfs.utimens(asUser(1), at('file'), 'now', 'now'))).toBe('EACCES');
  });
});

describe('renameat2(2)', () => {
  it('exchanges, also directories with files', () => {
    make('file');
    vfs.mkdir(subject, 'a', 0o755);
    vfs.mkdir(subject, 'a/dir', 0o755);
    make('a/dir/inside');
    vfs.rename(subject, 'file', 'a/dir', RENAME.EXCHANGE);
    expect(at('file/inside').inode.mode & S.IFMT).toBe(S.IFREG);
    expect(at('file/..').inode.ino).toBe(subject.root.inode.ino);
    expect([at('a').inode.stat().nlink, at('/').inode.stat().nlink]).toEqual([2, 4]);
    expect(errnoOf(() => vfs.rename(subject, 'file', 'missing', RENAME.EXCHANGE))).toBe('ENOENT');
    expect(errnoOf(() => vfs.rename(subject, 'a', 'a/dir', RENAME.EXCHANGE))).toBe('EINVAL');
  });
  it('replaces nothing when told so', () => {
    make('one');
    make('two');
    expect(errnoOf(() => vfs.rename(subject, 'one', 'two', RENAME.NOREPLACE))).toBe('EEXIST');
    expect(errnoOf(() => vfs.rename(subject, 'one', 'three', RENAME.NOREPLACE))).toBe('done');
    expect(errnoOf(() => vfs.rename(subject, 'two', 'x', RENAME.NOREPLACE | RENAME.EXCHANGE))).toBe('EINVAL');
  });
});

describe('special files', () => {
  it('are opened by their drivers, not where devices are forbidden', () => {
    vfs.mknod(subject, 'dev', S.IFCHR | 0o666, makeDevice(9, 9));
    expect(errnoOf(() => vfs.open(subject, 'dev', O.RDONLY))).toBe('ENXIO');
    expect(errnoOf(() => vfs.mknod(asUser(1), 'dev2', S.IFCHR, 0))).toBe('EPERM');
    vfs.mkdir(subject, 'm', 0o755);
    vfs.namespace.mount(memory(3), at('m'), { flags: MOUNT.NODEV });
    vfs.mknod(subject, 'm/dev', S.IFCHR | 0o666, makeDevice(9, 9));
    expect(errnoOf(() => vfs.open(subject, 'm/dev', O.RDONLY))).toBe('EACCES');
  });
  it('O_PATH says where a file is and does nothing with it', () => {
    make('file', 0);
    vfs.symlink(subject, 'file', 'link');
    const file = narrow(vfs.open(asUser(1), 'link', O.PATH | O.NOFOLLOW));
    expect(file.stat().mode & S.IFMT).toBe(S.IFLNK);
    expect(errnoOf(() => file.read(new Uint8Array(1)))).toBe('EBADF');
    expect(errnoOf(() => vfs.open(asUser(1), 'file', O.RDONLY))).toBe('EACCES');
  });
});

describe('a working directory that is removed', () => {
  it('stays one in which nothing is found or made', () => {
    vfs.mkdir(subject, 'gone', 0o755);
    const inside: Subject = { ...subject, cwd: at('gone') };
    const directory = narrow(vfs.open(inside, '.', O.RDONLY | O.DIRECTORY));
    vfs.rmdir(subject, 'gone');
    expect(errnoOf(() => vfs.resolve(inside, 'x'))).toBe('ENOENT');
    expect(errnoOf(() => vfs.mkdir(inside, 'x', 0o755))).toBe('ENOENT');
    expect(errnoOf(() => vfs.open(inside, 'x', O.CREAT | O.WRONLY))).toBe('ENOENT');
    expect(at('..', inside).inode.ino).toBe(subject.root.inode.ino);
    expect(vfs.pathOf(inside.cwd, subject.root).exists).toBe(false);
    expect(errnoOf(() => directory.getdents(() => true))).toBe('ENOENT');
    directory.close();
    expect(errnoOf(() => inside.cwd.inode.stat())).toBe('ESTALE');
  });
});
