/**
 * The decoder, derived from the instruction table. One byte for every value
 * of an instruction's low half gives its class: a compressed instruction is
 * settled by that, a 32-bit one but for what its upper half says.
 */
import { isWithin, matches } from '../../isa/encoding';
import type { Instruction } from '../../isa/instruction';

export interface Decoder {
  /** Class of each low half: an index into `classes`. */
  readonly index: Uint8Array;
  /** The instructions that share a class; class 0 is empty: no such instruction. */
  readonly classes: readonly (readonly Instruction[])[];
}

const LOW_HALVES = 0x10000;

function candidates(instructions: readonly Instruction[], low: number): number[] {
  const found: number[] = [];
  const compressed = (low & 3) !== 3;
  instructions.forEach(({ encoding }, i) => {
    const fits = compressed
      ? encoding.length === 2 && matches(encoding, low)
      : encoding.length === 4 && (low & encoding.mask & 0xffff) === (encoding.match & 0xffff);
    if (fits) found.push(i);
  });
  if (!compressed) return found;
  // The low half is all there is: of nested encodings only the innermost can be meant.
  const hasInner = (i: number): boolean =>
    found.some((j) => isWithin(instructions[j]!.encoding, instructions[i]!.encoding));
  return found.filter((i) => !hasInner(i));
}

export function buildDecoder(instructions: readonly Instruction[]): Decoder {
  for (const { encoding, mnemonic } of instructions) {
    if (encoding.length === 4 && encoding.excluded.size > 0)
      throw new Error(`${mnemonic}: values can be excluded in compressed encodings only`);
  }
  const index = new Uint8Array(LOW_HALVES);
  const classes: Instruction[][] = [[]];
  const known = new Map<string, number>([['', 0]]);
  // Candidates are sought among those of one opcode: the low seven bits of a word, or two and three of a compressed one.
  const byOpcode = new Map<number, Instruction[]>();
  const opcode = (low: number): number =>
    (low & 3) === 3 ? low & 0x7f : 0x80 | (low & 3) | ((low >> 8) & 0xe0);
  for (const instruction of instructions) {
    const key = opcode(instruction.encoding.match);
    byOpcode.set(key, [...(byOpcode.get(key) ?? []), instruction]);
  }
  for (let low = 0; low < LOW_HALVES; low++) {
    const list = byOpcode.get(opcode(low));
    if (!list) continue;
    const found = candidates(list, low);
    const key = found.length ? `${opcode(low)}:${found.join()}` : '';
    let number = known.get(key);
    if (number === undefined) {
      number = classes.length;
      known.set(key, number);
      classes.push(found.map((i) => list[i]!));
    }
    index[low] = number;
  }
  if (classes.length > 256) throw new Error(`${classes.length} decode classes do not fit a byte`);
  return { index, classes };
}
