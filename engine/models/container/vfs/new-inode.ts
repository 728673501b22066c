/** Who a new file belongs to. */
import { S } from './constants';
import type { Inode, NewInode } from './inode';
import type { Subject } from './location';

/** A new file in `directory`: it belongs to its maker, and to the directory's group when that is set-group-ID. */
export function newInode(
  subject: Subject,
  directory: Inode,
  mode: number,
  more: Partial<NewInode> = {},
): NewInode {
  const { uid, gid } = subject.credentials;
  const inherits = (directory.mode & S.ISGID) !== 0;
  return {
    mode: inherits && (mode & S.IFMT) === S.IFDIR ? mode | S.ISGID : mode,
    uid,
    gid: inherits ? directory.gid : gid,
    ...more,
  };
}
