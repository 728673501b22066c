/** The container's tree of files, as its tasks see it. */
import { Errno } from '../errno';
import { ACCESS, O, S } from '../vfs/constants';
import type { Location, Subject } from '../vfs/location';
import type { ByteString } from '../vfs/name';
import { WOULD_BLOCK, type OpenFile } from '../vfs/open-file';
import type { VirtualFileSystem } from '../vfs/virtual-file-system';
import { Description } from './description';
import type { Task } from './task';
import { Blocked } from './wait';

const AT_FDCWD = -100;

export const subjectOf = (task: Task): Subject => ({
  root: task.fileContext.root,
  cwd: task.fileContext.cwd,
  umask: task.fileContext.umask,
  credentials: {
    uid: task.credentials.fsuid,
    gid: task.credentials.fsgid,
    groups: task.credentials.groups,
  },
});

export class Files {
  constructor(readonly vfs: VirtualFileSystem) {}

  /** Where a relative path starts. @throws Errno EBADF, ENOTDIR */
  at(task: Task, fd: number, path: ByteString): Location {
    if (fd === AT_FDCWD || path.startsWith('/')) return task.fileContext.cwd;
    const { location } = task.files.get(fd).file;
    if ((location.inode.mode & S.IFMT) !== S.IFDIR && path !== '') throw new Errno('ENOTDIR');
    return location;
  }

  open(task: Task, fd: number, path: ByteString, flags: number, mode: number): Description {
    const opened = this.vfs.open(subjectOf(task), path, flags, mode, this.at(task, fd, path));
    return new Description(settled(opened));
  }

  /** @throws Errno EACCES where it is not a regular file with an x bit */
  openExecutable(task: Task, path: ByteString, fd = AT_FDCWD, follow = true): Description {
    const at = this.at(task, fd, path);
    const location = path === '' ? at : this.vfs.resolve(subjectOf(task), path, { at, follow });
    if ((location.inode.mode & S.IFMT) === S.IFLNK) throw new Errno('ELOOP');
    if ((location.inode.mode & S.IFMT) !== S.IFREG) throw new Errno('EACCES');
    this.vfs.access(subjectOf(task), location, ACCESS.EXECUTE);
    // Who may execute may not be allowed to read: the kernel reads, not the task.
    return new Description(settled(location.inode.open(location, O.RDONLY)));
  }
}

function settled(opened: OpenFile | typeof WOULD_BLOCK): OpenFile {
  if (opened === WOULD_BLOCK) throw new Blocked({ kind: 'time', restart: true });
  return opened;
}
