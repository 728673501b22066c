/**
 * Pages that several mappings share: MAP_SHARED of a file (one object for each
 * inode) or of no file (Linux: shmem). A page is there once it was touched.
 */
import type { Description } from '../kernel/description';
import type { Frames } from './frames';
import { OutOfMemory } from './page-table';

const PAGE = 4096;

export class SharedObject {
  /** Frame by page of the object; held once by the object, and once by each page table that maps it. */
  readonly pages = new Map<number, number>();
  private mappings = 0;

  constructor(
    readonly id: number,
    readonly file: Description | undefined,
    private readonly frames: Frames,
    private readonly whenUnused: (object: SharedObject) => void,
  ) {}

  hold(): void {
    this.mappings++;
  }
  release(): void {
    if (--this.mappings > 0) return;
    this.writeBack();
    for (const frame of this.pages.values()) this.frames.release(frame);
    this.pages.clear();
    this.whenUnused(this);
  }

  /** The frame of a page, filled from the file when it is new; undefined behind the file's end. @throws OutOfMemory */
  frame(page: number): number | undefined {
    const known = this.pages.get(page);
    if (known !== undefined) return known;
    if (this.file && page * PAGE >= this.file.size()) return undefined;
    const frame = this.frames.allocate();
    if (frame === undefined) throw new OutOfMemory();
    if (this.file) this.frames.bytes(frame).set(this.file.pread(page * PAGE, PAGE));
    this.pages.set(page, frame);
    return frame;
  }

  /** Brings the file up to date with what was stored to the mapped pages. */
  writeBack(): void {
    const { file } = this;
    if (!file) return;
    for (const [page, frame] of [...this.pages].sort(([a], [b]) => a - b)) {
      const size = Math.min(PAGE, file.size() - page * PAGE);
      if (size <= 0) continue;
      const bytes = this.frames.bytes(frame).subarray(0, size);
      const present = file.pread(page * PAGE, size);
      // Pages that nobody changed are left alone: writing them would make them part of the writable layer.
      if (bytes.every((byte, i) => byte === present[i])) continue;
      file.pwrite(page * PAGE, bytes.slice());
    }
  }

  /** The file was written to by a system call. */
  refresh(offset: number, length: number): void {
    if (!this.file) return;
    for (let page = Math.floor(offset / PAGE); page * PAGE < offset + length; page++) {
      const frame = this.pages.get(page);
      if (frame === undefined) continue;
      const target = this.frames.bytes(frame);
      target.set(this.file.pread(page * PAGE, PAGE));
      this.frames.touch(frame);
    }
  }
}
