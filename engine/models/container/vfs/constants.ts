/** Numbers of the riscv64 Linux ABI that file systems and system calls share. */

/** File mode, inode(7). */
export const S = {
  IFMT: 0o170000,
  IFSOCK: 0o140000,
  IFLNK: 0o120000,
  IFREG: 0o100000,
  IFBLK: 0o060000,
  IFDIR: 0o040000,
  IFCHR: 0o020000,
  IFIFO: 0o010000,
  ISUID: 0o4000,
  ISGID: 0o2000,
  ISVTX: 0o1000,
  /** All bits that chmod sets. */
  PERMISSIONS: 0o7777,
} as const;

/** Flags of open(2), include/uapi/asm-generic/fcntl.h. */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  ACCMODE: 3,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DSYNC: 0o10000,
  DIRECT: 0o40000,
  LARGEFILE: 0o100000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  NOATIME: 0o1000000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  TMPFILE: 0o20200000,
} as const;

/** `whence` of lseek(2). */
export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

/** `d_type` of getdents64(2). */
export const DT = { UNKNOWN: 0, FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12 } as const;

/** Events of poll(2). */
export const POLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 16, NVAL: 32, RDHUP: 0x2000 } as const;

/** Flags of renameat2(2). */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

/** `mode` of access(2); also the permission bits of one class of a file mode. */
export const ACCESS = { EXISTS: 0, EXECUTE: 1, WRITE: 2, READ: 4 } as const;

/** Flags of a mount, mount(2) and statvfs(3) alike. */
export const MOUNT = { RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8, NOATIME: 1024 } as const;

/** `d_type` of a mode. */
export const directoryEntryType = (mode: number): number => (mode & S.IFMT) >>> 12;

/** `dev_t` as stat(2) shows it: include/linux/kdev_t.h, new_encode_dev. */
export const makeDevice = (major: number, minor: number): number =>
  ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
export const majorOf = (device: number): number => (device >>> 8) & 0xfff;
export const minorOf = (device: number): number => (device & 0xff) | ((device >>> 12) & 0xfff00);
