/** What a word is: the interpreter's decisions against a plain search of the table, for harts of many kinds. */
import fc from 'fast-check';
import { Hart } from '../../engine/cpu/hart';
import { type Decision, decide } from '../../engine/cpu/interpreter/decision';
import { type Decoder, buildDecoder } from '../../engine/cpu/interpreter/decode';
import * as at from '../../engine/cpu/layout';
import { find } from '../../engine/isa/disassembler';
import { chooseExtensions, extensionRows, profiles, selectable } from '../../engine/isa/extensions';
import type { Instruction } from '../../engine/isa/instruction';
import { allInstructions, instructionsOf, optional } from '../../engine/isa/table';
import { pokeWords, underTest } from './engine-under-test';

const RAM_BASE = 0x8000_0000n;
const HANDLER = RAM_BASE + 0x8000n;
const ILLEGAL = 2n;

/** Instances of rows with a few bits flipped, and words at random: what is next to an encoding is what gets confused. */
const words = fc
  .oneof(
    fc.nat(0xffffffff),
    fc
      .tuple(fc.constantFrom(...allInstructions), fc.nat(0xffffffff), fc.array(fc.nat(31), { maxLength: 2 }))
      .map(([{ encoding }, operands, flips]) =>
        flips.reduce((word, bit) => word ^ (1 << bit), (operands & ~encoding.mask) | encoding.match),
      ),
  )
  .map((word) => ((word & 3) === 3 ? word >>> 0 : word & 0xffff));

function follow(decision: Decision, word: number): Instruction | undefined {
  switch (decision.kind) {
    case 'nothing':
      return undefined;
    case 'instruction':
      return decision.instruction;
    case 'test':
      return follow((word & decision.mask) === decision.match ? decision.then : decision.otherwise, word);
    case 'table': {
      const { shift, width, cases } = decision;
      return follow(cases[(word >>> shift) & (2 ** width - 1)]!, word);
    }
  }
}

const decode = ({ index, classes }: Decoder, word: number): Instruction | undefined =>
  follow(decide(classes[index[word & 0xffff]!]!, 0xffff), word);

/** Rows that come to the same code, as hints do, may stand for each other. */
const codeOf = (row: Instruction | undefined): unknown =>
  row && [row.semantics, row.implied, row.encoding.length, row.encoding.operands];

test.each([
  ['rv64gc', []],
  ['rva22', ['rva22']],
  ['everything', ['max']],
  ['Zbkb without Zbb', ['zbkb']],
  ['Zcb without Zba and Zbb', ['zcb']],
])('a hart of %s takes each word for what the table says', (_, choice) => {
  const table = instructionsOf(chooseExtensions(choice));
  const decoder = buildDecoder(table);
  let found = 0;
  fc.assert(
    fc.property(words, (word) => {
      const expected = find(word, table);
      expect(codeOf(decode(decoder, word))).toEqual(codeOf(expected));
      if (expected) found += 1;
    }),
    { numRuns: 8000 },
  );
  expect(found).toBeGreaterThan(1000);
});

test('some classes are told apart by a jump table', () => {
  const decisions = buildDecoder(allInstructions).classes.map((each) => decide(each, 0xffff));
  expect(decisions.some(({ kind }) => kind === 'table')).toBe(true);
});

const hartOf = (choice: readonly string[]): Hart =>
  new Hart({
    ...underTest,
    ramSize: 2 ** 20,
    bus: { read: () => undefined, write: () => false },
    extensions: chooseExtensions(choice),
  });

/** The trap that a word ends in, in M-mode with everything on. */
function trapOf(hart: Hart, word: number): { cause: bigint; value: bigint; at: bigint; to: bigint } {
  pokeWords(hart, 0, [word]);
  hart.setCell(at.MTVEC, HANDLER);
  hart.setCell(at.MSTATUS, 0x7e00n);
  for (const cell of [at.MCAUSE, at.MTVAL, at.MEPC]) hart.setCell(cell, 0n);
  hart.pc = RAM_BASE;
  hart.privilege = 3;
  hart.run(1);
  return {
    cause: hart.cell(at.MCAUSE),
    value: hart.cell(at.MTVAL),
    at: hart.cell(at.MEPC),
    to: hart.pc,
  };
}

test.each([
  ['rv64gc', []],
  ['rva22', ['rva22']],
  ['everything', ['max']],
])('what is no instruction of a hart of %s is illegal, and mtval is the word', (_, choice) => {
  const hart = hartOf(choice);
  const table = instructionsOf(chooseExtensions(choice));
  fc.assert(
    fc.property(words, (word) => {
      fc.pre(!find(word, table));
      expect(trapOf(hart, word)).toEqual({ cause: ILLEGAL, value: BigInt(word), at: RAM_BASE, to: HANDLER });
    }),
    { numRuns: 3000 },
  );
});

test('each extension is there where it was chosen, and nowhere else', () => {
  const names = selectable.filter((name) => optional.some((each) => each.name === name));
  for (const name of names) {
    const others = [...profiles.get('max')!].filter((each) => !needsOf(each).has(name));
    const hart = hartOf(others);
    const without = instructionsOf(chooseExtensions(others));
    const gone = instructionsOf(selectable).filter(
      (row) => !find(row.encoding.match, without) && !without.includes(row),
    );
    const own = optional.filter((each) => each.name === name).flatMap(({ instructions }) => instructions);
    for (const { encoding } of gone) {
      const { cause, value } = trapOf(hart, encoding.match);
      expect([cause, value]).toEqual([ILLEGAL, BigInt(encoding.match)]);
    }
    // Rows that another extension shares, hints and instances of wider rows stay.
    expect(gone.length > 0 || own.every((row) => find(row.encoding.match, without))).toBe(true);
  }
});

/** A name, and all that it needs, directly or not. */
function needsOf(name: string): ReadonlySet<string> {
  const row = extensionRows.find((each) => each.name === name);
  return new Set([name, ...(row?.needs ?? []).flatMap((each) => [...needsOf(each)])]);
}
