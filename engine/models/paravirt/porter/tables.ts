/**
 * Tables of the kernel that refer to code: what it will patch itself while it
 * boots, and where it goes on after a fault. Found by the symbols around them.
 */
import type { KernelSymbol } from './kallsyms';

type Symbols = ReadonlyMap<string, KernelSymbol>;

/** Each begins with s32 relative to its own place, the code's. */
interface TableFormat {
  readonly start: string;
  readonly stop: string;
  /** Bytes of an entry. */
  readonly size: number;
}

/** arch/riscv/include/asm/extable.h: insn s32, fixup s32, type s16, data s16. */
const EXCEPTIONS: TableFormat = { start: '__start___ex_table', stop: '__stop___ex_table', size: 12 };
const TYPE_FIXUP = 1;
/** arch/riscv/include/asm/alternative.h: old s32, new s32, vendor u16, size u16, patch u32. */
const ALTERNATIVES: TableFormat = { start: '__alt_start', stop: '__alt_end', size: 16 };
/** include/linux/jump_label.h: code s32, target s32, key s64. */
const JUMPS: TableFormat = { start: '__start___jump_table', stop: '__stop___jump_table', size: 16 };
const JUMP_BYTES = 4;

/** Symbols that have to be looked for. */
export const tableSymbols: readonly string[] = [EXCEPTIONS, ALTERNATIVES, JUMPS].flatMap(
  ({ start, stop }) => [start, stop],
);

function places(image: DataView, symbols: Symbols, { start, stop, size }: TableFormat): number[] {
  const first = symbols.get(start)?.offset ?? 0;
  const end = symbols.get(stop)?.offset ?? 0;
  if (first < 0 || end > image.byteLength || end < first) return [];
  return Array.from({ length: Math.floor((end - first) / size) }, (_, index) => first + index * size);
}

/** The value at a place that says how far away something lies. */
const target = (image: DataView, place: number): number => place + image.getInt32(place, true);

export interface CodeRange {
  readonly start: number;
  readonly end: number;
}

export class KernelTables {
  /** Code that the kernel writes itself, with what makes it do so. */
  readonly selfPatched: readonly (CodeRange & { readonly by: string })[];
  private readonly fixups: ReadonlyMap<number, number>;

  constructor(image: DataView, symbols: Symbols) {
    this.selfPatched = [
      ...places(image, symbols, ALTERNATIVES).map((entry) => {
        const start = target(image, entry);
        return { start, end: start + image.getUint16(entry + 10, true), by: 'an alternative for other CPUs' };
      }),
      ...places(image, symbols, JUMPS).map((entry) => {
        const start = target(image, entry);
        return { start, end: start + JUMP_BYTES, by: 'a static branch' };
      }),
    ];
    this.fixups = new Map(
      places(image, symbols, EXCEPTIONS)
        .filter((entry) => image.getInt16(entry + 8, true) === TYPE_FIXUP)
        .map((entry) => [target(image, entry), target(image, entry + 4)]),
    );
  }

  /** Where the kernel goes on when the instruction faults on a user's pointer. */
  fixup(instruction: number): number | undefined {
    return this.fixups.get(instruction);
  }
}
