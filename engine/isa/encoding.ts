/**
 * Instruction encodings, written as the manual's diagrams are: from the most
 * significant bit down, literal bits and named fields with a blank between.
 *
 *   0010000 rs2 rs1 010 rd 0110011
 *   imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011
 *   010 uimm[5] rd≠0 uimm[4:2|7:6] 10
 *
 * An encoding may lie within another: the one that fixes more bits is meant.
 *
 * `rd'` is a three-bit register (x8 to x15), `rd/rs1` one field read under two
 * names, `≠0` or `≠{0,2}` excludes values, `name[a|b:c]` says which bits of
 * the operand stand there. Operands named `imm` are sign-extended, all others
 * are not.
 */

/** Some contiguous bits of an operand: `width` bits at `from` of the word are bits `to` and up of the operand. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly width: number;
}

export interface Operand {
  readonly name: string;
  readonly pieces: readonly Piece[];
  readonly signed: boolean;
  /** Added to the extracted value: 8 for the three-bit registers. */
  readonly bias: number;
}

export interface Encoding {
  /** Bytes: 2 or 4. */
  readonly length: 2 | 4;
  readonly mask: number;
  readonly match: number;
  readonly operands: ReadonlyMap<string, Operand>;
  /** Values that an operand must not have for the word to be this instruction. */
  readonly excluded: ReadonlyMap<string, readonly number[]>;
}

const plainWidth: Readonly<Record<string, number>> = {
  rd: 5, rs1: 5, rs2: 5, rs3: 5, "rd'": 3, "rs1'": 3, "rs2'": 3, rm: 3, csr: 12, aq: 1, rl: 1,
  fm: 4, pred: 4, succ: 4, uimm: 5, shamt: 6, shamtw: 5, vd: 5, vs1: 5, vs2: 5, vs3: 5, vm: 1,
}; // prettier-ignore

const token = /^([a-z0-9'/]+)(?:\[([0-9:|]+)\])?(?:≠(?:\{([0-9,]+)\}|([0-9]+)))?$/;

interface Field {
  readonly names: readonly string[];
  readonly ranges: readonly (readonly [high: number, low: number])[];
  readonly excluded: readonly number[] | undefined;
  readonly width: number;
}

function parseField(text: string): Field {
  const match = token.exec(text);
  if (!match) throw new Error(`encoding field "${text}" is not understood`);
  const names = match[1]!.split('/');
  const width = plainWidth[names[0]!];
  const ranges = match[2]
    ? match[2].split('|').map((range) => {
        const [high, low = high] = range.split(':').map(Number);
        return [high!, low!] as const;
      })
    : width === undefined
      ? undefined
      : [[width - 1, 0] as const];
  if (!ranges) throw new Error(`encoding field "${text}" needs its bits, as in ${text}[11:0]`);
  const excluded = match[3]?.split(',').map(Number) ?? (match[4] ? [Number(match[4])] : undefined);
  return { names, ranges, excluded, width: ranges.reduce((sum, [high, low]) => sum + high - low + 1, 0) };
}

/** Parses a diagram. @throws Error when it is not 16 or 32 bits wide. */
export function parseEncoding(diagram: string): Encoding {
  const tokens = diagram.trim().split(/\s+/);
  const parts = tokens.map((text) => (/^[01]+$/.test(text) ? text : parseField(text)));
  const bits = parts.reduce((sum, part) => sum + (typeof part === 'string' ? part.length : part.width), 0);
  if (bits !== 16 && bits !== 32) throw new Error(`encoding "${diagram}" has ${bits} bits`);

  let mask = 0;
  let match = 0;
  const pieces = new Map<string, Piece[]>();
  const excluded = new Map<string, readonly number[]>();
  let position = bits;
  for (const part of parts) {
    if (typeof part === 'string') {
      position -= part.length;
      mask |= ((1 << part.length) - 1) << position;
      match |= parseInt(part, 2) << position;
      continue;
    }
    for (const [high, low] of part.ranges) {
      const width = high - low + 1;
      position -= width;
      for (const name of part.names) {
        const known = pieces.get(name) ?? [];
        known.push({ from: position, to: low, width });
        pieces.set(name, known);
      }
    }
    if (part.excluded) for (const name of part.names) excluded.set(plainName(name), part.excluded);
  }
  const operands = new Map(
    [...pieces].map(([name, list]): [string, Operand] => [
      plainName(name),
      { name: plainName(name), pieces: list, signed: name === 'imm', bias: name.endsWith("'") ? 8 : 0 },
    ]),
  );
  return { length: (bits / 8) as 2 | 4, mask: mask >>> 0, match: match >>> 0, operands, excluded };
}

/** `rd'` is read as `rd`; every immediate as `imm`. */
function plainName(name: string): string {
  const bare = name.replace(/'$/, '');
  return bare === 'uimm' || bare === 'shamt' || bare === 'shamtw' ? 'imm' : bare;
}

/** The operand's value in an instruction word. */
export function extract(operand: Operand, word: number): number {
  let value = 0;
  let top = 0;
  for (const { from, to, width } of operand.pieces) {
    value |= ((word >>> from) & (2 ** width - 1)) << to;
    top = Math.max(top, to + width);
  }
  if (operand.signed && top < 32) value = (value << (32 - top)) >> (32 - top);
  return value + operand.bias;
}

/** Whether `word` (its low `length` bytes) is an instance of the encoding. */
export function matches(encoding: Encoding, word: number): boolean {
  if ((word & encoding.mask) >>> 0 !== encoding.match) return false;
  for (const [name, values] of encoding.excluded) {
    const operand = encoding.operands.get(name);
    if (operand && values.includes(extract(operand, word))) return false;
  }
  return true;
}

/** Whether `inner`, one match of both given, fixes all that `outer` does and more: `zext.h` within `packw`. */
export function isWithin(inner: Encoding, outer: Encoding): boolean {
  return (inner.mask & outer.mask) >>> 0 === outer.mask && inner.mask !== outer.mask;
}
