/** The instruction table: every extension, and the subsets that a hart may have. */
import { a } from './a';
import { c } from './c';
import { d } from './d';
import { f } from './f';
import type { Extension, Instruction } from './instruction';
import { m } from './m';
import { paravirt } from './paravirt';
import { privileged } from './privileged';
import { rv64i } from './rv64i';
import { v } from './v';
import { zba } from './zba';
import { zbb } from './zbb';
import { zbs } from './zbs';
import { zicsr } from './zicsr';
import { zifencei } from './zifencei';

/** What every hart has: RV64GC with its privileged instructions. */
export const base: readonly Extension[] = [rv64i, m, a, f, d, c, zicsr, zifencei, privileged];

/** What can be left out, by name. */
export const optional: readonly Extension[] = [zba, zbb, zbs, v];

/** What a model adds to its harts; no guest can ask for it. */
export const ofModels: readonly Extension[] = [paravirt];

/** What the base is called in device trees, with what it has in counters and CSRs alone. */
export const baseNames: readonly string[] = ['i', 'm', 'a', 'f', 'd', 'c', 'zicsr', 'zifencei', 'zicntr'];

/** Extensions without instructions: they show in CSRs. */
const withoutInstructions = ['sstc'];

/** Names that a guest may ask for, beyond rv64gc. */
export const selectable: readonly string[] = [...optional.map(({ name }) => name), ...withoutInstructions];

/** The instructions of rv64gc and the named extensions. */
export function instructionsOf(names: readonly string[]): readonly Instruction[] {
  const chosen = [...optional, ...ofModels].filter(({ name }) => names.includes(name));
  return [...base, ...chosen].flatMap((extension) => extension.instructions);
}

/** Every instruction there is. */
export const allInstructions = instructionsOf(selectable);
