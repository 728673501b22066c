/** An open file and how many refer to it: descriptors, mappings, messages under way. */
import { WOULD_BLOCK, type OpenFile } from '../vfs/open-file';

export class Description {
  constructor(
    readonly file: OpenFile,
    private references = 1,
  ) {}

  /** Whether anything still refers to it. */
  get open(): boolean {
    return this.references > 0;
  }
  hold(): this {
    this.references++;
    return this;
  }
  /** The last reference closes the file. */
  release(): void {
    if (--this.references === 0) this.file.close();
  }

  // For mappings, which concern regular files: these never block.

  size(): number {
    return this.file.stat().size;
  }
  /** Fewer bytes than `length` at the file's end. */
  pread(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const read = this.file.pread(bytes, offset);
    return bytes.subarray(0, read === WOULD_BLOCK ? 0 : read);
  }
  pwrite(offset: number, bytes: Uint8Array): void {
    this.file.pwrite(bytes, offset);
  }
}
