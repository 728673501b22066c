/**
 * The table's encodings against GNU binutils: random words that the table
 * decodes must be what objdump calls them.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find } from '../../engine/isa/disassembler';
import { extract, isWithin, matches, parseEncoding } from '../../engine/isa/encoding';
import { chooseExtensions } from '../../engine/isa/extensions';
import type { Instruction } from '../../engine/isa/instruction';
import { allInstructions, instructionsOf, optional } from '../../engine/isa/table';
import { marchOf, references } from '../differential/references';
import { describeWith } from '../requirement';

/** What binutils 2.40 (Debian 12) knows of what a guest may choose; the newer reference knows it all. */
const older = 'zba zbb zbs zbc zbkb zbkc zawrs zfh zfhmin zicbom zicbop zicboz zihintpause svinval'.split(
  ' ',
);
const judges = [
  { name: 'binutils', reference: references.qemu, extensions: older },
  {
    name: 'newer binutils',
    reference: references.newer,
    extensions: [...new Set([...optional.map(({ name }) => name), 'v'])],
  },
];

/** Seeded words, uniform over 32 bits: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    const word = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61));
    return (word ^ (word >>> 14)) >>> 0;
  };
}

/** A word of each row with its operands drawn at random. */
function instances(
  count: number,
  table: readonly Instruction[] = allInstructions,
): { word: number; mnemonic: string }[] {
  const draw = generator(20261124);
  return table.flatMap((row) => {
    const { encoding, mnemonic } = row;
    const list: { word: number; mnemonic: string }[] = [];
    for (let tries = 0; list.length < count && tries < 100 * count; tries++) {
      const width = encoding.length === 2 ? 0xffff : 0xffffffff;
      const word = ((encoding.match | (draw() & ~encoding.mask)) & width) >>> 0;
      if (find(word, table) === row) list.push({ word, mnemonic });
    }
    return list;
  });
}

/** Rows with fields that hardware has to ignore ("shall ignore", or exact whatever rm says) and binutils wants zero. */
const reservedFields = new Set([
  'fence',
  'fence.i',
  'fcvt.d.s',
  'fcvt.d.w',
  'fcvt.d.wu',
  'fcvt.s.h',
  'fcvt.d.h',
]);

/** Names under which objdump prints the same operation with `-M no-aliases`. */
const synonyms: Readonly<Record<string, string>> = {
  'c.addi': 'c.nop', // rd = x0
  fence: 'fence.tso',
};

/** Without orderings, the width of shifts, and the numbers of may-be-operations. */
const bareName = (printed: string | undefined): string | undefined =>
  printed?.replace(/\.(aq|rl|aqrl)$|(?<=^c\..*)64$|(?<=^(c\.mop|mop\.rr?))\.\d+$/, '');

const isUnknown = (printed: string | undefined): boolean => printed === '.4byte' || printed === '.insn';

function mnemonicsOf(words: readonly number[], { reference, extensions }: (typeof judges)[number]): string[] {
  const scratch = mkdtempSync(join(tmpdir(), 'hv-objdump-'));
  try {
    // Through the assembler, whose object file tells objdump which extensions there are. Compressed words are
    // followed by c.nop, so that each instruction has four bytes of its own.
    const lines = words.map((word) => ((word & 3) === 3 ? `.4byte ${word}` : `.2byte ${word}, 1`));
    const source = join(scratch, 'words.s');
    const object = join(scratch, 'words.o');
    writeFileSync(source, `${lines.join('\n')}\n`);
    execFileSync(reference.assembler, [`-march=${marchOf(extensions)}`, '-o', object, source]);
    const text = execFileSync(reference.objdump, ['-D', '-j', '.text', '-M', 'no-aliases', object], {
      maxBuffer: 1 << 28,
    }).toString();
    const printed: string[] = [];
    for (const line of text.split('\n')) {
      const match = /^\s*([0-9a-f]+):\s+[0-9a-f]+\s+(\S+)/.exec(line);
      if (match) printed[parseInt(match[1]!, 16) / 4] ??= match[2]!;
    }
    return printed;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

for (const judge of judges) {
  describeWith([judge.reference.requirement], `instruction table against ${judge.name}`, () => {
    it('gives every word the mnemonic that binutils gives it', () => {
      const table = instructionsOf(chooseExtensions(judge.extensions));
      const list = instances(40, table);
      const printed = mnemonicsOf(
        list.map(({ word }) => word),
        judge,
      );
      const wrong = list
        .map(({ word, mnemonic }, i) => ({ word: word.toString(16), mnemonic, objdump: printed[i] }))
        .filter(({ mnemonic, objdump }) => {
          if (isUnknown(objdump) && reservedFields.has(mnemonic)) return false;
          const bare = bareName(objdump);
          return bare !== mnemonic && bare !== synonyms[mnemonic];
        });
      expect(wrong.slice(0, 10)).toEqual([]);
      expect(list.length).toBeGreaterThan(table.length * 20);
    });
  });
}

describe('instruction table', () => {
  it('has no two rows that claim one word, unless one lies within the other', () => {
    const draw = generator(7);
    for (let i = 0; i < 20000; i++) {
      const word = draw() >>> 0;
      const low = (word & 3) === 3 ? word : word & 0xffff;
      const length = (word & 3) === 3 ? 4 : 2;
      const rows = allInstructions.filter(
        (row) => row.encoding.length === length && matches(row.encoding, low),
      );
      const nested = rows.every((a) =>
        rows.every((b) => a === b || isWithin(a.encoding, b.encoding) || isWithin(b.encoding, a.encoding)),
      );
      expect(nested).toBe(true);
    }
  });

  it('finds each row by a word of its own', () => {
    for (const { word, mnemonic } of instances(5)) expect(find(word)?.mnemonic).toBe(mnemonic);
  });
});

describe('encoding diagrams', () => {
  it('reads scattered immediates as the manual writes them', () => {
    const branch = parseEncoding('imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011');
    expect(extract(branch.operands.get('imm')!, 0xfe0716e3)).toBe(-20);
    expect(branch.mask).toBe(0x0000707f);
  });

  it('refuses a diagram of the wrong width, and a field without bits', () => {
    expect(() => parseEncoding('0000000 rs2 rs1')).toThrow('17 bits');
    expect(() => parseEncoding('imm rs1 000 rd 0010011')).toThrow('needs its bits');
  });
});
