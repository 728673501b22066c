/**
 * What a hart may have, by name: a row an extension. Device trees, `misa`, CSRs
 * and the instruction table (table.ts) follow from the names that are chosen.
 *
 * A new extension is a row here, its name in the profiles that have it, and its
 * meaning for users in lib/cpu-features.ts.
 */

export interface ExtensionRow {
  /** As in an ISA string, lower case. */
  readonly name: string;
  readonly version: string;
  /** Without these it does not exist: who asks for it gets them too. */
  readonly needs: readonly string[];
  /** A promise that holds for every hart of this engine; it may be named, and cannot be left out. */
  readonly always?: true;
}

const row = (name: string, version: string, ...needs: readonly string[]): ExtensionRow => ({
  name,
  version,
  needs,
});
const always = (name: string, version: string, ...needs: readonly string[]): ExtensionRow => ({
  ...row(name, version, ...needs),
  always: true,
});

export const extensionRows: readonly ExtensionRow[] = [
  // RV64GC. Unprivileged ISA manual, "ISA Extension Naming Conventions".
  always('i', '2.1'),
  always('m', '2.0'),
  always('a', '2.1'),
  always('f', '2.2'),
  always('d', '2.2', 'f'),
  always('c', '2.0'),
  always('zicsr', '2.0'),
  always('zifencei', '2.0'),
  always('zicntr', '2.0', 'zicsr'),
  always('zihpm', '2.0', 'zicsr'),
  // Parts of A and C by their own names.
  always('zaamo', '1.0', 'a'),
  always('zalrsc', '1.0', 'a'),
  always('zca', '1.0', 'c'),
  always('zcd', '1.0', 'c', 'd'),
  // Promises without instructions. RISC-V Profiles, "RVA22 Profiles".
  always('ziccamoa', '1.0', 'a'), // main memory takes all atomics
  always('ziccif', '1.0'), // an instruction is fetched at once
  always('zicclsm', '1.0'), // misaligned loads and stores work
  always('ziccrse', '1.0', 'a'), // lr/sc loops make progress
  always('za64rs', '1.0', 'a'), // a reservation is of 64 bytes at most
  always('zic64b', '1.0'), // a cache block has 64 bytes
  always('zkt', '1.0'), // an instruction takes one step of guest time, whatever its operands
  always('ssccptr', '1.0'), // page tables may lie in main memory
  always('sscounterenw', '1.0'), // scounteren can be written
  always('sstvala', '1.0'), // stval says what the manual wants it to
  always('sstvecd', '1.0'), // stvec takes every aligned address
  always('ssu64xl', '1.0'), // sstatus.UXL can be 64
  always('svbare', '1.0'), // satp can be off
  always('sv39', '1.0'), // three levels of page tables
  // Unprivileged.
  row('zicbom', '1.0'),
  row('zicbop', '1.0'),
  row('zicboz', '1.0'),
  row('zicond', '1.0'),
  row('zihintntl', '1.0'),
  row('zihintpause', '2.0'),
  row('zimop', '1.0'),
  row('zacas', '1.0', 'a'),
  row('zawrs', '1.01', 'a'),
  row('zfa', '1.0', 'f'),
  row('zfh', '1.0', 'zfhmin'),
  row('zfhmin', '1.0', 'f'),
  row('zba', '1.0'),
  row('zbb', '1.0'),
  row('zbc', '1.0'),
  row('zbkb', '1.0'),
  row('zbkc', '1.0'),
  row('zbs', '1.0'),
  // Vectors. Unprivileged ISA manual, "V" and "Zve*", "Zvl*".
  row('zvl32b', '1.0'),
  row('zvl64b', '1.0', 'zvl32b'),
  row('zvl128b', '1.0', 'zvl64b'),
  row('zve32x', '1.0', 'zvl32b'),
  row('zve32f', '1.0', 'zve32x', 'f'),
  row('zve64x', '1.0', 'zve32x', 'zvl64b'),
  row('zve64f', '1.0', 'zve32f', 'zve64x'),
  row('zve64d', '1.0', 'zve64f', 'd'),
  row('v', '1.0', 'zve64d', 'zvl128b'),
  row('zvfhmin', '1.0', 'zve32f'),
  row('zvfh', '1.0', 'zvfhmin', 'zfhmin'),
  row('zcb', '1.0', 'c'),
  row('zcmop', '1.0', 'c'),
  // Privileged.
  row('sdtrig', '1.0'), // breakpoints in hardware
  row('smcntrpmf', '1.0'), // cycle and instret by mode
  row('smepmp', '1.0'), // physical memory that M-mode itself may not execute, or not touch
  row('smstateen', '1.0', 'ssstateen'),
  row('sscofpmf', '1.0', 'zihpm'), // counters that interrupt
  row('ssstateen', '1.0'),
  row('sstc', '1.0'), // timer interrupts in S-mode
  row('sv48', '1.0', 'sv39'),
  row('sv57', '1.0', 'sv48'),
  row('svade', '1.0'), // A and D bits are software's to set
  row('svadu', '1.0'), // or the hart's, where it is told to
  row('svinval', '1.0'),
  row('svnapot', '1.0'), // pages of 64 KiB
  row('svpbmt', '1.0'), // memory types of pages
];

