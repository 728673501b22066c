/**
 * procfs, proc(5): contents are made at every read from what the kernel says
 * then, so nothing is saved and a slice may end between any two reads.
 */
import { record, u8 } from '../../../../snapshot/codec';
import { Errno } from '../../errno';
import type { FileSystem, StatFs } from '../../vfs/file-system';
import { processFiles, processLinks, linkText } from './process';
import { ProcDirectory, ProcFile, type ProcInode, ProcSymlink } from './inodes';
import type { ProcSource, ProcTask } from './source';
import { systemFiles, systemLinks } from './system';

/** Nothing to save: the version says which format nothing has. */
const layout = record('proc-file-system', 1, { nothing: u8 });

/**
 * Inode numbers: those of a task are `task * TASK + local`, where `task` is
 * twice its pid, plus 1 for what lies in `task/tid`; those below TASK are the
 * system's. In a task's range descriptors follow the fixed files.
 */
const TASK = 2 ** 24;
const DESCRIPTORS = 2 ** 22;
const DESCRIPTOR_INFO = 2 ** 23;
const ROOT = 1;

const systemPaths = Object.keys(systemFiles);
/** Directories that the paths imply, as `sys` and `sys/kernel`. */
const systemDirectories = [
  ...new Set(
    systemPaths.flatMap((path) => {
      const parts = path.split('/').slice(0, -1);
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    }),
  ),
];
/** By number from ROOT + 1 on. */
const systemNames = [...systemDirectories, ...systemPaths, ...Object.keys(systemLinks)];
const processNames = ['', 'fd', 'fdinfo', 'task', ...Object.keys(processFiles), ...Object.keys(processLinks)];

const last = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const decimal = /^(0|[1-9]\d{0,8})$/;

export class ProcFileSystem implements FileSystem {
  readonly type = 'proc';
  readonly root: ProcDirectory;

  constructor(
    readonly source: ProcSource,
    readonly device: number,
  ) {
    this.root = this.rootDirectory();
  }

  inode(ino: number): ProcInode | undefined {
    if (ino === ROOT) return this.root;
    if (ino < TASK) return this.systemInode(systemNames[ino - ROOT - 1]);
    const owner = Math.floor(ino / TASK);
    const local = ino % TASK;
    const pid = Math.floor(owner / 2);
    const inThread = owner % 2 === 1;
    if (local >= DESCRIPTOR_INFO) return this.descriptorInfo(pid, inThread, local - DESCRIPTOR_INFO);
    if (local >= DESCRIPTORS) return this.descriptor(pid, inThread, local - DESCRIPTORS);
    const name = processNames[local];
    return name === undefined ? undefined : this.taskInode(pid, inThread, name);
  }

  statfs(): StatFs {
    return { type: 0x9fa0, blockSize: 4096, blocks: 0, blocksFree: 0, files: 0, filesFree: 0 };
  }
  save(): Uint8Array {
    return layout.encode({ nothing: 0 });
  }
  restore(payload: Uint8Array): void {
    layout.decode(payload);
  }
  dropUnreferenced(): void {}

  private rootDirectory(): ProcDirectory {
    const fixed = this.systemChildren('');
    return new ProcDirectory(this, ROOT, 0o555, {
      parent: () => this.root,
      lookup: (name) =>
        fixed.get(name)?.() ?? (decimal.test(name) ? this.taskDirectory(Number(name)) : undefined),
      names: () => [...fixed.keys(), ...this.source.pids().map(String)],
    });
  }

  private systemChildren(directory: string): Map<string, () => ProcInode | undefined> {
    const prefix = directory === '' ? '' : `${directory}/`;
    const inside = systemNames.filter((path) => path === prefix + last(path));
    return new Map(inside.map((path) => [last(path), () => this.systemInode(path)]));
  }

  private systemInode(path: string | undefined): ProcInode | undefined {
    if (path === undefined) return undefined;
    const ino = ROOT + 1 + systemNames.indexOf(path);
    const link = systemLinks[path];
    if (link)
      return new ProcSymlink(this, ino, 0o777, { text: () => link(this.source), location: () => undefined });
    const file = systemFiles[path];
    if (file) {
      const { contents, write } = file;
      return new ProcFile(this, ino, write ? 0o644 : 0o444, {
        contents: () => contents(this.source),
        ...(write && { write: (text: string) => write(this.source, text) }),
      });
    }
    const children = this.systemChildren(path);
    const above = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : undefined;
    return new ProcDirectory(this, ino, 0o555, {
      parent: () => (this.systemInode(above) as ProcDirectory | undefined) ?? this.root,
      lookup: (name) => children.get(name)?.(),
      names: () => [...children.keys()],
    });
  }

