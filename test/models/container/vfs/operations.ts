/** Operations on paths as data, and the file systems that they can be done on. */
import fc from 'fast-check';
import fs from 'node:fs';
import { isDirectory, isSymlink } from '../../../../engine/models/container/vfs/base-inode';
import { O, S } from '../../../../engine/models/container/vfs/constants';
import type { FileSystem } from '../../../../engine/models/container/vfs/file-system';
import type { Inode } from '../../../../engine/models/container/vfs/inode';
import type { Subject } from '../../../../engine/models/container/vfs/location';
import { MountNamespace } from '../../../../engine/models/container/vfs/namespace';
import {
  type OpenFile,
  WOULD_BLOCK,
  type WouldBlock,
} from '../../../../engine/models/container/vfs/open-file';
import type { Openers } from '../../../../engine/models/container/vfs/openers';
import { VirtualFileSystem } from '../../../../engine/models/container/vfs/virtual-file-system';
import { Errno } from '../../../../engine/models/container/errno';

export type Operation =
  | { readonly do: 'mkdir'; readonly path: string; readonly mode: number }
  | { readonly do: 'rmdir' | 'unlink' | 'stat' | 'lstat' | 'readlink' | 'list'; readonly path: string }
  | { readonly do: 'rename' | 'link' | 'symlink'; readonly path: string; readonly to: string }
  | { readonly do: 'chmod'; readonly path: string; readonly mode: number }
  | {
      readonly do: 'open';
      readonly path: string;
      readonly flags: number;
      readonly mode: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
      readonly size: number | undefined;
    };

/** What became of an operation: the name of its error, or what it found. */
export type Outcome = string;

export interface Performer {
  perform(operation: Operation): Outcome;
}

const name = fc.constantFrom('a', 'b', 'c', 'd');
const component = fc.oneof(
  { weight: 12, arbitrary: name },
  { weight: 1, arbitrary: fc.constantFrom('.', '..') },
);
const path = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
  },
  {
    weight: 2,
    arbitrary: fc.array(component, { minLength: 1, maxLength: 2 }).map((parts) => `${parts.join('//')}/`),
  },
  { weight: 1, arbitrary: fc.constantFrom('', `a/${'n'.repeat(256)}`, `a/${'b/'.repeat(2048)}`, '.', './') },
);
const target = fc.oneof(
  fc.array(component, { minLength: 1, maxLength: 2 }).map((parts) => parts.join('/')),
  fc.constantFrom('a/', '.', ''),
);
const mode = fc.constantFrom(0o755, 0o644, 0o700, 0o500, 0o1777, 0, 0o311, 0o222);
const flags = fc
  .record({
    access: fc.constantFrom(O.RDONLY, O.WRONLY, O.RDWR),
    create: fc.constantFrom(0, O.CREAT, O.CREAT | O.EXCL),
    truncate: fc.constantFrom(0, 0, O.TRUNC),
    append: fc.constantFrom(0, 0, O.APPEND),
    other: fc.constantFrom(0, 0, 0, O.NOFOLLOW, O.DIRECTORY),
  })
  // Whether O_CREAT and O_DIRECTORY go together depends on the kernel's version; open(2), "BUGS".
  .map(({ access, create, truncate, append, other }) =>
    create && other === O.DIRECTORY
      ? access | create | truncate
      : access | create | truncate | append | other,
  );

const open = (at: fc.Arbitrary<string>): fc.Arbitrary<Operation> =>
  fc.record({
    do: fc.constant('open' as const),
    path: at,
    flags,
    mode,
    offset: fc.constantFrom(0, 1, 4095, 4096, 9000),
    bytes: fc
      .uint8Array({ maxLength: 40 })
      .chain((piece) => fc.constantFrom(piece, new Uint8Array(5000).fill(piece.length))),
    size: fc.option(fc.constantFrom(0, 3, 4096, 5000, 12000), { nil: undefined, freq: 4 }),
  });

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mkdir' as const), path, mode }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('rmdir', 'unlink', 'stat', 'lstat', 'readlink', 'list'),
      path,
    }) as fc.Arbitrary<Operation>,
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('rename' as const, 'rename' as const, 'link' as const),
      path,
      to: path,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('symlink' as const), path: target, to: path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('chmod' as const), path, mode }) },
  { weight: 8, arbitrary: open(path) },
);

