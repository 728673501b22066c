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

/** Digits are used in names so much that each has its own token, at its own code: "0\0" to "9\0" in sequence. */
const DIGIT = { first: 0x30, last: 0x39 };
const DIGITS_BYTES = 2 * (DIGIT.last - DIGIT.first + 1);
const TOKENS = 256;
const SYMBOLS_A_MARKER = 256;
const LONGEST_TOKEN = 128;
/** Linux, include/linux/kallsyms.h: KSYM_NAME_LEN. */
const LONGEST_NAME = 512;
/** Places that look like the digits but lead nowhere; more of them than this is no kernel. */
const MOST_CANDIDATES = 4096;

interface Tokens {
  readonly strings: readonly string[];
  /** Where the table begins, and where the index ends. */
  readonly start: number;
  readonly end: number;
}

/** Where each symbol's length and token numbers are. */
type Names = Uint32Array;

export class KernelSymbols {
  private constructor(
    private readonly image: Uint8Array,
    private readonly tokens: readonly string[],
    private readonly names: Names,
    private readonly offsets: Float64Array,
  ) {}

  /**
   * @param label what to call the image in errors
   * @throws ImageError when there is no such table, naming what was looked for
   */
  static read(label: string, image: Uint8Array): KernelSymbols {
    const view = new DataView(image.buffer, image.byteOffset, image.length);
    const refuse = (missing: string): ImageError =>
      new ImageError(
        `${label} cannot be ported: ${missing}; give a kernel built with CONFIG_KALLSYMS ` +
          '(distributions do), or start it unported',
      );
    const tokens = findTokens(image, view);
    if (!tokens) {
      throw refuse(
        'its symbol table was looked for by the token table and token index of kallsyms, and is not there',
      );
    }
    const names = findNames(image, view, tokens);
    if (!names) {
      throw refuse('the names of its symbol table (kallsyms_names, kallsyms_markers) do not fit together');
    }
    const offsets = findOffsets(view, tokens.end, names.length, indexOf(image, tokens, names, '_start'));
    if (!offsets) {
      throw refuse('the addresses of its symbol table (kallsyms_offsets, _start) do not fit together');
    }
    return new KernelSymbols(image, tokens.strings, names, offsets);
  }

  get count(): number {
    return this.offsets.length;
  }

  /** In the order of addresses. */
  at(index: number): KernelSymbol {
    const text = nameAt(this.image, this.tokens, this.names, index) ?? '';
    return { type: text.charAt(0), name: text.slice(1), offset: this.offsets[index]! };
  }

  /** The code that an offset lies in, or behind; undefined before the first. Of several names of one place, the first. */
  codeAt(offset: number): KernelSymbol | undefined {
    const { offsets } = this;
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    let found: KernelSymbol | undefined;
    for (let index = low - 1; index >= 0; index--) {
      if (found && offsets[index] !== found.offset) break;
      const symbol = this.at(index);
      if (/[tTwW]/.test(symbol.type)) found = symbol;
    }
    return found;
  }

  /** The first symbol of each name, where there is one: one pass over the table. */
  find(names: Iterable<string>): ReadonlyMap<string, KernelSymbol> {
    const wanted = new Set(names);
    const beginnings = new Set(
      [...wanted].flatMap((name) => [...name].map((_, end) => name.slice(0, end + 1))),
    );
    const found = new Map<string, KernelSymbol>();
    for (let index = 0; index < this.count; index++) {
      const name = nameAt(this.image, this.tokens, this.names, index, beginnings)?.slice(1);
      if (name !== undefined && wanted.has(name) && !found.has(name)) found.set(name, this.at(index));
    }
    return found;
  }
}

/**
 * Decodes a name, type first, token by token. With `beginnings`, only as far
 * as it begins like one of them; undefined then.
 */
function nameAt(
  image: Uint8Array,
  tokens: readonly string[],
  names: Names,
  index: number,
  beginnings?: ReadonlySet<string>,
): string | undefined {
  let place = names[index]!;
  let length = image[place++]!;
  if (length & 0x80) length = (length & 0x7f) | (image[place++]! << 7);
  let text = '';
  for (const end = place + length; place < end; place++) {
    text += tokens[image[place]!]!;
    if (beginnings && text.length > 1 && !beginnings.has(text.slice(1))) return undefined;
  }
  return text;
}

const alignUp = (offset: number, by: number): number => Math.ceil(offset / by) * by;

function indexOf(image: Uint8Array, { strings }: Tokens, names: Names, name: string): number {
  return names.findIndex((_, index) => nameAt(image, strings, names, index)?.slice(1) === name);
}

