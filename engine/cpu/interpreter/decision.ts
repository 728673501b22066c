/**
 * How instructions of one class are told apart: a decision over the bits of
 * the word. Where encodings nest (`zext.h` is `packw` with x0), the one that
 * fixes more bits is meant.
 */
import type { Instruction, Semantics } from '../../isa/instruction';

export type Decision =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'instruction'; readonly instruction: Instruction }
  | {
      readonly kind: 'test';
      readonly mask: number;
      readonly match: number;
      readonly then: Decision;
      readonly otherwise: Decision;
    }
  /** By the value of `width` bits from `shift` on; equal cases are the same object. */
  | {
      readonly kind: 'table';
      readonly shift: number;
      readonly width: number;
      readonly cases: readonly Decision[];
    };

const NOTHING: Decision = { kind: 'nothing' };

/** Decisions that come to the same code are the same object, so that a table has it once. */
const interned = new Map<string, Decision>();
const numbers = new Map<object, number>();
function numberOf(thing: Decision | Semantics): number {
  const number = numbers.get(thing) ?? numbers.size;
  numbers.set(thing, number);
  return number;
}

function intern(decision: Decision): Decision {
  const key = keyOf(decision);
  const known = interned.get(key) ?? decision;
  interned.set(key, known);
  return known;
}

function keyOf(decision: Decision): string {
  switch (decision.kind) {
    case 'nothing':
      return '';
    case 'instruction': {
      const { semantics, implied, encoding } = decision.instruction;
      const { length, operands, excluded } = encoding;
      return JSON.stringify([numberOf(semantics), implied, length, [...operands], [...excluded]]);
    }
    case 'test': {
      const { mask, match, then, otherwise } = decision;
      return `${mask} ${match} ${numberOf(then)} ${numberOf(otherwise)}`;
    }
    case 'table':
      return `${decision.shift}: ${decision.cases.map(numberOf).join()}`;
  }
}
/** A few comparisons, the first of which often holds, are quicker than an indirect jump. */
const MOST_COMPARISONS = 3;
const WIDEST_TABLE = 7;

const bitCount = (mask: number): number => {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
};

/** `known` are the bits that have been looked at: all of these instructions agree with the word there. */
export function decide(instructions: readonly Instruction[], known: number): Decision {
  if (instructions.length === 0) return NOTHING;
  const shared = instructions.reduce((mask, { encoding }) => mask & encoding.mask, ~known);
  if (shared === 0) return decideNested(instructions, known);
  const groups = groupBy(instructions, shared);
  if (groups.size > MOST_COMPARISONS) {
    const window = bestWindow([...groups.keys()]);
    if (window) return decideByTable(instructions, known, shared, window);
  }
  return [...groups].reduceRight<Decision>(
    (otherwise, [match, group]) =>
      intern({ kind: 'test', mask: shared, match, then: decide(group, known | shared), otherwise }),
    NOTHING,
  );
}

function groupBy(instructions: readonly Instruction[], mask: number): Map<number, Instruction[]> {
  const groups = new Map<number, Instruction[]>();
  for (const instruction of instructions) {
    const value = instruction.encoding.match & mask;
    const group = groups.get(value);
    if (group) group.push(instruction);
    else groups.set(value, [instruction]);
  }
  return groups;
}

/** No bit is fixed by all of them: the most specific first, the one that fixes nothing more last. */
function decideNested(instructions: readonly Instruction[], known: number): Decision {
  const rest = ({ encoding }: Instruction): number => encoding.mask & ~known;
  const ordered = [...instructions].sort((a, b) => bitCount(rest(b)) - bitCount(rest(a)));
  const open = ordered.filter((each) => rest(each) === 0);
  if (open.length > 1) {
    throw new Error(`encodings overlap: ${open.map(({ mnemonic }) => mnemonic).join(', ')}`);
  }
  return ordered.reduceRight<Decision>((otherwise, instruction) => {
    const found = intern({ kind: 'instruction', instruction });
    const mask = rest(instruction);
    if (mask === 0) return found;
    return intern({ kind: 'test', mask, match: instruction.encoding.match & mask, then: found, otherwise });
  }, NOTHING);
}

interface Window {
  readonly shift: number;
  readonly width: number;
}

/** The bits, not too far apart for a table, by which most of the values differ; undefined where a table tells few. */
function bestWindow(values: readonly number[]): Window | undefined {
  let best: Window | undefined;
  let most = MOST_COMPARISONS;
  for (let shift = 16; shift < 32; shift++) {
    for (let width = 2; width <= Math.min(WIDEST_TABLE, 32 - shift); width++) {
      const told = new Set(values.map((value) => (value >>> shift) & (2 ** width - 1))).size;
      if (told > most) {
        most = told;
        best = { shift, width };
      }
    }
  }
  return best;
}

function decideByTable(
  instructions: readonly Instruction[],
  known: number,
  shared: number,
  { shift, width }: Window,
): Decision {
  const looked = shared & ((2 ** width - 1) << shift);
  const decisions = new Map(
    [...groupBy(instructions, looked)].map(([value, group]) => [value, decide(group, known | looked)]),
  );
  // Bits of the window that are no one's opcode may have any value.
  const cases = Array.from({ length: 2 ** width }, (_, index) => {
    const value = (index << shift) & looked;
    return decisions.get(value) ?? NOTHING;
  });
  return intern({ kind: 'table', shift, width, cases });
}
