/**
 * The harts of a guest for debuggers. Looking leaves no trace: nothing that the guest, or a checkpoint of it, shows
 * is changed.
 */
import { disassemble } from '../isa/disassembler';
import { privilegeNames } from './cell-names';
import type { Hart } from './hart';
import * as at from './layout';
import { saveTlb } from './tlb-state';
import { walk } from './translator/page-walk';

/** What is looked at: one hart, or several that take turns (harts.ts). */
export interface InspectedHarts {
  readonly count: number;
  /** Number of the hart that runs, or ran last. */
  readonly current: number;
  /** The loaded one. */
  readonly hart: Hart;
  /** A cell of a hart's state, by its place in layout.ts. */
  cell(hart: number, address: number): bigint;
}

/** A hart that is alone. */
export const alone = (hart: Hart): InspectedHarts => ({
  count: 1,
  current: 0,
  hart,
  cell: (_, address) => hart.cell(address),
});

/** Names code by its physical address: `memcpy+0x12`. Undefined where it knows none. */
export type Symbols = (physical: number) => string | undefined;

const RAM_BASE = 0x80000000;

export class Inspection {
  private readonly memory: DataView;

  constructor(readonly harts: InspectedHarts) {
    this.memory = new DataView(harts.hart.memory.buffer);
  }

  cell(address: number, hart = this.harts.current): bigint {
    return this.harts.cell(hart, address);
  }

  /** The TLB of the loaded hart, as a checkpoint has it. */
  get tlbs(): Uint8Array {
    return saveTlb(this.memory);
  }

  /** Physical address of what a hart would fetch from `virtual`; undefined where it would trap, or is not in RAM. */
  physical(virtual: bigint, hart = this.harts.current): number | undefined {
    const { memory } = this;
    let place: number | undefined;
    if (hart === this.harts.current) {
      const fetchTlb = memory.getUint32(at.FETCH_TLB, true);
      const entry = fetchTlb + (Number((virtual >> 12n) & BigInt(at.TLB_ENTRIES - 1)) << 4);
      if (memory.getBigUint64(entry, true) === (virtual & ~0xfffn)) {
        place = (Number(virtual & 0xfffff000n) + memory.getUint32(entry + 8, true)) >>> 0;
      }
    }
    place ??= walk(
      memory,
      { satp: this.cell(at.SATP, hart), privilege: Number(this.cell(at.PRIVILEGE, hart)) },
      virtual,
    );
    return place === undefined ? undefined : RAM_BASE + (place - at.RAM) + Number(virtual & 0xfffn);
  }

  /** The instruction at an address; undefined where none can be fetched. Its upper half is zero when it is compressed. */
  word(virtual: bigint, hart = this.harts.current): number | undefined {
    const low = this.half(virtual, hart);
    if (low === undefined || (low & 3) !== 3) return low;
    const high = this.half(virtual + 2n, hart);
    return high === undefined ? undefined : (low | (high << 16)) >>> 0;
  }

  /** `S ffffffff80001234 <memcpy+0x12> addi a0, sp, 16`: where a hart is, and what it executes next. */
  describe(symbols?: Symbols, hart = this.harts.current, pc = this.cell(at.PC, hart)): string {
    const privilege = Number(this.cell(at.PRIVILEGE, hart));
    const word = this.word(pc, hart);
    const physical = this.physical(pc, hart);
    // A user's pages may lie where the kernel had code once.
    const name = physical === undefined || privilege === 0 ? undefined : symbols?.(physical);
    const text = word === undefined ? '(nothing to be fetched)' : disassemble(word);
    return [privilegeNames[privilege] ?? '?', hexadecimal(pc), ...(name ? [`<${name}>`] : []), text].join(
      ' ',
    );
  }

  private half(virtual: bigint, hart: number): number | undefined {
    const physical = this.physical(BigInt.asUintN(64, virtual), hart);
    return physical === undefined ? undefined : this.memory.getUint16(at.RAM + (physical - RAM_BASE), true);
  }
}

export const hexadecimal = (value: bigint): string => value.toString(16).padStart(16, '0');