/** The sequence of digits: sought by its last one, since most bytes say how far off it must be at least. */
function* digitSequences(image: Uint8Array): Generator<number> {
  const last = DIGITS_BYTES - 2;
  for (let place = 0; place + DIGITS_BYTES <= image.length;) {
    const byte = image[place + last]!;
    if (byte === DIGIT.last && isDigits(image, place)) yield place;
    if (byte === 0) place += 1;
    else place += byte >= DIGIT.first && byte < DIGIT.last ? 2 * (DIGIT.last - byte) : last;
  }
}

function isDigits(image: Uint8Array, place: number): boolean {
  for (let digit = DIGIT.first; digit <= DIGIT.last; digit++, place += 2) {
    if (image[place] !== digit || image[place + 1] !== 0) return false;
  }
  return true;
}

function findTokens(image: Uint8Array, view: DataView): Tokens | undefined {
  let candidates = 0;
  for (const place of digitSequences(image)) {
    if (++candidates > MOST_CANDIDATES) return undefined;
    const start = stringsBefore(image, place, DIGIT.first);
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
function findNames(image: Uint8Array, view: DataView, tokens: Tokens): Names | undefined {
  for (let padding = 0; padding < 8; padding++) {
    const end = tokens.start - padding;
    if (end % 4 !== 0 || end < 4) continue;
    const markers = markersBefore(view, end);
    const names = markers && namesBefore(image, view, end - 4 * markers.length, markers);
    if (names) return names;
  }
  return undefined;
}

/** Offsets that rise from zero. Ascending. */
function markersBefore(view: DataView, end: number): readonly number[] | undefined {
  const descending: number[] = [];
  for (let place = end - 4; place >= 0; place -= 4) {
    const marker = view.getUint32(place, true);
    const above = descending[descending.length - 1];
    if (marker >= (above ?? view.byteLength)) return undefined;
    descending.push(marker);
    if (marker === 0) return descending.reverse();
  }
  return undefined;
}

/**
 * The names end before `end`. How long the part after the last marker is one
 * does not know, so their start is sought: there the count of symbols stands,
 * and it has to agree with the count of markers.
 */
function namesBefore(
  image: Uint8Array,
  view: DataView,
  end: number,
  markers: readonly number[],
): Names | undefined {
  const last = markers[markers.length - 1]!;
  const longest = SYMBOLS_A_MARKER * (LONGEST_NAME + 2);
  for (let start = (end - last) & ~3; start >= Math.max(8, end - last - longest); start -= 4) {
    for (const gap of [4, 8]) {
      const count = view.getUint32(start - gap, true);
      if (Math.ceil(count / SYMBOLS_A_MARKER) !== markers.length) continue;
      const names = walkNames(image, start, end, count, markers);
      if (names) return names;
    }
  }
  return undefined;
}

/** The places of `count` names from `start` on, if they agree with the markers and fill the room up to `end`. */
function walkNames(
  image: Uint8Array,
  start: number,
  end: number,
  count: number,
  markers: readonly number[],
): Names | undefined {
  const names = new Uint32Array(count);
  let place = start;
  for (let symbol = 0; symbol < count; symbol++) {
    if (symbol % SYMBOLS_A_MARKER === 0 && place - start !== markers[symbol / SYMBOLS_A_MARKER])
      return undefined;
    if (place + 2 > end) return undefined;
    names[symbol] = place;
    let length = image[place++]!;
    if (length & 0x80) length = (length & 0x7f) | (image[place++]! << 7);
    place += length;
    if (length === 0 || place > end) return undefined;
  }
  return end - place < 8 ? names : undefined;
}

/**
 * Ways to write the addresses. Each gives a number that differs from the
 * address by a constant. The order matters: the first kind would pass for the
 * second, but not the other way round, since many symbols share an address.
 */
const encodings: readonly ((view: DataView, place: number) => number)[] = [
  (view, place) => view.getUint32(place, true),
  (view, place) => place + view.getInt32(place, true),
];

/** Distances of all symbols from symbol `origin`; undefined when there is no such symbol, or no such table. */
function findOffsets(view: DataView, end: number, count: number, origin: number): Float64Array | undefined {
  for (const alignment of [2, 4, 8]) {
    const start = alignUp(end, alignment);
    if (origin < 0 || start + 4 * count > view.byteLength) continue;
    for (const read of encodings) {
      const base = read(view, start + 4 * origin);
      const offsets = new Float64Array(count).map((_, index) => read(view, start + 4 * index) - base);
      // The table is sorted by address, and within an image they are far less than 2 GiB apart.
      const sorted = offsets.every((offset, index) => index === 0 || offset >= offsets[index - 1]!);
      if (sorted && offsets[count - 1]! < 2 ** 31) return offsets;
    }
  }
  return undefined;
}
