/**
 * The table's encodings against GNU binutils: random words that the table
 * decodes must be what objdump calls them.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find } from '../../engine/isa/disassembler';
import { extract, matches, parseEncoding } from '../../engine/isa/encoding';
import { allInstructions } from '../../engine/isa/table';
import { describeWith, program } from '../requirement';

const ASSEMBLER = 'riscv64-linux-gnu-as';
const OBJDUMP = 'riscv64-linux-gnu-objdump';

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
function instances(count: number): { word: number; mnemonic: string }[] {
  const draw = generator(20261124);
  return allInstructions.flatMap((row) => {
    const { encoding, mnemonic } = row;
    const list: { word: number; mnemonic: string }[] = [];
    for (let tries = 0; list.length < count && tries < 100 * count; tries++) {
      const width = encoding.length === 2 ? 0xffff : 0xffffffff;
      const word = ((encoding.match | (draw() & ~encoding.mask)) & width) >>> 0;
      if (matches(encoding, word)) list.push({ word, mnemonic });
    }
    return list;
  });
}

/** Rows with fields that hardware has to ignore ("shall ignore", or exact whatever rm says) and binutils wants zero. */
const reservedFields = new Set(['fence', 'fence.i', 'fcvt.d.s', 'fcvt.d.w', 'fcvt.d.wu']);

/** Names under which objdump prints the same operation with `-M no-aliases`. */
const synonyms: Readonly<Record<string, string>> = {
  'c.addi': 'c.nop', // rd = x0
  fence: 'fence.tso',
};

describeWith([program(OBJDUMP, 'binutils-riscv64-linux-gnu')], 'instruction table against objdump', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'hv-objdump-'));
  afterAll(() => rmSync(scratch, { recursive: true }));

  it('gives every word the mnemonic that binutils gives it', () => {
    const list = instances(40);
    // Through the assembler, whose object file tells objdump which extensions there are. Compressed words are
    // followed by c.nop, so that each instruction has four bytes of its own.
    const lines = list.map(({ word }) => ((word & 3) === 3 ? `.4byte ${word}` : `.2byte ${word}, 1`));
    const source = join(scratch, 'words.s');
    const object = join(scratch, 'words.o');
    writeFileSync(source, `${lines.join('\n')}\n`);
    execFileSync(ASSEMBLER, ['-march=rv64gc_zba_zbb_zbs_zicsr_zifencei_svinval', '-o', object, source]);
    const text = execFileSync(OBJDUMP, ['-D', '-j', '.text', '-M', 'no-aliases', object], {
      maxBuffer: 1 << 28,
    }).toString();
    const printed = new Map<number, string>();
    for (const line of text.split('\n')) {
      const match = /^\s*([0-9a-f]+):\s+[0-9a-f]+\s+(\S+)/.exec(line);
      if (match) printed.set(parseInt(match[1]!, 16), match[2]!);
    }
    const wrong = list
      .map(({ word, mnemonic }, i) => ({ word: word.toString(16), mnemonic, objdump: printed.get(4 * i) }))
      .filter(({ mnemonic, objdump }) => {
        if (objdump === '.4byte' && reservedFields.has(mnemonic)) return false;
        const bare = objdump?.replace(/\.(aq|rl|aqrl)$|(?<=^c\..*)64$/, '');
        return bare !== mnemonic && bare !== synonyms[mnemonic];
      });
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(list.length).toBeGreaterThan(allInstructions.length * 30);
  });
});

describe('instruction table', () => {
  it('has no two rows that claim one word', () => {
    const draw = generator(7);
    for (let i = 0; i < 20000; i++) {
      const word = draw() >>> 0;
      const low = (word & 3) === 3 ? word : word & 0xffff;
      const length = (word & 3) === 3 ? 4 : 2;
      const rows = allInstructions.filter(
        (row) => row.encoding.length === length && matches(row.encoding, low),
      );
      expect(rows.length).toBeLessThan(2);
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
