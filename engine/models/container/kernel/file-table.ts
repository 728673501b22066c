/** File descriptors of a process (Linux: files_struct). */
import { Errno } from '../errno';
import type { Description } from './description';

export interface Descriptor {
  readonly description: Description;
  closeOnExec: boolean;
}

export class FileTable {
  private readonly rows = new Map<number, Descriptor>();
  /** Tasks that share it. */
  users = 1;

  /** @throws Errno EBADF */
  get(fd: number): Description {
    return this.descriptor(fd).description;
  }
  /** @throws Errno EBADF */
  descriptor(fd: number): Descriptor {
    const row = this.rows.get(fd);
    if (!row) throw new Errno('EBADF');
    return row;
  }
  find(fd: number): Description | undefined {
    return this.rows.get(fd)?.description;
  }

  /** The lowest free number from `lowest` on. @throws Errno EMFILE at `limit` */
  free(lowest: number, limit: number): number {
    let fd = lowest;
    while (this.rows.has(fd)) fd++;
    if (fd >= limit) throw new Errno('EMFILE');
    return fd;
  }
  /** Takes the reference that the caller holds. What had the number is closed. */
  set(fd: number, description: Description, closeOnExec: boolean): void {
    const old = this.rows.get(fd);
    this.rows.set(fd, { description, closeOnExec });
    old?.description.release();
  }
  /** @throws Errno EBADF */
  close(fd: number): void {
    const { description } = this.descriptor(fd);
    this.rows.delete(fd);
    description.release();
  }

  copy(): FileTable {
    const copy = new FileTable();
    for (const [fd, { description, closeOnExec }] of this.rows) {
      copy.rows.set(fd, { description: description.hold(), closeOnExec });
    }
    return copy;
  }
  afterExec(): void {
    for (const [fd, { closeOnExec }] of this.entries) if (closeOnExec) this.close(fd);
  }
  release(): void {
    if (--this.users > 0) return;
    for (const [fd] of this.entries) this.close(fd);
  }
  /** By number. */
  get entries(): [number, Descriptor][] {
    return [...this.rows].sort(([a], [b]) => a - b);
  }
}
