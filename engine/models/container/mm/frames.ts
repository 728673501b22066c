/**
 * Page frames of the container's RAM: its memory limit is their number.
 *
 * Which frame is handed out next depends only on which are in use (always the
 * lowest free one), so reference counts need not be saved: whoever restores
 * counts them anew from the page tables and objects that hold them.
 */
import { PAGE_SIZE } from '../../../memory/page-space';

const DIRTY = 1;

export class Frames {
  readonly total: number;
  readonly view: DataView;
  private readonly references: Uint32Array;
  private lowestFree = 0;
  private used = 0;

  /**
   * @param flags one byte a frame; bit 0 is set when it is written to
   * @param changed told of each frame that the kernel writes to
   */
  constructor(
    private readonly ram: Uint8Array,
    private readonly flags: Uint8Array,
    private readonly changed: (frame: number) => void,
  ) {
    this.total = ram.length / PAGE_SIZE;
    this.references = new Uint32Array(this.total);
    this.view = new DataView(ram.buffer, ram.byteOffset, ram.length);
  }

  get free(): number {
    return this.total - this.used;
  }

  /** A frame of zeros, referred to once; undefined when there is none left. */
  allocate(): number | undefined {
    const frame = this.references.indexOf(0, this.lowestFree);
    if (frame < 0) {
      this.lowestFree = this.total;
      return undefined;
    }
    this.lowestFree = frame + 1;
    this.references[frame] = 1;
    this.used++;
    this.bytes(frame).fill(0);
    this.touch(frame);
    return frame;
  }
  /** One more refers to it. */
  hold(frame: number): void {
    if (this.references[frame]++ === 0) this.used++;
  }
  release(frame: number): void {
    if (--this.references[frame] !== 0) return;
    this.used--;
    if (frame < this.lowestFree) this.lowestFree = frame;
  }
  count(frame: number): number {
    return this.references[frame] ?? 0;
  }

  bytes(frame: number): Uint8Array {
    return this.ram.subarray(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
  }
  touch(frame: number): void {
    this.flags[frame] = DIRTY;
    this.changed(frame);
  }

  /** Before a restore: nothing is in use. */
  forget(): void {
    this.references.fill(0);
    this.lowestFree = 0;
    this.used = 0;
  }
}