  /** @throws Errno ESRCH when it is gone */
  private task(pid: number): ProcTask {
    const task = this.source.task(pid);
    if (!task) throw new Errno('ESRCH');
    return task;
  }
  private taskDirectory(pid: number): ProcInode | undefined {
    return this.taskInode(pid, false, '');
  }

  private taskInode(pid: number, inThread: boolean, name: string): ProcInode | undefined {
    const task = this.source.task(pid);
    const local = processNames.indexOf(name);
    if (!task || local < 0 || (name === 'task' && inThread)) return undefined;
    const ino = inodeNumber(pid, inThread, local);
    const owner = { uid: task.uid, gid: task.gid };
    const file = processFiles[name];
    if (file) {
      const contents = (): string | Uint8Array => file.contents(this.task(pid), this.source);
      return new ProcFile(this, ino, file.permissions, { contents }, owner);
    }
    const link = processLinks[name];
    if (link) {
      const current = (): ReturnType<typeof link> => link(this.task(pid));
      return new ProcSymlink(this, ino, 0o777, this.magic(current), owner);
    }
    const listing = this.directories(pid, inThread)[name]!;
    return new ProcDirectory(this, ino, name === '' || name === 'task' ? 0o555 : 0o500, listing, owner);
  }

  private directories(pid: number, inThread: boolean): Record<string, ProcDirectory['listing']> {
    const home = (): ProcDirectory =>
      (this.taskInode(pid, inThread, '') as ProcDirectory | undefined) ?? this.root;
    const threads = (): ProcDirectory => {
      const leader = this.source.task(pid)?.threads[0] ?? pid;
      return (this.taskInode(leader, false, 'task') as ProcDirectory | undefined) ?? this.root;
    };
    const descriptors = (): string[] => this.task(pid).descriptors().map(String);
    const numbered =
      (find: (number: number) => ProcInode | undefined) =>
      (name: string): ProcInode | undefined =>
        decimal.test(name) ? find(Number(name)) : undefined;
    const names = processNames.filter((name) => name !== '' && !(inThread && name === 'task'));
    return {
      '': {
        parent: () => (inThread ? threads() : this.root),
        lookup: (name) => (name === '' ? undefined : this.taskInode(pid, inThread, name)),
        names: () => names,
      },
      fd: { parent: home, names: descriptors, lookup: numbered((fd) => this.descriptor(pid, inThread, fd)) },
      fdinfo: {
        parent: home,
        names: descriptors,
        lookup: numbered((fd) => this.descriptorInfo(pid, inThread, fd)),
      },
      task: {
        parent: home,
        names: () => this.task(pid).threads.map(String),
        lookup: numbered((tid) =>
          this.task(pid).threads.includes(tid) ? this.taskInode(tid, true, '') : undefined,
        ),
      },
    };
  }

  private descriptor(pid: number, inThread: boolean, fd: number): ProcInode | undefined {
    const task = this.source.task(pid);
    const found = task?.descriptor(fd);
    if (!task || !found) return undefined;
    // The permissions show how it was opened: O_RDONLY 0, O_WRONLY 1, O_RDWR 2.
    const permissions = [0o500, 0o300, 0o700][found.flags & 3] ?? 0;
    const current = (): ReturnType<ProcTask['descriptor']> => this.task(pid).descriptor(fd);
    const ino = inodeNumber(pid, inThread, DESCRIPTORS + fd);
    return new ProcSymlink(this, ino, permissions, this.magic(current), { uid: task.uid, gid: task.gid });
  }

  private descriptorInfo(pid: number, inThread: boolean, fd: number): ProcInode | undefined {
    const task = this.source.task(pid);
    if (!task?.descriptor(fd)) return undefined;
    const contents = (): string => {
      const found = this.task(pid).descriptor(fd);
      if (!found) throw new Errno('ENOENT');
      const { offset, flags, location } = found;
      return `pos:\t${offset}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${location.mount.id}\nino:\t${location.inode.ino}\n`;
    };
    const ino = inodeNumber(pid, inThread, DESCRIPTOR_INFO + fd);
    return new ProcFile(this, ino, 0o444, { contents }, { uid: task.uid, gid: task.gid });
  }

  private magic(current: () => ReturnType<ProcTask['descriptor']> | ProcTask['cwd']): ProcSymlink['target'] {
    const present = (): NonNullable<ProcTask['cwd']> => {
      const link = current();
      if (!link) throw new Errno('ENOENT');
      return link;
    };
    const reader = (): ProcTask => this.task(this.source.currentPid());
    return {
      location: () => present().location,
      text: () => {
        const link = present();
        return linkText(link, reader().root?.location ?? link.location);
      },
    };
  }
}

const inodeNumber = (pid: number, inThread: boolean, local: number): number =>
  (pid * 2 + Number(inThread)) * TASK + local;
