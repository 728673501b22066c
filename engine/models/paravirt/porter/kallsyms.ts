/**
 * The symbol table that a Linux kernel carries within itself for its own
 * messages, found and decoded without any table from outside.
 *
 * scripts/kallsyms.c of Linux writes these, one after the other, each aligned
 * to its elements at least (to 8 bytes in older kernels):
 *
 * ```
 * num_syms     u32
 * names        for each symbol: length (u8, or two bytes when bit 7 is set), then that many token numbers
 * markers      u32 for every 256th symbol: its offset in names
 * token_table  256 strings, each ended by NUL; names are written in them
 * token_index  256 x u16: offsets of the strings
 * offsets      for each symbol s32 relative to its own place, or u32 relative to a base common to all
 * ```
 *
 * The first character of a name is the type of the symbol, as `nm` prints it.
 * A kernel is linked as position-independent code, so what the table gives are
 * distances; they are counted from `_start` here, where the image begins.
 */
import { ImageError } from '../../image-error';

export interface KernelSymbol {
  readonly name: string;
  /** As `nm` prints it: `T` and `t` are code. */
  readonly type: string;
  /** Bytes from the start of the image. May lie beyond the file, in .bss. */
  readonly offset: number;
}

export interface KernelSymbols {
  /** In the order of their addresses. */
  readonly all: readonly KernelSymbol[];
  /** The first symbol of that name. */
  find(name: string): KernelSymbol | undefined;
}

const TOKENS = 256;
const SYMBOLS_A_MARKER = 256;
const LONGEST_TOKEN = 128;
/** Digits are used in names so much that each has its own token, at its own code: "0\0" to "9\0" in sequence. */
const DIGITS = { first: 0x30, count: 10 };
/** Places that look like the digits but lead nowhere; more of them than this is no kernel. */
const MOST_CANDIDATES = 4096;

interface Tokens {
  readonly strings: readonly string[];
  /** Where the table begins, and where the index ends. */
  readonly start: number;
  readonly end: number;
}

interface Names {
  readonly symbols: readonly { readonly name: string; readonly type: string }[];
}

/**
 * @param label what to call the image in errors
 * @throws ImageError when there is no such table, naming what was looked for
 */
export function readKernelSymbols(label: string, image: Uint8Array): KernelSymbols {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const refuse = (missing: string): ImageError =>
    new ImageError(
      `${label} cannot be ported: ${missing}; give a kernel built with CONFIG_KALLSYMS ` +
        '(distributions do), or start it unported',
    );
  const tokens = findTokens(view);
  if (!tokens) {
    throw refuse(
      'its symbol table was looked for by the token table and token index of kallsyms, and is not there',
    );
  }
  const names = findNames(view, tokens);
  if (!names)
    throw refuse('the names of its symbol table (kallsyms_names, kallsyms_markers) do not fit together');
  const offsets = findOffsets(view, tokens.end, names);
  if (!offsets) throw refuse('the addresses of its symbol table (kallsyms_offsets) do not fit together');
  const all = names.symbols.map((symbol, index) => ({ ...symbol, offset: offsets[index]! }));
  const byName = new Map<string, KernelSymbol>();
  for (const symbol of all) if (!byName.has(symbol.name)) byName.set(symbol.name, symbol);
  return { all, find: (name) => byName.get(name) };
}

const alignUp = (offset: number, by: number): number => Math.ceil(offset / by) * by;

function findTokens(view: DataView): Tokens | undefined {
  const image = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const isDigits = (place: number): boolean => {
    for (let digit = 0; digit < DIGITS.count; digit++) {
      if (image[place + 2 * digit] !== DIGITS.first + digit || image[place + 2 * digit + 1] !== 0)
        return false;
    }
    return true;
  };
  let candidates = 0;
  for (let place = image.indexOf(DIGITS.first); place >= 0; place = image.indexOf(DIGITS.first, place + 1)) {
    if (!isDigits(place)) continue;
    if (++candidates > MOST_CANDIDATES) return undefined;
    const start = stringsBefore(image, place, DIGITS.first);
    const tokens = start === undefined ? undefined : readTokens(view, image, start);
    if (tokens) return tokens;
  }
  return undefined;
}

/** Start of the `count`-th string before `place`. */
function stringsBefore(image: Uint8Array, place: number, count: number): number | undefined {
  let start = place;
  for (let string = 0; string < count; string++) {
    const end = start - 1; // its NUL
    start = end;
    while (start > 0 && image[start - 1] !== 0) {
      if (end - start > LONGEST_TOKEN) return undefined;
      start--;
    }
    if (start <= 0) return undefined;
  }
  return start;
}

