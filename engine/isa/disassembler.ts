/** Instruction words as assembly text, derived from the instruction table. */
import { extract, isWithin, matches } from './encoding';
import type { Instruction } from './instruction';
import { allInstructions } from './table';

/** ABI names, "Integer Register Convention" and "Floating-point Register Convention" of the psABI. */
export const integerNames =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(
    ' ',
  );
export const floatNames =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'.split(
    ' ',
  );
export const roundingNames = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'rm5', 'rm6', 'dyn'];

/** How each word of a syntax string prints. Words that are no operand print as they are. */
const printers: readonly (readonly [
  pattern: RegExp,
  field: (word: string) => string,
  print: (value: number) => string,
])[] = [
  [/^f(rd|rs[123])$/, (word) => word.slice(1), (value) => floatNames[value]!],
  [/^(rd|rs[123])$/, (word) => word, (value) => integerNames[value]!],
  [/^v(d|s[123])$/, (word) => word, (value) => `v${value}`],
  [/^vm$/, (word) => word, (value) => (value === 0 ? 'v0.t' : '')],
  [/^zimm$/, () => 'rs1', String],
  [/^rm$/, (word) => word, (value) => roundingNames[value]!],
  [/^csr$/, (word) => word, (value) => `0x${value.toString(16)}`],
  [/^(imm|pred|succ|n|vtype)$/, (word) => word, String],
];

/** Value of a field, from the word or implied by the encoding. */
export function fieldValue(instruction: Instruction, field: string, word: number): number | undefined {
  const implied = instruction.implied[field];
  if (implied !== undefined) return implied;
  const operand = instruction.encoding.operands.get(field);
  return operand && extract(operand, word);
}

function printOperand(instruction: Instruction, text: string, word: number): string {
  for (const [pattern, field, print] of printers) {
    if (!pattern.test(text)) continue;
    const value = fieldValue(instruction, field(text), word);
    return value === undefined ? text : print(value);
  }
  return text;
}

/** The table's row for a word, or undefined when there is none: where encodings nest, the one that fixes most bits. */
export function find(word: number, table: readonly Instruction[] = allInstructions): Instruction | undefined {
  const length = (word & 3) === 3 ? 4 : 2;
  const low = length === 2 ? word & 0xffff : word >>> 0;
  let best: Instruction | undefined;
  for (const each of table) {
    if (each.encoding.length !== length || !matches(each.encoding, low)) continue;
    if (!best || isWithin(each.encoding, best.encoding)) best = each;
  }
  return best;
}

/** E.g. `addi a0, sp, 16`; an unknown word prints as `.insn 4, 0x...`. */
export function disassemble(word: number, table: readonly Instruction[] = allInstructions): string {
  const instruction = find(word, table);
  const length = (word & 3) === 3 ? 4 : 2;
  const low = length === 2 ? word & 0xffff : word >>> 0;
  if (!instruction) return `.insn ${length}, 0x${low.toString(16)}`;
  const operands = instruction.syntax.replace(/[a-z0-9]+/g, (text) => printOperand(instruction, text, low));
  return `${instruction.mnemonic} ${operands.replace(/, $/, '')}`.trimEnd(); // unmasked: vm is not written
}
