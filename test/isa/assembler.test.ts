/** The assembler is the disassembler's inverse. */
import fc from 'fast-check';
import { AssemblyError, assemble } from '../../engine/isa/assembler';
import { disassemble } from '../../engine/isa/disassembler';
import { selectable } from '../../engine/isa/extensions';
import { instructionsOf, ofModels } from '../../engine/isa/table';

const table = instructionsOf([...selectable, ...ofModels.map(({ name }) => name)]);

/** Every instruction with arbitrary operands. */
const words = fc
  .tuple(fc.constantFrom(...table), fc.nat(0xffffffff))
  .map(([{ encoding }, bits]) => ((bits & ~encoding.mask) | encoding.match) >>> 0)
  .map((word) => ((word & 3) === 3 ? word : word & 0xffff));

test('what assembles prints as it was written, and prints nothing else', () => {
  let assembled = 0;
  fc.assert(
    fc.property(words, (word) => {
      const text = disassemble(word, table);
      fc.pre(!text.startsWith('.insn'));
      try {
        const result = assemble(text, table);
        expect(disassemble(result.word, table)).toBe(text);
        expect(result.length).toBe((word & 3) === 3 ? 4 : 2);
        assembled += 1;
      } catch (error) {
        // A text that leaves operands out (aq and rl, say) stands for several words.
        expect(error).toBeInstanceOf(AssemblyError);
      }
    }),
    { numRuns: 3000 },
  );
  expect(assembled).toBeGreaterThan(2000);
});

test.each([
  ['c.mv t6, a0', 0x8faa, 2],
  ['jal zero, 148', 0x0940006f, 4],
  ['sd zero, 0(a0)', 0x00053023, 4],
  ['csrrs zero, 0x100, t6', 0x100fa073, 4],
  ['hv.copy t6, a1, a2', 0x00c58f8b, 4],
  ['c.jr ra', 0x8082, 2],
])('%s', (line, word, length) => {
  expect(assemble(line, table)).toEqual({ word, length });
});

test.each([
  'addi a0, a1, 2048',
  'jal zero, 1',
  'c.j 4096',
  'nothing a0',
  'addi a0, q1, 0',
  'addi a0, a1',
  '',
])('"%s" is refused', (line) => {
  expect(() => assemble(line, table)).toThrow(AssemblyError);
});
