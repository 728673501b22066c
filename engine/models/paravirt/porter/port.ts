/**
 * The porter: for an unmodified kernel image, the patches that turn the rules'
 * functions into hypercalls, and a report on each rule.
 *
 * What a rule does not recognise is refused and stays as it is; the kernel
 * works with any subset of the rules. All changes are in place and
 * position-independent, so relocation by the kernel (KASLR) does not matter.
 */
import { AssemblyError, assemble } from '../../../isa/assembler';
import { kernelImageSize } from '../../linux-image';
import { instructionTable } from './code';
import { type KernelSymbol, KernelSymbols } from './kallsyms';
import { type Rule, type Variant, rules } from './rules';
import { type Match, calledBy, isMismatch, matchShape } from './shape';
import { type CodeRange, KernelTables, tableSymbols } from './tables';

export type Outcome = 'replaced' | 'refused' | 'absent';

export interface RuleReport {
  readonly rule: string;
  readonly outcome: Outcome;
  /** The symbol that was found. */
  readonly symbol?: string;
  /** Where, in bytes from the start of the image. */
  readonly offset?: number;
  /** Bytes verified and bytes written. */
  readonly verified?: number;
  readonly written?: number;
  /** Why it was replaced, refused, or what its absence means. */
  readonly why: string;
}

export interface PortReport {
  readonly kernel: string;
  /** Symbols in the kernel's own table. */
  readonly symbols: number;
  readonly rules: readonly RuleReport[];
}

/** Bytes that take the place of others in the image. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface PortedKernel {
  readonly patches: readonly Patch[];
  readonly report: PortReport;
}

interface Kernel {
  readonly image: DataView;
  readonly symbols: ReadonlyMap<string, KernelSymbol>;
  readonly tables: KernelTables;
}

/**
 * @param label what to call the kernel in errors and in the report
 * @param chosen rules to apply; default: all
 * @throws ImageError when it is no RISC-V kernel, or one without symbols
 */
export function portKernel(label: string, kernel: Uint8Array, chosen: readonly Rule[] = rules): PortedKernel {
  kernelImageSize(label, kernel);
  const table = KernelSymbols.read(label, kernel);
  const symbols = table.find([...tableSymbols, ...chosen.flatMap(symbolsOf)]);
  const image = new DataView(kernel.buffer, kernel.byteOffset, kernel.length);
  const parts: Kernel = { image, symbols, tables: new KernelTables(image, symbols) };
  const applied = chosen.map((rule) => applyRule(parts, rule));
  return {
    patches: applied.flatMap(({ patches }) => patches),
    report: { kernel: label, symbols: table.count, rules: applied.map(({ report }) => report) },
  };
}

const symbolsOf = (rule: Rule): string[] => [
  ...rule.symbols,
  ...rule.variants.flatMap(({ shape }) => calledBy(shape)),
];

interface Application {
  readonly report: RuleReport;
  readonly patches: readonly Patch[];
}

function applyRule(kernel: Kernel, rule: Rule): Application {
  const symbol = rule.symbols.map((name) => kernel.symbols.get(name)).find((found) => found !== undefined);
  if (!symbol) {
    const why = rule.absent ?? `no symbol ${rule.symbols.join(' or ')}`;
    return { report: { rule: rule.name, outcome: 'absent', why }, patches: [] };
  }
  const refusals: string[] = [];
  for (const variant of rule.variants) {
    const result = applyVariant(kernel, symbol, variant);
    if (typeof result === 'string') refusals.push(result);
    else return { report: reportOf(rule, symbol, 'replaced', rule.reason, result), patches: result.patches };
  }
  const why = refusals.join('; ') || 'no shape is known for it';
  return { report: reportOf(rule, symbol, 'refused', why), patches: [] };
}

function reportOf(
  rule: Rule,
  symbol: KernelSymbol,
  outcome: Outcome,
  why: string,
  applied?: { readonly match: Match; readonly patches: readonly Patch[] },
): RuleReport {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
  return {
    rule: rule.name,
    outcome,
    symbol: symbol.name,
    offset: symbol.offset,
    ...(applied && {
      verified: sum(applied.match.verified.map(({ start, end }) => end - start)),
      written: sum(applied.patches.map(({ bytes }) => bytes.length)),
    }),
    why,
  };
}

const hex = (offset: number): string => `0x${offset.toString(16)}`;

/** The patches, or why there are none. */
function applyVariant(
  kernel: Kernel,
  symbol: KernelSymbol,
  variant: Variant,
): { readonly match: Match; readonly patches: readonly Patch[] } | string {
  const match = matchShape(kernel, symbol.offset, variant.shape);
  if (isMismatch(match)) {
    const distance = match.offset - symbol.offset;
    return `${distance < 0 ? '-' : '+'}${hex(Math.abs(distance))} is "${match.found}" where "${match.expected}" was expected`;
  }
  for (const [instruction, target] of Object.entries(variant.faults ?? {})) {
    const known = kernel.tables.fixup(match.places.get(instruction)!);
    if (known !== match.places.get(target)) {
      return `the exception table does not lead from its ${instruction} to its ${target}`;
    }
  }
  let patches: readonly Patch[];
  try {
    patches = Object.entries(variant.replace).map(([place, lines]) => assemblePatch(match, place, lines));
  } catch (error) {
    if (error instanceof AssemblyError) return `its parts lie too far apart: ${error.message}`;
    throw error;
  }
  for (const { offset, bytes } of patches) {
    const range = { start: offset, end: offset + bytes.length };
    if (!match.verified.some(({ start, end }) => start <= range.start && range.end <= end)) {
      return `the replacement at ${hex(offset)} is longer than what was verified`;
    }
    const clash = kernel.tables.selfPatched.find((other) => overlap(other, range));
    if (clash) return `the kernel itself patches the code at ${hex(clash.start)}: ${clash.by}`;
  }
  return { match, patches };
}

const overlap = (a: CodeRange, b: CodeRange): boolean => a.start < b.end && b.start < a.end;

function assemblePatch({ places }: Match, place: string, lines: readonly string[]): Patch {
  const offset = places.get(place)!;
  const bytes: number[] = [];
  for (const line of lines) {
    const here = offset + bytes.length;
    const text = line.replace(/\{(\w+)\}/g, (_, name: string) => String(places.get(name)! - here));
    const { word, length } = assemble(text, instructionTable);
    for (let byte = 0; byte < length; byte++) bytes.push((word >>> (8 * byte)) & 0xff);
  }
  return { offset, bytes: Uint8Array.from(bytes) };
}