const namesWhere = (test: (row: ExtensionRow) => boolean): readonly string[] =>
  extensionRows.filter(test).map(({ name }) => name);

/** What every hart has. */
export const baseNames = namesWhere((row) => row.always === true);

/** What a guest may ask for beyond that. */
export const selectable = namesWhere((row) => row.always !== true);

/** Names for many at once: what they add to rv64gc. RISC-V Profiles, "RVA22U64" and "RVA22S64", what is mandatory. */
export const profiles: ReadonlyMap<string, readonly string[]> = new Map([
  ['rv64gc', []],
  [
    'rva22',
    [
      ...['zicbom', 'zicbop', 'zicboz', 'zihintpause', 'zfhmin', 'zba', 'zbb', 'zbs'],
      ...['svade', 'svinval', 'svpbmt'],
    ],
  ],
  ['max', selectable],
]);

/** The CPU of a guest that does not choose: RVA22, the timer that spares Linux a call a tick, and QEMU's page tables. */
export const defaultChoice: readonly string[] = ['rva22', 'sstc', 'sv57'];

/** A choice of extensions that cannot be. The message names the rule and what to do. */
export class ExtensionError extends Error {
  override readonly name = 'ExtensionError';
}

const byName: ReadonlyMap<string, ExtensionRow> = new Map(extensionRows.map((row) => [row.name, row]));

function known(name: string): ExtensionRow {
  const found = byName.get(name);
  if (found) return found;
  throw new ExtensionError(
    `"${name}" is no CPU feature that the engine has; known are ${[...profiles.keys(), ...selectable].join(', ')}`,
  );
}

/** Adds what a name stands for, with what that needs. `because` is what was asked for. */
function add(name: string, because: string, chosen: Set<string>, without: ReadonlySet<string>): void {
  if (chosen.has(name)) return;
  if (without.has(name)) {
    throw new ExtensionError(
      because === name
        ? `${name} is both asked for and left out; say ${name} or -${name}`
        : `${because} needs ${name}, which -${name} leaves out; leave out ${because} as well, or neither`,
    );
  }
  chosen.add(name);
  for (const needed of known(name).needs) add(needed, name, chosen, without);
}

/**
 * The extensions beyond `baseNames` that a choice comes to, complete and in the table's order, so that equal harts have
 * equal lists.
 *
 * @param choice extensions, profiles, and, with a minus sign, what to leave out: `['rva22', 'zfh', '-zicboz']`
 * @throws ExtensionError for a name that is unknown, cannot be left out, or is needed by another
 */
export function chooseExtensions(choice: readonly string[]): readonly string[] {
  const without = new Set(choice.filter((name) => name.startsWith('-')).map((name) => name.slice(1)));
  for (const name of without) {
    if (profiles.has(name)) throw new ExtensionError(`-${name}: leave out extensions by their own names`);
    if (known(name).always) throw new ExtensionError(`-${name}: every CPU of the engine has ${name}`);
  }
  const chosen = new Set<string>();
  for (const name of choice.filter((each) => !each.startsWith('-'))) {
    // What a profile brings, one may do without; what is asked for by name, not.
    for (const member of profiles.get(name)?.filter((each) => !without.has(each)) ?? [name])
      add(member, member, chosen, without);
  }
  return selectable.filter((name) => chosen.has(name));
}

/** The extensions of a guest that does not choose. */
export const defaultExtensions = chooseExtensions(defaultChoice);
