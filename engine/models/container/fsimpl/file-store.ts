/**
 * Pages for the contents of files: one space for all writable file systems of
 * a container, checkpointed page by page.
 *
 * Which pages are in use is not saved: the inodes' page lists say so, and a
 * restore claims them again. The lowest free page is always the next one, so
 * that allocation depends on nothing but what is in use.
 */
import { PAGE_SIZE, type PageSpace } from '../../../memory/page-space';
import { StateError } from '../../../snapshot/errors';
import { Errno } from '../errno';

/** What a page that was never written reads as. Never written to. */
const ZEROS = new Uint8Array(PAGE_SIZE);

export class FileStore implements PageSpace {
  readonly name: string;
  readonly pages: number;
  /** Pages in use. */
  used = 0;
  private readonly inUse: Uint8Array;
  /** No page below it is free. */
  private lowestFree = 0;
  private readonly contents = new Map<number, Uint8Array>();
  private readonly changed = new Set<number>();

  /** @param size bytes at most, a multiple of 4 KiB */
  constructor(size: number, name = 'files') {
    if (!Number.isSafeInteger(size) || size <= 0 || size % PAGE_SIZE !== 0 || size / PAGE_SIZE > 2 ** 24) {
      throw new RangeError(`file store of ${size} bytes: use a multiple of 4096 from 4 KiB to 64 GiB`);
    }
    this.name = name;
    this.pages = size / PAGE_SIZE;
    this.inUse = new Uint8Array(this.pages);
  }

  /** A page of zeros. @throws Errno ENOSPC */
  allocate(): number {
    const page = this.inUse.indexOf(0, this.lowestFree);
    if (page < 0) throw new Errno('ENOSPC');
    this.inUse[page] = 1;
    this.used++;
    this.lowestFree = page + 1;
    return page;
  }
  /** Gives a page back; it is zero from now on. */
  free(page: number): void {
    this.inUse[page] = 0;
    this.used--;
    this.lowestFree = Math.min(this.lowestFree, page);
    if (this.contents.delete(page)) this.changed.add(page);
  }

  /** The page's bytes, to be written to. */
  writable(page: number): Uint8Array {
    this.changed.add(page);
    let bytes = this.contents.get(page);
    if (!bytes) this.contents.set(page, (bytes = new Uint8Array(PAGE_SIZE)));
    return bytes;
  }

  /** Before all file systems restore their inodes: no page is in use. The contents stay. */
  forget(): void {
    this.inUse.fill(0);
    this.used = 0;
    this.lowestFree = 0;
  }
  /** A restored inode's page. @throws StateError when there is no such page or another file has it */
  claim(page: number): void {
    if (page >= this.pages || this.inUse[page] !== 0) {
      throw new StateError(
        `page ${page} of ${this.pages} in ${this.name}: ${page >= this.pages ? 'there is no such page' : 'two files claim it'}; the saved state is damaged`,
      );
    }
    this.inUse[page] = 1;
    this.used++;
  }

  // PageSpace

  dirty(): number[] {
    return [...this.changed].sort((a, b) => a - b);
  }
  read(page: number): Uint8Array {
    return this.contents.get(page) ?? ZEROS;
  }
  load(page: number, bytes: Uint8Array): void {
    if (!Number.isInteger(page) || page < 0 || page >= this.pages || bytes.length !== PAGE_SIZE) {
      throw new RangeError(`${this.name}: ${bytes.length} bytes for page ${page} of ${this.pages}`);
    }
    this.contents.set(page, bytes.slice());
    this.changed.delete(page);
  }
  clean(): void {
    this.changed.clear();
  }
}
