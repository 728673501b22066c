/** What is compared after every instruction, in the order of the compared arrays. */
import type { Target } from './target';

/** `newer`: only the newer QEMU shows it; `vector`: and only with the V extension. */
type Shown = 'always' | 'newer' | 'vector';

export type Field = { readonly name: string; readonly label: string; readonly shown: Shown } & (
  | { readonly kind: 'pc' | 'privilege' }
  | { readonly kind: 'x' | 'f'; readonly index: number }
  | { readonly kind: 'v'; readonly index: number; readonly half: 0 | 1 }
  | { readonly kind: 'csr'; readonly csr: number }
);

/** The CSRs that every QEMU prints in its `cpu` log. fcsr is not among them: programs read it. */
const csrs = [
  ['mstatus', 0x300], ['mip', 0x344], ['mie', 0x304], ['mideleg', 0x303], ['medeleg', 0x302], ['mtvec', 0x305],
  ['stvec', 0x105], ['mepc', 0x341], ['sepc', 0x141], ['mcause', 0x342], ['scause', 0x142], ['mtval', 0x343],
  ['stval', 0x143], ['mscratch', 0x340], ['sscratch', 0x140], ['satp', 0x180],
] as const; // prettier-ignore

const newerCsrs = [['fcsr', 0x003], ['scounteren', 0x106], ['mcounteren', 0x306]] as const; // prettier-ignore

const vectorCsrs = [
  ['vstart', 0x008], ['vxsat', 0x009], ['vxrm', 0x00a], ['vl', 0xc20], ['vtype', 0xc21],
] as const; // prettier-ignore

const csrField =
  (shown: Shown) =>
  ([name, csr]: readonly [string, number]): Field => ({ kind: 'csr', csr, name, label: ` ${name} `, shown });

const numbered = (count: number, first: number, field: (index: number) => Field): Field[] =>
  Array.from({ length: count }, (_, index) => field(first + index));

/** `label` is how the field's line in QEMU's log begins. */
export const fields: readonly Field[] = [
  { kind: 'pc', name: 'pc', label: ' pc ', shown: 'always' },
  { kind: 'privilege', name: 'privilege', label: ' priv ', shown: 'always' },
  ...csrs.map(csrField('always')),
  ...numbered(31, 1, (index) => ({ kind: 'x', index, name: `x${index}`, label: ` x${index}/`, shown: 'always' })),
  ...numbered(32, 0, (index) => ({ kind: 'f', index, name: `f${index}`, label: ` f${index}/`, shown: 'always' })),
  ...newerCsrs.map(csrField('newer')),
  ...vectorCsrs.map(csrField('vector')),
  // Registers of 128 bits, printed as one number: the high half first.
  ...([0, 1] as const).flatMap((half) =>
    numbered(32, 0, (index) => ({
      kind: 'v', index, half, name: `v${index}[${half}]`, label: ` v${index} `, shown: 'vector',
    })),
  ),
]; // prettier-ignore

export const fieldIndex: ReadonlyMap<string, number> = new Map(
  fields.map((field, index) => [field.name, index]),
);

export function indexOf(name: string): number {
  const index = fieldIndex.get(name);
  if (index === undefined) throw new Error(`${name} is not compared`);
  return index;
}

/** Indices of the fields that a target's reference shows. */
export function shownFields({ reference, extensions }: Target): readonly number[] {
  const newer = reference.name === 'newer';
  const shown = { always: true, newer, vector: newer && extensions.includes('v') };
  return fields.flatMap((field, index) => (shown[field.shown] ? [index] : []));
}
