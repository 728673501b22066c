/** Who may do what with a file, path_resolution(7) "Permissions", inode(7). */
import { Errno } from '../errno';
import { isDirectory } from './base-inode';
import { ACCESS, MOUNT, S } from './constants';
import type { Inode } from './inode';
import type { Credentials, Mount } from './location';

type Owned = Pick<Inode, 'mode' | 'uid' | 'gid'>;

const inGroup = ({ gid, groups }: Credentials, group: number): boolean =>
  gid === group || groups.includes(group);

/** @param wanted `ACCESS` bits */
export function mayAccess(file: Owned, who: Credentials, wanted: number): boolean {
  if (who.uid === 0) {
    // CAP_DAC_OVERRIDE: all but executing what nobody may execute.
    return !(wanted & ACCESS.EXECUTE) || isDirectory(file) || (file.mode & 0o111) !== 0;
  }
  const shift = who.uid === file.uid ? 6 : inGroup(who, file.gid) ? 3 : 0;
  return ((file.mode >> shift) & wanted) === wanted;
}

/** @throws Errno EACCES */
export function checkAccess(file: Owned, who: Credentials, wanted: number): void {
  if (!mayAccess(file, who, wanted)) throw new Errno('EACCES');
}

export const owns = (file: Owned, who: Credentials): boolean => who.uid === 0 || who.uid === file.uid;

/** @throws Errno EROFS */
export function checkWritableMount(mount: Mount): void {
  if (mount.flags & MOUNT.RDONLY) throw new Errno('EROFS');
}

/** Whether an entry may be taken out of a directory. @throws Errno EACCES, EPERM for what the sticky bit protects */
export function checkRemoval(directory: Owned, file: Owned, who: Credentials): void {
  checkAccess(directory, who, ACCESS.WRITE | ACCESS.EXECUTE);
  if (directory.mode & S.ISVTX && !owns(file, who) && !owns(directory, who)) throw new Errno('EPERM');
}

/** The permission bits that chmod by `who` gives: no set-group-ID for a group that is not one's own. */
export function allowedMode(file: Owned, who: Credentials, mode: number): number {
  const permissions = mode & S.PERMISSIONS;
  return who.uid === 0 || inGroup(who, file.gid) ? permissions : permissions & ~S.ISGID;
}

/** chown(2): only root gives files away; an owner may pass them to a group of its own. @throws Errno EPERM */
export function checkOwnerChange(
  file: Owned,
  who: Credentials,
  uid: number | undefined,
  gid: number | undefined,
): void {
  if (who.uid === 0) return;
  const uidStays = uid === undefined || uid === file.uid;
  const gidAllowed = gid === undefined || gid === file.gid || inGroup(who, gid);
  if (who.uid !== file.uid || !uidStays || !gidAllowed) throw new Errno('EPERM');
}
