/**
 * The archive format of an initramfs: cpio "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 *     header (110 ASCII bytes) | name, NUL | pad to 4 | content | pad to 4   ... one per entry, then "TRAILER!!!"
 *
 * The header is the magic 070701 and 13 fields of eight hexadecimal digits: inode, mode, uid, gid, nlink, mtime,
 * file size, device major and minor, rdev major and minor, name size (with the NUL), checksum.
 */

export type ArchiveEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'character device';
      readonly path: string;
      readonly major: number;
      readonly minor: number;
      readonly mode?: number;
    };

/** stat(2) file types, inode(7), and the permissions an entry has unless it says otherwise. */
const kinds = {
  directory: { type: 0o040000, permissions: 0o755 },
  file: { type: 0o100000, permissions: 0o644 },
  link: { type: 0o120000, permissions: 0o777 },
  'character device': { type: 0o020000, permissions: 0o600 },
} as const;

const magic = '070701';
const headerLength = 110;
const trailer = 'TRAILER!!!';

/**
 * Writes an archive. The same entries in any order give the same bytes: sorted by path, owned by root, time 0.
 *
 * @param entries paths are relative, without a leading slash; each parent directory is an entry of its own
 * @throws Error when a path is absolute, is given twice, or lacks its directory
 */
export function writeArchive(entries: readonly ArchiveEntry[]): Uint8Array {
  // By code unit, not by locale; a directory sorts before what is in it, as the kernel's unpacker needs.
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  checkPaths(sorted);
  const chunks: Uint8Array[] = [];
  sorted.forEach((entry, index) => {
    const { type, permissions } = kinds[entry.kind];
    const mode = type | ('mode' in entry && entry.mode !== undefined ? entry.mode : permissions);
    chunks.push(...record(entry.path, index + 1, mode, content(entry), device(entry)));
  });
  chunks.push(...record(trailer, 0, 0, new Uint8Array(0), [0, 0]));
  return Buffer.concat(chunks);
}

function checkPaths(sorted: readonly ArchiveEntry[]): void {
  const seen = new Map<string, ArchiveEntry['kind']>();
  for (const { path, kind } of sorted) {
    if (path === '' || path.startsWith('/') || path === trailer) {
      throw new Error(`archive path "${path}" must be relative and not empty`);
    }
    if (seen.has(path)) throw new Error(`archive path "${path}" is given twice`);
    const slash = path.lastIndexOf('/');
    if (slash >= 0 && seen.get(path.slice(0, slash)) !== 'directory') {
      throw new Error(`archive path "${path}" needs an entry for its directory`);
    }
    seen.set(path, kind);
  }
}

function content(entry: ArchiveEntry): Uint8Array {
  if (entry.kind === 'file') return entry.content;
  if (entry.kind === 'link') return Buffer.from(entry.target);
  return new Uint8Array(0);
}

function device(entry: ArchiveEntry): readonly [number, number] {
  return entry.kind === 'character device' ? [entry.major, entry.minor] : [0, 0];
}

function record(
  path: string,
  inode: number,
  mode: number,
  body: Uint8Array,
  [major, minor]: readonly [number, number],
): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, body.length, 0, 0, major, minor, name.length, 0];
  const header = magic + fields.map((field) => field.toString(16).padStart(8, '0').toUpperCase()).join('');
  return [Buffer.from(header), name, padding(headerLength + name.length), body, padding(body.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
