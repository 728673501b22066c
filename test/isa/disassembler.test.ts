/**
 * The table's encodings against GNU binutils: random words that the table
 * decodes must be what objdump calls them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find } from '../../engine/isa/disassembler';
import { extract, matches, parseEncoding } from '../../engine/isa/encoding';
import { allInstructions } from '../../engine/isa/table';
import { describeIf } from '../support/conditions';
import { generator } from '../support/random';

const OBJDUMP = 'riscv64-linux-gnu-objdump';
const missing = spawnSync(OBJDUMP, ['--version']).status === 0 ? undefined : `${OBJDUMP} is not installed`;

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

/** Names under which objdump prints the same operation with `-M no-aliases`. */
const synonyms: Readonly<Record<string, string>> = {
  'c.addi': 'c.nop', // rd = x0
  'c.li': 'c.nop',
  'zext.h': 'zext.h',
};

describeIf(missing, 'instruction table against objdump', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'hv-objdump-'));
  afterAll(() => rmSync(scratch, { recursive: true }));

  it('gives every word the mnemonic that binutils gives it', () => {
    const list = instances(40);
    const bytes = Buffer.alloc(list.length * 4);
    // Compressed words are padded with c.nop, so that each has a word of its own.
    list.forEach(({ word }, i) => bytes.writeUInt32LE((word & 3) === 3 ? word : ((0x0001 << 16) | word) >>> 0, 4 * i));
    const file = join(scratch, 'words.bin');
    writeFileSync(file, bytes);
    const text = execFileSync(OBJDUMP, ['-D', '-b', 'binary', '-m', 'riscv:rv64', '-M', 'no-aliases', file], {
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
        const bare = objdump?.replace(/\.(aq|rl|aqrl)$/, '');
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
      const rows = allInstructions.filter((row) => row.encoding.length === length && matches(row.encoding, low));
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
