/** Assembly text as instruction words: the disassembler's inverse, from the same table. */
import { disassemble, floatNames, integerNames, roundingNames } from './disassembler';
import type { Instruction } from './instruction';
import { allInstructions } from './table';

/** What a word of a syntax string stands for: the field, and the value of its text. Mirrors the disassembler's printers. */
const readers: readonly (readonly [
  pattern: RegExp,
  field: (word: string) => string,
  read: (text: string) => number,
])[] = [
  [/^f(rd|rs[123])$/, (word) => word.slice(1), (text) => floatNames.indexOf(text)],
  [/^(rd|rs[123])$/, (word) => word, (text) => integerNames.indexOf(text)],
  [/^v(d|s[123])$/, (word) => word, (text) => Number(/^v(\d+)$/.exec(text)?.[1] ?? NaN)],
  [/^vm$/, (word) => word, (text) => (text === '' ? 1 : 0)],
  [/^zimm$/, () => 'rs1', Number],
  [/^rm$/, (word) => word, (text) => roundingNames.indexOf(text)],
  [/^(csr|imm|pred|succ|n|vtype)$/, (word) => word, Number],
];

/** A line that is no instruction, or whose operand does not fit its field. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';
}

export interface AssembledInstruction {
  readonly word: number;
  /** Bytes: 2 or 4. */
  readonly length: 2 | 4;
}

/**
 * @param line as `disassemble` prints it, e.g. `addi a0, sp, 16`
 * @throws AssemblyError when it is no instruction of the table, or an operand does not fit
 */
export function assemble(
  line: string,
  table: readonly Instruction[] = allInstructions,
): AssembledInstruction {
  const [mnemonic = '', ...rest] = line.trim().split(/\s+/);
  const instruction = table.find((each) => each.mnemonic === mnemonic);
  if (!instruction) throw new AssemblyError(`"${line}": no instruction is called ${mnemonic}`);
  const { encoding } = instruction;
  const words = instruction.syntax.match(/[a-z0-9]+/g) ?? [];
  const texts = rest.join(' ').match(/-?[a-z0-9]+/g) ?? [];
  let word = encoding.match;
  words.forEach((name, index) => {
    const [, field, read] = readers.find(([pattern]) => pattern.test(name)) ?? [];
    const operand = field && encoding.operands.get(field(name));
    if (!operand || !read) return;
    const value = read(texts[index] ?? '') - operand.bias;
    for (const { from, to, width } of operand.pieces) word |= ((value >> to) & (2 ** width - 1)) << from;
  });
  // What does not fit its field, or is spelled in another way, comes back differently.
  if (disassemble(word >>> 0, table) !== line.trim()) {
    throw new AssemblyError(
      `"${line}" cannot be encoded; it comes back as "${disassemble(word >>> 0, table)}"`,
    );
  }
  return { word: word >>> 0, length: encoding.length };
}
