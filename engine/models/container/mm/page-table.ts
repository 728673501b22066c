/** Sv39 page tables in frames of RAM, for U-mode. Privileged ISA manual, "Sv39: Page-Based 39-bit Virtual-Memory System". */
import type { Frames } from './frames';

/** PTE bits. Tables hold fewer than 2^21 frames from physical 2 GiB on, so an entry fits 32 bits. */
export const Pte = { V: 1, R: 2, W: 4, X: 8, U: 16, A: 64, D: 128 } as const;

const RAM_FIRST_PPN = 0x80000;
const ENTRIES = 512;

export const frameOf = (pte: number): number => (pte >>> 10) - RAM_FIRST_PPN;
export const pteOf = (frame: number, bits: number): number => (((frame + RAM_FIRST_PPN) << 10) | bits) >>> 0;

/** Thrown where a frame was needed and none is left; the kernel makes ENOMEM or an OOM kill of it. */
export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
}

export class PageTable {
  constructor(
    private readonly frames: Frames,
    readonly root: number,
  ) {}

  /** @throws OutOfMemory */
  static create(frames: Frames): PageTable {
    const root = frames.allocate();
    if (root === undefined) throw new OutOfMemory();
    return new PageTable(frames, root);
  }

  /** What satp has to be: mode 8 (Sv39) and the root's page number. */
  get satp(): bigint {
    return (8n << 60n) | BigInt(this.root + RAM_FIRST_PPN);
  }

  /** The leaf entry of a virtual page number; 0 where nothing is mapped. */
  get(page: number): number {
    const entry = this.entry(page);
    return entry < 0 ? 0 : this.frames.view.getUint32(entry, true);
  }

  /** Sets a leaf. The caller counts the references of the frame in it. @throws OutOfMemory */
  set(page: number, pte: number): void {
    let table = this.root;
    for (let shift = 18; shift > 0; shift -= 9) {
      const at = table * 4096 + (Math.floor(page / 2 ** shift) % ENTRIES) * 8;
      const pointer = this.frames.view.getUint32(at, true);
      if (pointer !== 0) {
        table = frameOf(pointer);
        continue;
      }
      const fresh = this.frames.allocate();
      if (fresh === undefined) throw new OutOfMemory();
      this.write(at, pteOf(fresh, Pte.V));
      table = fresh;
    }
    this.write(table * 4096 + (page % ENTRIES) * 8, pte);
  }

  /** Calls `visit` with each mapped page of [first, end), ascending; its result replaces the entry (0 unmaps). */
  update(first: number, end: number, visit: (page: number, pte: number) => number): void {
    for (let page = first; page < end;) {
      const leaf = this.leafTable(page);
      const next = Math.min(end, (Math.floor(page / ENTRIES) + 1) * ENTRIES);
      if (leaf >= 0) {
        for (; page < next; page++) {
          const at = leaf * 4096 + (page % ENTRIES) * 8;
          const pte = this.frames.view.getUint32(at, true);
          if (pte === 0) continue;
          const replaced = visit(page, pte);
          if (replaced !== pte) this.write(at, replaced);
        }
      }
      page = next;
    }
  }

  /** Every frame that the tables refer to: `table` the tables themselves, else mapped pages. */
  walk(visit: (frame: number, table: boolean) => void): void {
    const descend = (table: number, level: number): void => {
      visit(table, true);
      for (let i = 0; i < ENTRIES; i++) {
        const pte = this.frames.view.getUint32(table * 4096 + i * 8, true);
        if (pte === 0) continue;
        if (level > 0) descend(frameOf(pte), level - 1);
        else visit(frameOf(pte), false);
      }
    };
    descend(this.root, 2);
  }

  /** Gives back all frames. */
  free(): void {
    const held: number[] = [];
    this.walk((frame) => held.push(frame));
    for (const frame of held) this.frames.release(frame);
  }

  private write(at: number, pte: number): void {
    this.frames.view.setUint32(at, pte, true);
    this.frames.touch(at >>> 12);
  }
  private leafTable(page: number): number {
    let table = this.root;
    for (let shift = 18; shift > 0; shift -= 9) {
      const at = table * 4096 + (Math.floor(page / 2 ** shift) % ENTRIES) * 8;
      const pointer = this.frames.view.getUint32(at, true);
      if (pointer === 0) return -1;
      table = frameOf(pointer);
    }
    return table;
  }
  private entry(page: number): number {
    const table = this.leafTable(page);
    return table < 0 ? -1 : table * 4096 + (page % ENTRIES) * 8;
  }
}