const hash = (bytes: Uint8Array): string =>
  `${bytes.length}:${Buffer.from(bytes).toString('base64').slice(0, 80)}`;

/** Type, permissions and, but for directories, links and size: those of directories are each file system's own. */
const attributes = (of: { mode: number; nlink: number; size: number }): string =>
  isDirectory(of) ? of.mode.toString(8) : `${of.mode.toString(8)} ${of.nlink} ${of.size}`;

/** The machine's own file system, below a folder. */
export class HostPerformer implements Performer {
  constructor(private readonly folder: string) {}

  perform(operation: Operation): Outcome {
    try {
      return this.attempt(operation);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }
  private at(path: string): string {
    return path === '' ? '' : `${this.folder}/${path}`;
  }
  private attempt(operation: Operation): Outcome {
    const path = this.at(operation.path);
    switch (operation.do) {
      case 'mkdir':
        fs.mkdirSync(path, operation.mode);
        return 'done';
      case 'rmdir':
        fs.rmdirSync(path);
        return 'done';
      case 'unlink':
        fs.unlinkSync(path);
        return 'done';
      case 'stat':
        return attributes(fs.statSync(path));
      case 'lstat':
        return attributes(fs.lstatSync(path));
      case 'readlink':
        return fs.readlinkSync(path);
      case 'list':
        return fs.readdirSync(path).sort().join();
      case 'rename':
        fs.renameSync(path, this.at(operation.to));
        return 'done';
      case 'link':
        fs.linkSync(path, this.at(operation.to));
        return 'done';
      case 'symlink':
        fs.symlinkSync(operation.path, this.at(operation.to));
        return 'done';
      case 'chmod':
        fs.chmodSync(path, operation.mode);
        return 'done';
      case 'open':
        return this.open(path, operation);
    }
  }
  private open(path: string, operation: Operation & { do: 'open' }): Outcome {
    const { flags, mode, offset, bytes, size } = operation;
    const f = fs.constants;
    const names = ['CREAT', 'EXCL', 'TRUNC', 'APPEND', 'NOFOLLOW', 'DIRECTORY'] as const;
    // The numbers of some flags are the architecture's own.
    const own = names.reduce((sum, flag) => sum | (flags & O[flag] ? f[`O_${flag}`] : 0), flags & O.ACCMODE);
    const fd = fs.openSync(path, own, mode);
    try {
      if (flags & O.ACCMODE) {
        fs.writeSync(fd, bytes, 0, bytes.length, offset);
        if (size !== undefined) fs.ftruncateSync(fd, size);
      }
      if ((flags & O.ACCMODE) === O.WRONLY) return 'written';
      const into = new Uint8Array(20000);
      return hash(into.subarray(0, fs.readSync(fd, into, 0, into.length, 0)));
    } finally {
      fs.closeSync(fd);
    }
  }
}

export const narrow = (file: OpenFile | WouldBlock): OpenFile => {
  if (file === WOULD_BLOCK) throw new Error('opening would block');
  return file;
};

export interface Surroundings {
  readonly vfs: VirtualFileSystem;
  readonly subject: Subject;
  readonly openers: Openers;
}

/** A task of the given user in a namespace that shows one file system. */
export function surroundings(
  fileSystem: FileSystem,
  { uid = 0, gid = 0, groups = [] as readonly number[], now = (): bigint => 0n } = {},
): Surroundings {
  const namespace = new MountNamespace(fileSystem);
  const openers: Openers = { character: new Map(), block: new Map(), fifo: undefined };
  const vfs = new VirtualFileSystem({ namespace, openers, now });
  const { root } = namespace;
  return { vfs, openers, subject: { root, cwd: root, credentials: { uid, gid, groups }, umask: 0o022 } };
}

export const errnoOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof Errno) return error.code;
    throw error;
  }
  return 'done';
};

/** A virtual file system under test. */
export class VirtualPerformer implements Performer {
  constructor(
    readonly vfs: VirtualFileSystem,
    readonly subject: Subject,
    /** Where paths start. By absolute paths, as at the host, where the working directory is one for all. */
    private readonly folder = '',
  ) {}