/** The table at `start`, if the index that follows confirms each string's place. */
function readTokens(view: DataView, image: Uint8Array, start: number): Tokens | undefined {
  const strings: string[] = [];
  const places: number[] = [];
  let place = start;
  for (let token = 0; token < TOKENS; token++) {
    const end = image.indexOf(0, place);
    if (end < 0 || end - place > LONGEST_TOKEN) return undefined;
    places.push(place - start);
    strings.push(String.fromCharCode(...image.subarray(place, end)));
    place = end + 1;
  }
  for (const alignment of [2, 4, 8]) {
    const index = alignUp(place, alignment);
    const end = index + 2 * TOKENS;
    if (end > view.byteLength) continue;
    if (places.every((offset, token) => view.getUint16(index + 2 * token, true) === offset)) {
      return { strings, start, end };
    }
  }
  return undefined;
}

/** Reads markers backwards from the token table, and from the last of them the names. */
function findNames(view: DataView, tokens: Tokens): Names | undefined {
  for (let padding = 0; padding < 8; padding++) {
    const end = tokens.start - padding;
    if (end % 4 !== 0 || end < 4) continue;
    const markers = markersBefore(view, end);
    const names = markers && namesBefore(view, end - 4 * markers.length, markers, tokens);
    if (names) return names;
  }
  return undefined;
}

/** Offsets that rise from zero. Ascending. */
function markersBefore(view: DataView, end: number): number[] | undefined {
  const markers: number[] = [];
  for (let place = end - 4; place >= 0; place -= 4) {
    const marker = view.getUint32(place, true);
    if (markers.length > 0 && marker >= markers[0]!) return undefined;
    markers.unshift(marker);
    if (marker === 0) return markers;
    if (marker > view.byteLength || markers.length > 0x1_0000) return undefined;
  }
  return undefined;
}

/**
 * The names end before `end`. How long the part after the last marker is one
 * does not know, so their start is sought: there the count of symbols stands,
 * and it has to agree with the count of markers.
 */
function namesBefore(
  view: DataView,
  end: number,
  markers: readonly number[],
  tokens: Tokens,
): Names | undefined {
  const last = markers[markers.length - 1]!;
  const longest = SYMBOLS_A_MARKER * 513; // a name of 512 tokens is longer than the kernel allows
  for (let names = (end - last) & ~3; names >= Math.max(4, end - last - longest); names -= 4) {
    for (const gap of [4, 8]) {
      if (names < gap) continue;
      const count = view.getUint32(names - gap, true);
      if (Math.ceil(count / SYMBOLS_A_MARKER) !== markers.length) continue;
      const found = decodeNames(view, names, end, count, markers, tokens);
      if (found) return found;
    }
  }
  return undefined;
}

function decodeNames(
  view: DataView,
  start: number,
  end: number,
  count: number,
  markers: readonly number[],
  { strings }: Tokens,
): Names | undefined {
  const symbols: { name: string; type: string }[] = [];
  let place = start;
  for (let symbol = 0; symbol < count; symbol++) {
    if (symbol % SYMBOLS_A_MARKER === 0 && place - start !== markers[symbol / SYMBOLS_A_MARKER])
      return undefined;
    if (place + 2 > end) return undefined;
    let length = view.getUint8(place++);
    if (length & 0x80) length = (length & 0x7f) | (view.getUint8(place++) << 7);
    if (length === 0 || place + length > end) return undefined;
    let text = '';
    for (const stop = place + length; place < stop; place++) text += strings[view.getUint8(place)]!;
    symbols.push({ type: text.charAt(0), name: text.slice(1) });
  }
  return end - place < 8 ? { symbols } : undefined;
}

/** Ways to write the addresses, newest first. Each gives a number that differs from the address by a constant. */
const encodings: readonly ((view: DataView, place: number) => number)[] = [
  (view, place) => place + view.getInt32(place, true),
  (view, place) => view.getUint32(place, true),
];

function findOffsets(view: DataView, end: number, { symbols }: Names): number[] | undefined {
  const text = symbols.findIndex(({ name }) => name === '_start');
  if (text < 0) return undefined;
  for (const alignment of [2, 4, 8]) {
    const start = alignUp(end, alignment);
    if (start + 4 * symbols.length > view.byteLength) continue;
    for (const read of encodings) {
      const base = read(view, start + 4 * text);
      const offsets = symbols.map((_, index) => read(view, start + 4 * index) - base);
      // The table is sorted by address, and within an image they are far less than 2 GiB apart.
      const sorted = offsets.every((offset, index) => index === 0 || offset >= offsets[index - 1]!);
      if (sorted && offsets[text] === 0 && offsets[offsets.length - 1]! < 2 ** 31) return offsets;
    }
  }
  return undefined;
}
