/** What is compared after every instruction, in the order of the compared arrays. */

export type Field =
  | { readonly kind: 'pc' | 'privilege'; readonly name: string; readonly label: string }
  | { readonly kind: 'x' | 'f'; readonly index: number; readonly name: string; readonly label: string }
  | { readonly kind: 'csr'; readonly csr: number; readonly name: string; readonly label: string };

/** The CSRs that QEMU prints in its `cpu` log. fcsr is not among them: programs read it. */
const csrs = [
  ['mstatus', 0x300], ['mip', 0x344], ['mie', 0x304], ['mideleg', 0x303], ['medeleg', 0x302], ['mtvec', 0x305],
  ['stvec', 0x105], ['mepc', 0x341], ['sepc', 0x141], ['mcause', 0x342], ['scause', 0x142], ['mtval', 0x343],
  ['stval', 0x143], ['mscratch', 0x340], ['sscratch', 0x140], ['satp', 0x180],
] as const; // prettier-ignore

/** `label` is how the field's line in QEMU's log begins. */
export const fields: readonly Field[] = [
  { kind: 'pc', name: 'pc', label: ' pc ' },
  { kind: 'privilege', name: 'privilege', label: '' },
  ...csrs.map(([name, csr]): Field => ({ kind: 'csr', csr, name, label: ` ${name} ` })),
  ...Array.from({ length: 31 }, (_, index): Field => ({
    kind: 'x',
    index: index + 1,
    name: `x${index + 1}`,
    label: ` x${index + 1}/`,
  })),
  ...Array.from({ length: 32 }, (_, index): Field => ({
    kind: 'f',
    index,
    name: `f${index}`,
    label: ` f${index}/`,
  })),
];

export const fieldIndex: ReadonlyMap<string, number> = new Map(
  fields.map((field, index) => [field.name, index]),
);

export function indexOf(name: string): number {
  const index = fieldIndex.get(name);
  if (index === undefined) throw new Error(`${name} is not compared`);
  return index;
}
