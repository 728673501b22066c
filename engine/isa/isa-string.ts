/** The names of a hart's extensions in the order that the manual wants. Unprivileged ISA manual, "ISA Extension Naming Conventions". */

/** Single letters in canonical order. */
const LETTERS = 'iemafdqlcbkjtpvnh';

/** Single letters, then Z extensions by the letter that they are closest to, then S extensions, each by name. */
export function canonicalOrder(extensions: readonly string[]): string[] {
  const rank = (name: string): number => {
    if (name.length === 1) return LETTERS.indexOf(name);
    return name.startsWith('z') ? 100 + LETTERS.indexOf(name[1]!) : 200;
  };
  return [...new Set(['i', ...extensions])].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** E.g. `rv64imafdc_zicsr_zifencei_zba_sstc`, as in `riscv,isa` of a device tree. */
export function isaString(extensions: readonly string[]): string {
  const ordered = canonicalOrder(extensions);
  const letters = ordered.filter((name) => name.length === 1).join('');
  return ['rv64' + letters, ...ordered.filter((name) => name.length > 1)].join('_');
}
