/** A hart in S-mode on Sv39 with the hypercall instructions, and an address space that tests can take apart. */
import { Hart } from '../../../engine/cpu/hart';
import * as at from '../../../engine/cpu/layout';
import { assemble } from '../../../engine/isa/assembler';
import { paravirt } from '../../../engine/isa/paravirt';
import { defaultExtensions } from '../../../engine/isa/extensions';
import { instructionsOf } from '../../../engine/isa/table';
import { Ram } from '../../../engine/memory/ram';

const extensions = [...defaultExtensions, paravirt.name];
const table = instructionsOf(extensions);

export const PAGE = 4096;
export const PAGES = 8;
/** Virtual address of the first of `PAGES` pages. Behind them nothing is mapped, before them the code. */
export const DATA = 0x4000_0000n;
const CODE = DATA - BigInt(PAGE);

const RAM_BASE = 0x8000_0000;
const ROOT = 0x1000;
const MIDDLE = 0x2000;
const LEAF = 0x3000;
const CODE_LEAF = 0x4000;
const CODE_MIDDLE = 0x5000;
const CODE_FRAME = 0x6000;
/** Frames of the data pages lie in another order than the pages: what runs on physical addresses goes wrong. */
const frame = (page: number): number => 0x1_0000 + PAGE * ((page * 5 + 3) % PAGES);

const PTE = { valid: 1n, read: 2n, write: 4n, execute: 8n, accessed: 64n, dirty: 128n };
const pointer = (offset: number): bigint => (BigInt(RAM_BASE + offset) >> 12n) << 10n;

export type Protection = 'writable' | 'read-only' | 'unmapped';

export class BulkHart {
  readonly hart: Hart;
  private readonly ram: Ram;

  constructor(protections: readonly Protection[] = []) {
    this.hart = new Hart({
      ramSize: 2 ** 20,
      extensions,
      monitor: true,
      bus: { read: () => undefined, write: () => false },
    });
    const { hart } = this;
    this.ram = new Ram({
      base: RAM_BASE,
      bytes: hart.ram,
      flags: hart.pageFlags,
      cleaned: () => hart.watchWrites(),
      changed: (page, pages) => hart.ramChanged(page, pages),
    });
    const table = (offset: number, index: number, entry: bigint): void =>
      new DataView(hart.ram.buffer, hart.ram.byteOffset).setBigUint64(offset + 8 * index, entry, true);
    table(ROOT, 1, pointer(MIDDLE) | PTE.valid); // 0x40000000
    table(MIDDLE, 0, pointer(LEAF) | PTE.valid);
    table(ROOT, 0, pointer(CODE_MIDDLE) | PTE.valid);
    table(CODE_MIDDLE, 511, pointer(CODE_LEAF) | PTE.valid);
    table(CODE_LEAF, 511, pointer(CODE_FRAME) | PTE.valid | PTE.read | PTE.execute | PTE.accessed);
    for (let page = 0; page < PAGES; page++) this.protect(page, protections[page] ?? 'writable');
    hart.setCell(at.SATP, (8n << 60n) | (BigInt(RAM_BASE + ROOT) >> 12n));
    hart.setCell(at.PMPCFG, 0x1fn);
    hart.setCell(at.PMPADDR, (1n << 54n) - 1n);
    hart.privilege = 1;
    hart.restoreState(hart.saveState());
  }

  protect(page: number, protection: Protection): void {
    const rights = {
      unmapped: 0n,
      'read-only': PTE.valid | PTE.read | PTE.execute | PTE.accessed,
      writable: PTE.valid | PTE.read | PTE.write | PTE.execute | PTE.accessed | PTE.dirty,
    }[protection];
    new DataView(this.hart.ram.buffer, this.hart.ram.byteOffset).setBigUint64(
      LEAF + 8 * page,
      pointer(frame(page)) | rights,
      true,
    );
    this.hart.flushTranslations();
  }

  /** Puts code at the entry and the pc there. */
  load(lines: readonly string[]): void {
    const view = new DataView(this.hart.ram.buffer, this.hart.ram.byteOffset);
    let offset = CODE_FRAME;
    for (const line of lines) {
      const { word, length } = assemble(line, table);
      view.setUint32(offset, word, true);
      offset += length;
    }
    this.hart.pc = CODE;
  }
  get entry(): bigint {
    return CODE;
  }

  /** The data pages as one array, in virtual order. */
  get data(): Uint8Array {
    const data = new Uint8Array(PAGES * PAGE);
    for (let page = 0; page < PAGES; page++) {
      data.set(this.hart.ram.subarray(frame(page), frame(page) + PAGE), page * PAGE);
    }
    return data;
  }
  set data(bytes: Uint8Array) {
    for (let page = 0; page < PAGES; page++) {
      this.hart.ram.set(bytes.subarray(page * PAGE, (page + 1) * PAGE), frame(page));
    }
  }

  /** From here on, pages that are written show in `dirty`. */
  cleanPages(): void {
    this.ram.clean();
  }
  get dirty(): ReadonlySet<number> {
    const dirty = new Set(this.ram.dirty());
    return new Set(
      Array.from({ length: PAGES }, (_, page) => page).filter((page) => dirty.has(frame(page) / PAGE)),
    );
  }
}
