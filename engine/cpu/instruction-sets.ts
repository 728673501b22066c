/** One list of instructions a set of extensions, so that what is derived from it is derived once. */
import type { Instruction } from '../isa/instruction';
import { instructionsOf } from '../isa/table';

const instructionSets = new Map<string, readonly Instruction[]>();

export function instructionsFor(extensions: readonly string[]): readonly Instruction[] {
  const key = extensions.join();
  const known = instructionSets.get(key) ?? instructionsOf(extensions);
  instructionSets.set(key, known);
  return known;
}
