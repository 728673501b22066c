import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileStore } from '../../../../engine/models/container/fsimpl/file-store';
import { treeOfLayers } from '../../../../engine/models/container/fsimpl/image/layers';
import { MemoryFileSystem } from '../../../../engine/models/container/fsimpl/memory/file-system';
import { makeDevice, O, S } from '../../../../engine/models/container/vfs/constants';
import { fromText } from '../../../../engine/models/container/vfs/name';
import { ImageError } from '../../../../engine/models/image-error';
import { describeWith, program } from '../../../requirement';
import { contentsOf, errnoOf, hostTree, narrow, surroundings, virtualTree } from './operations';
import { pax, tar, tarEntry, type TarEntry } from './tar';

const readOnly = (...archives: readonly Uint8Array[]): MemoryFileSystem =>
  new MemoryFileSystem({
    device: 1,
    store: new FileStore(4096),
    now: () => 0n,
    image: treeOfLayers(archives.map((archive, index) => ({ name: `layer${index}.tar`, archive }))),
    readOnly: true,
  });

/** Paths of an image with types, links and contents. */
function listing(...layers: readonly (readonly TarEntry[])[]): string[] {
  const fileSystem = readOnly(...layers.map((layer) => tar(...layer)));
  return virtualTree(fileSystem.root)
    .slice(1)
    .map((line) => line.slice(2).replace(/ #\d+/, ''));
}

const text = (path: string, ...archives: readonly Uint8Array[]): string => {
  const { vfs, subject } = surroundings(readOnly(...archives));
  return Buffer.from(contentsOf(vfs.resolve(subject, path).inode)).toString();
};

describe('images of tar layers', () => {
  describeWith([program('tar', 'tar')], 'as GNU tar writes them', () => {
    it.each(['ustar', 'gnu', 'posix', 'v7'])('reads the format %s', (format) => {
      const folder = fs.mkdtempSync(join(tmpdir(), 'image-'));
      try {
        const deep = format === 'v7' ? 'deep' : `${'d'.repeat(70)}/${'e'.repeat(70)}`;
        fs.mkdirSync(join(folder, 'root', deep), { recursive: true });
        const long = format === 'gnu' || format === 'posix' ? 'f'.repeat(200) : 'f'.repeat(20);
        fs.writeFileSync(join(folder, 'root', deep, long), 'deep');
        fs.writeFileSync(join(folder, 'root', 'ümläut'), Buffer.alloc(1000, 'u'));
        fs.linkSync(join(folder, 'root', 'ümläut'), join(folder, 'root', 'zwilling'));
        fs.symlinkSync('zwilling', join(folder, 'root', 'link'));
        fs.chmodSync(join(folder, 'root', 'zwilling'), 0o4711);
        fs.utimesSync(join(folder, 'root', 'zwilling'), 1234567890, 1234567890);
        execFileSync('tar', [
          '--format',
          format,
          '-cf',
          join(folder, 'a.tar'),
          '-C',
          join(folder, 'root'),
          '.',
        ]);
        const fileSystem = readOnly(fs.readFileSync(join(folder, 'a.tar')));
        const expected = hostTree(join(folder, 'root')).map(fromText).sort();
        expect(virtualTree(fileSystem.root).sort()).toEqual(expected);
        expect(fileSystem.root.lookup('zwilling')!.stat()).toMatchObject({
          mtime: 1234567890_000000000n,
          uid: process.getuid!(),
          gid: process.getgid!(),
        });
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    });
  });

  it('keeps contents as views into the archive', () => {
    const archive = tar({ name: 'a', contents: 'hello' });
    const tree = treeOfLayers([{ name: 'one', archive }]);
    const node = tree.node(tree.node(tree.root)!.entries.get('a')!)!;
    expect(node.contents.buffer).toBe(archive.buffer);
  });

  it('takes what pax headers say, for one entry or for all', () => {
    const archive = tar(
      pax({ uid: '70000', mtime: '1.5' }, 'g'),
      pax({ path: 'real', gid: '3000000', mtime: '-2.25' }),
      { name: 'not this', uid: 1, gid: 2, contents: 'x' },
      { name: 'second' },
    );
    const { root } = readOnly(archive);
    expect(root.lookup('real')!.stat()).toMatchObject({ uid: 70000, gid: 3000000, mtime: -2_250_000_000n });
    expect(root.lookup('second')!.stat()).toMatchObject({ uid: 70000, gid: 0, mtime: 1_500_000_000n });
  });

  it('knows devices, FIFOs and directories that only a slash marks', () => {
    const { root } = readOnly(
      tar(
        { name: 'null', type: '3', mode: 0o666, major: 1, minor: 3 },
        { name: 'disk', type: '4', major: 259, minor: 300 },
        { name: 'pipe', type: '6' },
        { name: 'old/', magic: '' },
      ),
    );
    expect(root.lookup('null')!.stat()).toMatchObject({ mode: S.IFCHR | 0o666, rdev: makeDevice(1, 3) });
    expect(root.lookup('disk')!.stat()).toMatchObject({ rdev: makeDevice(259, 300) });
    expect(root.lookup('pipe')!.mode & S.IFMT).toBe(S.IFIFO);
    expect(root.lookup('old')!.mode & S.IFMT).toBe(S.IFDIR);
  });

  describe('layers (OCI image-spec, layer.md)', () => {
    const base: TarEntry[] = [
      { name: 'a/b/one', contents: '1' },
      { name: 'a/b/two', contents: '2' },
      { name: 'a/c', contents: '3' },
    ];
    it('lays later ones over earlier ones', () => {
      expect(text('a/c', tar(...base), tar({ name: 'a/c', contents: 'new' }))).toBe('new');
    });
    it('removes by a whiteout, files and directories', () => {
      expect(listing(base, [{ name: 'a/.wh.c' }]).map((line) => line.split(' ')[0])).toEqual([
        'a',
        'a/b',
        'a/b/one',
        'a/b/two',
      ]);
      expect(listing(base, [{ name: 'a/.wh.b' }]).map((line) => line.split(' ')[0])).toEqual(['a', 'a/c']);
    });
    it.each([
      ['before', [{ name: 'a/.wh..wh..opq' }, { name: 'a/b/new' }]],
      ['after', [{ name: 'a/b/new' }, { name: 'a/.wh..wh..opq' }]],
    ])('hides only what lies below by an opaque mark %s the entries', (_, layer) => {
      expect(listing(base, layer).map((line) => line.split(' ')[0])).toEqual(['a', 'a/b', 'a/b/new']);
    });
    it('a whiteout beside an entry of the same layer leaves the entry', () => {
      expect(text('a/c', tar(...base), tar({ name: 'a/c', contents: 'kept' }, { name: 'a/.wh.c' }))).toBe(
        'kept',
      );
    });
    it('replaces a directory by a file, and a file by a directory', () => {
      expect(listing(base, [{ name: 'a', contents: 'file' }])).toEqual([
        expect.stringMatching(/^a 100644 1 4/),
      ]);
      expect(listing(base, [{ name: 'a/c', type: '5' }, { name: 'a/c/d' }])).toContain('a/c/d 100644 1 0 0:');
    });
    it('keeps what is in a directory that comes again with another mode', () => {
      const [line, ...rest] = listing(base, [{ name: 'a', type: '5', mode: 0o700 }]);
      expect(line).toBe('a 40700');
      expect(rest).toHaveLength(4);
    });
  });

  describe('hostile archives', () => {
    const refused: [string, Uint8Array, RegExp][] = [
      ['a path that climbs', tar({ name: '../../etc/passwd' }), /entry "\.\.\/\.\.\/etc\/passwd".*climbs/],
      ['a path that climbs in the middle', tar({ name: 'a/../../b' }), /climbs/],
      ['a whiteout that climbs', tar({ name: '../.wh.x' }), /climbs/],
      ['a hard link that climbs', tar({ name: 'x', type: '1', link: '../../etc/shadow' }), /target.*climbs/],
      ['a hard link to nothing', tar({ name: 'x', type: '1', link: 'y' }), /entry "x".*hard link to "y"/],
      [
        'hard links in a circle',
        tar({ name: 'x', type: '1', link: 'y' }, { name: 'y', type: '1', link: 'x' }),
        /hard link/,
      ],
      ['a hard link to itself', tar({ name: 'x', type: '1', link: 'x' }), /hard link/],
      [
        'a hard link to a directory',
        tar({ name: 'd', type: '5' }, { name: 'x', type: '1', link: 'd' }),
        /directory/,
      ],
      ['a hard link to the root', tar({ name: 'x', type: '1', link: '/' }), /hard link/],
      [
        'a path through a loop',
        tar({ name: 'a', type: '2', link: 'b' }, { name: 'b', type: '2', link: 'a' }, { name: 'a/x' }),
        /entry "a\/x".*loop/,
      ],
      ['a path through a file', tar({ name: 'a' }, { name: 'a/x' }), /entry "a\/x".*no directory/],
      ['a name that is too long', tar(pax({ path: 'n'.repeat(256) }), { name: 'x' }), /too long/],
      ['a path that is too long', tar(pax({ path: 'n/'.repeat(2100) }), { name: 'x' }), /too long/],
      ['a very deep tree', tar(pax({ path: 'n/'.repeat(600) }), { name: 'x' }), /directories/],
      ['a link without target', tar({ name: 'x', type: '2' }), /target/],
      ['contents past the end', tarEntry({ name: 'x', claimedSize: 5000 }), /entry "x".*cut short/],
      ['an enormous size', tar(pax({ size: '9007199254740991' }), { name: 'x' }), /entry "x".*cut short/],
      ['a size that is no number', tar(pax({ size: '1e9' }), { name: 'x' }), /size/],
      ['no end mark', tarEntry({ name: 'x' }), /end mark/],
      ['nothing at all', new Uint8Array(0), /end mark/],
      ['gzip', new Uint8Array([0x1f, 0x8b, 8, 0]), /gzip/],
      ['another format', new Uint8Array(1024).fill(65), /no tar header/],
      [
        'a malformed pax header',
        tar({ name: 'p', type: 'x', contents: '99 path=a\n' }, { name: 'x' }),
        /pax/,
      ],
      ['a sparse file', tar({ name: 'x', type: 'S' }), /type "S"/],
      ['an id beyond 32 bits', tar(pax({ uid: '4294967296' }), { name: 'x' }), /uid/],
      ['a file as the root', tar({ name: './', type: '2', link: 'x' }), /root/],
    ];
    it.each(refused)('refuses %s, naming the entry', (_, archive, message) => {
      const attempt = (): unknown => treeOfLayers([{ name: 'hostile.tar', archive }]);
      expect(attempt).toThrow(ImageError);
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(/hostile\.tar/);
    });

    it('keeps absolute paths and links that climb inside', () => {
      const archive = tar(
        { name: '/etc/passwd', contents: 'mine' },
        { name: 'up', type: '2', link: '../../../../etc' },
        { name: 'root', type: '2', link: '/' },
        { name: 'up/shadow', contents: 'confined' },
        { name: 'root/new', contents: 'also' },
        { name: 'x', type: '1', link: '/etc/passwd' },
      );
      expect(text('/etc/shadow', archive)).toBe('confined');
      expect(text('/new', archive)).toBe('also');
      expect(text('/up/../x', archive)).toBe('mine');
    });

    it('gives an ImageError or a sound tree, whatever the bytes', () => {
      const honest = tar(
        { name: 'd/e', type: '5' },
        pax({ path: 'd/file', mtime: '12.5' }),
        { name: 'f', contents: 'x'.repeat(700) },
        { name: 'd/hard', type: '1', link: 'd/file' },
        { name: 's', type: '2', link: 'd' },
        { name: 's/.wh.e' },
      );
      const change = fc.tuple(fc.nat(honest.length - 1), fc.nat(255));
      fc.assert(
        fc.property(
          fc.array(change, { maxLength: 4 }),
          fc.nat(honest.length),
          fc.boolean(),
          (changes, cut, mend) => {
            const archive = honest.slice(0, cut === 0 ? honest.length : cut);
            for (const [at, value] of changes) if (at < archive.length) archive[at] = value;
            if (mend) mendChecksums(archive);
            try {
              virtualTree(readOnly(archive).root);
            } catch (error) {
              expect(error).toBeInstanceOf(ImageError);
            }
          },
        ),
        { numRuns: 1000 },
      );
    });
  });

  it('cannot be changed where it is read-only', () => {
    const fileSystem = readOnly(tar({ name: 'd/f', contents: 'x' }, { name: 'e', type: '5' }));
    const { vfs, subject } = surroundings(fileSystem);
    const before = fileSystem.save();
    const attempts: (() => unknown)[] = [
      () => vfs.mkdir(subject, 'new', 0o755),
      () => vfs.symlink(subject, 'x', 'new'),
      () => vfs.open(subject, 'new', O.CREAT | O.WRONLY, 0o644),
      () => vfs.open(subject, 'd/f', O.WRONLY),
      () => vfs.open(subject, 'd/f', O.RDONLY | O.TRUNC),
      () => vfs.unlink(subject, 'd/f'),
      () => vfs.rmdir(subject, 'e'),
      () => vfs.rename(subject, 'e', 'g'),
      () => vfs.link(subject, vfs.resolve(subject, 'd/f'), 'g'),
      () => vfs.chmod(subject, vfs.resolve(subject, 'e'), 0o700),
      () => vfs.chown(subject, vfs.resolve(subject, 'e'), 1, 1),
      () => vfs.utimens(subject, vfs.resolve(subject, 'e'), 'now', 'now'),
      () => vfs.truncate(subject, vfs.resolve(subject, 'd/f'), 0),
    ];
    expect(attempts.map(errnoOf)).toEqual(attempts.map(() => 'EROFS'));
    expect(narrow(vfs.open(subject, 'd/f', O.RDONLY)).read(new Uint8Array(9))).toBe(1);
    expect(fileSystem.save()).toEqual(before);
  });
});

/** Makes all blocks that could be headers valid ones, so that mutations get past the checksum. */
function mendChecksums(archive: Uint8Array): void {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    const block = archive.subarray(at, at + 512);
    if (block.every((byte) => byte === 0)) continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  }
}
