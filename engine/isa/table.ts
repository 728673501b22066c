/** The instruction table: every extension's rows, and the rows that a hart has. */
import { a } from './a';
import { c } from './c';
import { d } from './d';
import { baseNames, selectable } from './extensions';
import { f } from './f';
import { zicbop, zihintntl, zihintpause } from './hints';
import type { Extension, Instruction } from './instruction';
import { m } from './m';
import { paravirt } from './paravirt';
import { privileged } from './privileged';
import { rv64i } from './rv64i';
import { vector } from './v';
import { svinval } from './svinval';
import { zacas } from './zacas';
import { zawrs } from './zawrs';
import { zba } from './zba';
import { zbb } from './zbb';
import { zbc, zbkc } from './zbc';
import { zbkb } from './zbkb';
import { zbs } from './zbs';
import { zcb } from './zcb';
import { zfa } from './zfa';
import { zfh, zfhmin } from './zfh';
import { zicbom, zicboz } from './zicbom';
import { zicond } from './zicond';
import { zicsr } from './zicsr';
import { zifencei } from './zifencei';
import { zcmop, zimop } from './zimop';

/** What every hart has: RV64GC with its privileged instructions. */
export const base: readonly Extension[] = [rv64i, m, a, f, d, c, zicsr, zifencei, privileged];

/** What a hart has where it has the extension: the names are those of extensions.ts. */
export const optional: readonly Extension[] = [
  zicbom,
  zicbop,
  zicboz,
  zicond,
  ...zihintntl,
  zihintpause,
  zimop,
  zacas,
  zawrs,
  ...zfa,
  zfh,
  zfhmin,
  zba,
  zbb,
  zbc,
  zbkb,
  zbkc,
  zbs,
  ...zcb,
  zcmop,
  svinval,
  ...vector,
];

/** What a model adds to its harts; no guest can ask for it. */
export const ofModels: readonly Extension[] = [paravirt];

/** The instructions of rv64gc and the named extensions. */
export function instructionsOf(names: readonly string[]): readonly Instruction[] {
  const there = new Set([...baseNames, ...names]);
  const chosen = [...optional, ...ofModels].filter(({ name, besides }) =>
    [name, ...besides].every((each) => there.has(each)),
  );
  // Extensions may share rows.
  return [...new Set([...base, ...chosen].flatMap((extension) => extension.instructions))];
}

/** Every instruction there is. */
export const allInstructions = instructionsOf(selectable);
