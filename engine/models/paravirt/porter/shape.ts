/** Whether code looks as a shape says, and where its named places are. The notation is explained in rules.ts. */
import { lineAt } from './code';
import type { KernelSymbol } from './kallsyms';

export interface Match {
  /** Offsets in the image, by name. */
  readonly places: ReadonlyMap<string, number>;
  /** Bytes that a block has verified. */
  readonly verified: readonly { readonly start: number; readonly end: number }[];
}

export interface Mismatch {
  readonly offset: number;
  readonly expected: string;
  readonly found: string;
}

const CALL = /^(call|tail) (\S+)$/;

export const isMismatch = (result: Match | Mismatch): result is Mismatch => 'expected' in result;

interface Code {
  readonly image: DataView;
  readonly symbols: ReadonlyMap<string, KernelSymbol>;
}

export function matchShape(
  code: Code,
  entry: number,
  shape: Readonly<Record<string, readonly string[]>>,
): Match | Mismatch {
  const places = new Map([['entry', entry]]);
  const verified: { start: number; end: number }[] = [];
  for (const [block, lines] of Object.entries(shape)) {
    const start = places.get(block);
    if (start === undefined) throw new Error(`no line before block ${block} leads there`);
    let offset = start;
    for (const line of lines) {
      const [, label, text] = /^(?:(\w+): )?(.*)$/.exec(line) as unknown as [
        string,
        string | undefined,
        string,
      ];
      if (label !== undefined) places.set(label, offset);
      const length = matchLine(code, offset, text, places);
      if (length === undefined) {
        return { offset, expected: text, found: lineAt(code.image, offset)?.text ?? 'the end of the image' };
      }
      offset += length;
    }
    verified.push({ start, end: offset });
  }
  return { places, verified };
}

/** Bytes of the line, or undefined when the code is another. Learns the places that the line names. */
function matchLine(
  code: Code,
  offset: number,
  text: string,
  places: Map<string, number>,
): number | undefined {
  const [, kind, symbol] = CALL.exec(text) ?? [];
  if (kind !== undefined) return matchCall(code, offset, kind === 'call' ? 'ra' : 'zero', symbol!);
  const line = lineAt(code.image, offset);
  if (!line) return undefined;
  const wanted = operandsOf(text);
  const found = operandsOf(line.text);
  if (wanted.length !== found.length) return undefined;
  for (const [index, operand] of wanted.entries()) {
    const name = /^\{(\w+)\}$/.exec(operand)?.[1];
    if (name !== undefined) {
      const place = offset + Number(found[index]);
      if ((places.get(name) ?? place) !== place) return undefined;
      places.set(name, place);
    } else if (operand !== '*' && operand !== found[index]) {
      return undefined;
    }
  }
  return line.length;
}

const operandsOf = (text: string): string[] => text.match(/\{\w+\}|[^\s,()]+/g) ?? [];

function matchCall(
  { image, symbols }: Code,
  offset: number,
  link: string,
  symbol: string,
): number | undefined {
  const [, base, upper] = /^auipc (\w+), (-?\d+)$/.exec(lineAt(image, offset)?.text ?? '') ?? [];
  const [, linked, lower, through] =
    /^jalr (\w+), (-?\d+)\((\w+)\)$/.exec(lineAt(image, offset + 4)?.text ?? '') ?? [];
  if (base === undefined || through !== base || linked !== link) return undefined;
  return symbols.get(symbol)?.offset === offset + Number(upper) + Number(lower) ? 8 : undefined;
}

/** The functions that a shape calls. */
export const calledBy = (shape: Readonly<Record<string, readonly string[]>>): string[] =>
  Object.values(shape)
    .flat()
    .flatMap((line) => CALL.exec(line)?.[2] ?? []);
