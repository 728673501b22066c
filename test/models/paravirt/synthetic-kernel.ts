/** A kernel image of a few kilobytes that has what the porter looks for, made as scripts/kallsyms.c of Linux lays it out. */
import { assemble } from '../../../engine/isa/assembler';
import type { KernelSymbol } from '../../../engine/models/paravirt/porter/kallsyms';

export interface SyntheticKernel {
  readonly offsets: 'relative to their place' | 'relative to a base' | 'none';
  /** An entry in the table of alternatives that covers memcpy's second instruction. */
  readonly alternative?: boolean;
}

const CODE = 0x100;
const MEMCPY = CODE;
const MEMSET = CODE + 0x80;
const ALTERNATIVES = 0x800;
const TABLE = 0x1000;
const FILLERS = 600;

const memcpy = [
  'c.mv t6, a0', 'sltiu a3, a2, 128', 'c.bnez a3, 16', 'andi a3, t6, 7', 'andi a4, a1, 7', 'bne a3, a4, 6',
  'c.jr ra', 'c.beqz a2, 14', 'add a3, a1, a2', 'or a5, a1, t6', 'c.or a5, a3', 'c.andi a5, 3', 'c.jr ra',
]; // prettier-ignore

/** Token numbers of a text: single characters, and two longer tokens as the real tables have. */
const LONG: Readonly<Record<number, string>> = { 1: 'mem', 2: 'table' };
function encode(text: string): number[] {
  const tokens: number[] = [];
  for (let place = 0; place < text.length;) {
    const long = Object.entries(LONG).find(([, token]) => text.startsWith(token, place));
    tokens.push(long ? Number(long[0]) : text.charCodeAt(place));
    place += long ? long[1].length : 1;
  }
  return tokens;
}

export function syntheticKernel({ offsets, alternative = false }: SyntheticKernel): {
  readonly image: Uint8Array;
  readonly symbols: readonly KernelSymbol[];
} {
  const image = new Uint8Array(0x6000);
  const view = new DataView(image.buffer);
  view.setBigUint64(16, BigInt(image.length), true);
  view.setBigUint64(0x30, 0x5643534952n, true);
  view.setUint32(0x38, 0x05435352, true);

  let place = MEMCPY;
  for (const line of memcpy) {
    const { word, length } = assemble(line);
    for (let byte = 0; byte < length; byte++) image[place++] = word >>> (8 * byte);
  }
  view.setUint16(MEMSET, 0x8082, true); // c.jr ra
  if (alternative) {
    view.setInt32(ALTERNATIVES, MEMCPY + 2 - ALTERNATIVES, true);
    view.setUint16(ALTERNATIVES + 10, 4, true);
  }

  const symbols: KernelSymbol[] = [
    { name: '_start', type: 'T', offset: 0 },
    { name: 'memcpy', type: 'W', offset: MEMCPY },
    { name: 'memset', type: 'T', offset: MEMSET },
    ...Array.from({ length: FILLERS }, (_, index) => ({
      name: `f${index}`,
      type: 't',
      offset: 0x200 + 2 * index,
    })),
    { name: '__alt_start', type: 'R', offset: ALTERNATIVES },
    { name: '__alt_end', type: 'R', offset: ALTERNATIVES + (alternative ? 16 : 0) },
  ].sort((a, b) => a.offset - b.offset);
  if (offsets === 'none') return { image, symbols };

  view.setUint32(TABLE, symbols.length, true);
  const names = TABLE + 4;
  const markers: number[] = [];
  place = names;
  symbols.forEach(({ name, type }, index) => {
    if (index % 256 === 0) markers.push(place - names);
    const tokens = encode(type + name);
    image.set([tokens.length, ...tokens], place);
    place += 1 + tokens.length;
  });
  place = (place + 3) & ~3;
  for (const marker of markers) {
    view.setUint32(place, marker, true);
    place += 4;
  }
  const tokenTable = place;
  const index: number[] = [];
  for (let token = 0; token < 256; token++) {
    index.push(place - tokenTable);
    const text = LONG[token] ?? (token > 0x20 && token < 0x7f ? String.fromCharCode(token) : '');
    image.set(Buffer.from(`${text}\0`, 'latin1'), place);
    place += text.length + 1;
  }
  place = (place + 3) & ~3;
  for (const offset of index) {
    view.setUint16(place, offset, true);
    place += 2;
  }
  for (const { offset } of symbols) {
    view.setInt32(place, offsets === 'relative to a base' ? offset : offset - place, true);
    place += 4;
  }
  return { image: image.subarray(0, (place + 0xff) & ~0xff).slice(), symbols };
}