  private at(path: string): string {
    return path === '' ? '' : `${this.folder}/${path}`;
  }
  perform(operation: Operation): Outcome {
    let outcome = '';
    const error = errnoOf(() => (outcome = this.attempt(operation)));
    return error === 'done' ? outcome : error;
  }
  private attempt(operation: Operation): Outcome {
    const { vfs, subject } = this;
    const path = this.at(operation.path);
    switch (operation.do) {
      case 'mkdir':
        vfs.mkdir(subject, path, operation.mode);
        return 'done';
      case 'rmdir':
        vfs.rmdir(subject, path);
        return 'done';
      case 'unlink':
        vfs.unlink(subject, path);
        return 'done';
      case 'stat':
        return attributes(vfs.stat(vfs.resolve(subject, path)));
      case 'lstat':
        return attributes(vfs.stat(vfs.resolve(subject, path, { follow: false })));
      case 'readlink':
        return vfs.readlink(vfs.resolve(subject, path, { follow: false }));
      case 'list':
        return this.list(path);
      case 'rename':
        vfs.rename(subject, path, this.at(operation.to));
        return 'done';
      case 'link':
        vfs.link(subject, vfs.resolve(subject, path, { follow: false }), this.at(operation.to));
        return 'done';
      case 'symlink':
        vfs.symlink(subject, operation.path, this.at(operation.to));
        return 'done';
      case 'chmod':
        vfs.chmod(subject, vfs.resolve(subject, path), operation.mode);
        return 'done';
      case 'open':
        return this.open(operation);
    }
  }
  private list(path: string): Outcome {
    const { vfs, subject } = this;
    const file = narrow(vfs.open(subject, path, O.RDONLY | O.DIRECTORY));
    const names: string[] = [];
    file.getdents((entry) => names.push(entry.name) > 0);
    file.close();
    return names
      .filter((entry) => entry !== '.' && entry !== '..')
      .sort()
      .join();
  }
  private open({ path, flags, mode, offset, bytes, size }: Operation & { do: 'open' }): Outcome {
    const file = narrow(this.vfs.open(this.subject, this.at(path), flags, mode));
    try {
      if (flags & O.ACCMODE) {
        file.pwrite(bytes, offset);
        if (size !== undefined) file.truncate(size);
      }
      if ((flags & O.ACCMODE) === O.WRONLY) return 'written';
      const into = new Uint8Array(20000);
      return hash(into.subarray(0, file.pread(into, 0) as number));
    } finally {
      file.close();
    }
  }
}

/** All of a tree, one line a file; files that are one inode show the same number. */
export function hostTree(folder: string): string[] {
  const seen = new Map<number, number>();
  const walk = (path: string): string[] => {
    const stat = fs.lstatSync(`${folder}/${path}`);
    const line = `${path} ${attributes(stat)} #${identity(seen, stat.ino)}`;
    if (stat.isSymbolicLink()) return [`${line} -> ${fs.readlinkSync(`${folder}/${path}`)}`];
    if (!stat.isDirectory()) return [`${line} ${hash(fs.readFileSync(`${folder}/${path}`))}`];
    return [
      line,
      ...fs
        .readdirSync(`${folder}/${path}`)
        .sort()
        .flatMap((child) => walk(`${path}/${child}`)),
    ];
  };
  return walk('.');
}

export function virtualTree(root: Inode): string[] {
  const seen = new Map<number, number>();
  const walk = (path: string, inode: Inode): string[] => {
    const line = `${path} ${attributes(inode.stat())} #${identity(seen, inode.ino)}`;
    if (isSymlink(inode)) return [`${line} -> ${inode.readlink()}`];
    if (!isDirectory(inode)) {
      return (inode.mode & S.IFMT) === S.IFREG ? [`${line} ${hash(contentsOf(inode))}`] : [line];
    }
    const names = [...inode.entries(0)].map((entry) => entry.name).sort();
    return [line, ...names.flatMap((child) => walk(`${path}/${child}`, inode.lookup(child)!))];
  };
  return walk('.', root);
}

export function contentsOf(inode: Inode): Uint8Array {
  const { size } = inode.stat();
  const mount = new MountNamespace(inode.fileSystem).rootMount;
  const file = narrow(inode.open({ mount, inode, entry: undefined }, O.RDONLY));
  const bytes = new Uint8Array(size);
  const count = file.pread(bytes, 0) as number;
  file.close();
  return bytes.subarray(0, count);
}

function identity(seen: Map<number, number>, ino: number): number {
  if (!seen.has(ino)) seen.set(ino, seen.size);
  return seen.get(ino)!;
}
