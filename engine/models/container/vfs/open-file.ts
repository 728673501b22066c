/** An open file description, open(2): what file descriptors refer to. All operations throw `Errno`. */
import type { DirectoryEntry, Inode, Stat } from './inode';
import type { Location } from './location';
import type { WaitQueue } from './wait-queue';

/** Nothing can be done now; ask again after `readiness` woke. */
export const WOULD_BLOCK = 'would block';
export type WouldBlock = typeof WOULD_BLOCK;

/** The calling task's memory, for ioctl's arguments. @throws Errno EFAULT */
export interface UserMemory {
  read(address: bigint, length: number): Uint8Array;
  write(address: bigint, bytes: Uint8Array): void;
}

export interface OpenFile {
  readonly location: Location;
  readonly inode: Inode;
  /** Access mode and status flags (`O`); fcntl(F_SETFL) writes O_APPEND and O_NONBLOCK. */
  flags: number;
  /** Where the next read or write begins; of directories the position of the next entry. Saved by the kernel. */
  offset: number;
  /** Undefined: always ready, as regular files are. */
  readonly readiness: WaitQueue | undefined;

  /** Bytes read; 0 at the end. O_NONBLOCK does not matter here: the kernel turns `WOULD_BLOCK` into EAGAIN. */
  read(into: Uint8Array): number | WouldBlock;
  write(from: Uint8Array): number | WouldBlock;
  pread(into: Uint8Array, offset: number): number | WouldBlock;
  pwrite(from: Uint8Array, offset: number): number | WouldBlock;
  /** @param whence `SEEK` @returns the new offset */
  seek(offset: number, whence: number): number;
  /** Calls `emit` for each entry, `.` and `..` first, until it returns false: that entry comes again. */
  getdents(emit: (entry: DirectoryEntry) => boolean): void;
  stat(): Stat;
  truncate(size: number): void;
  /** `POLL` events that hold now. */
  poll(): number;
  ioctl(request: number, argument: bigint, memory: UserMemory): number;
  /** The last descriptor is gone. */
  close(): void;
}
