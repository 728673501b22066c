import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { type ArchiveEntry, writeArchive } from '../../scripts/images/cpio';
import { describeWith, program } from '../requirement';

interface Read {
  path: string;
  mode: number;
  content: Uint8Array;
  device: [number, number];
  mtime: number;
}

/** An own reader of the format, as the kernel's init/initramfs.c reads it. */
function readArchive(archive: Uint8Array): Read[] {
  const text = (from: number, to: number): string => Buffer.from(archive.subarray(from, to)).toString();
  const align = (offset: number): number => (offset + 3) & ~3;
  const entries: Read[] = [];
  let offset = 0;
  for (;;) {
    expect(text(offset, offset + 6)).toBe('070701');
    const header = text(offset, offset + 110);
    const field = (index: number): number => parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
    const nameStart = offset + 110;
    const path = text(nameStart, nameStart + field(11) - 1);
    expect(archive[nameStart + field(11) - 1]).toBe(0);
    const start = align(nameStart + field(11));
    const content = archive.subarray(start, start + field(6));
    offset = align(start + field(6));
    if (path === 'TRAILER!!!') break;
    entries.push({ path, mode: field(1), content, device: [field(9), field(10)], mtime: field(5) });
  }
  expect(offset).toBe(archive.length);
  return entries;
}

const name = fc.stringMatching(/^[a-z0-9[._é-]{1,12}$/).filter((text) => text !== '.' && text !== '..');
const leaf = (path: string): fc.Arbitrary<ArchiveEntry> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('file' as const),
      path: fc.constant(path),
      content: fc.uint8Array({ maxLength: 50 }),
      mode: fc.constantFrom(0o644, 0o755, 0o4755),
    }),
    fc.record({ kind: fc.constant('link' as const), path: fc.constant(path), target: name }),
    fc.record({
      kind: fc.constant('character device' as const),
      path: fc.constant(path),
      major: fc.nat(255),
      minor: fc.nat(255),
    }),
  );
const tree = fc
  .dictionary(name, fc.uniqueArray(name, { maxLength: 4 }), { maxKeys: 5, noNullPrototype: true })
  .chain((folders) => {
    const directories = Object.keys(folders).map((path) => ({ kind: 'directory', path }) as const);
    const leaves = Object.entries(folders).flatMap(([folder, names]) =>
      names.map((each) => `${folder}/${each}`),
    );
    return fc.tuple(...leaves.map(leaf)).map((entries): ArchiveEntry[] => [...entries, ...directories]);
  });

/** inode(7): the file type in the upper bits of the mode. */
const types: Record<ArchiveEntry['kind'], number> = {
  directory: 0o04,
  file: 0o10,
  link: 0o12,
  'character device': 0o02,
};

test('what is written is read back: kind, permissions, content, device, time 0', () => {
  fc.assert(
    fc.property(tree, (entries) => {
      const read = new Map(readArchive(writeArchive(entries)).map((entry) => [entry.path, entry]));
      expect(read.size).toBe(entries.length);
      for (const entry of entries) {
        const found = read.get(entry.path);
        expect((found?.mode ?? 0) >> 12).toBe(types[entry.kind]);
        expect(found?.mtime).toBe(0);
        if (entry.kind === 'file') {
          expect(Buffer.from(found?.content ?? [])).toEqual(Buffer.from(entry.content));
          expect((found?.mode ?? 0) & 0o7777).toBe(entry.mode);
        }
        if (entry.kind === 'link') expect(Buffer.from(found?.content ?? []).toString()).toBe(entry.target);
        if (entry.kind === 'character device') expect(found?.device).toEqual([entry.major, entry.minor]);
      }
    }),
  );
});

test('the order of the entries does not change the bytes, and a directory precedes what is in it', () => {
  fc.assert(
    fc.property(tree, fc.infiniteStream(fc.nat()), (entries, keys) => {
      const shuffled = entries
        .map((entry) => ({ entry, key: keys.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ entry }) => entry);
      const archive = writeArchive(shuffled);
      expect(Buffer.from(archive).equals(Buffer.from(writeArchive(entries)))).toBe(true);
      const paths = readArchive(archive).map(({ path }) => path);
      for (const path of paths) {
        const slash = path.lastIndexOf('/');
        if (slash > 0) expect(paths.indexOf(path.slice(0, slash))).toBeLessThan(paths.indexOf(path));
      }
    }),
  );
});

test.each([
  ['absolute', [{ kind: 'link', path: '/bin', target: 'x' }], /must be relative/],
  ['twice', ['a', 'a'].map((path) => ({ kind: 'directory', path })), /given twice/],
  ['no directory', [{ kind: 'link', path: 'a/b', target: 'x' }], /needs an entry for its directory/],
] as [string, ArchiveEntry[], RegExp][])('a wrong path is refused: %s', (_name, entries, message) => {
  expect(() => writeArchive(entries)).toThrow(message);
});

describeWith([program('cpio', 'cpio')], 'GNU cpio', () => {
  test('lists the same paths', () => {
    fc.assert(
      fc.property(tree, (entries) => {
        const listed = execFileSync('cpio', ['-t', '--quiet', '--null'], {
          input: writeArchive(entries),
          encoding: 'utf8',
          env: { ...process.env, LC_ALL: 'C.UTF-8' },
        });
        const paths = listed.split('\0').filter((path) => path !== '');
        expect(paths.sort()).toEqual(entries.map(({ path }) => path).sort());
      }),
      { numRuns: 15 },
    );
  });
});
