/**
 * A region: instructions reached from one entry by branches and direct jumps,
 * within a few pages, as basic blocks. Addresses are offsets from the start of
 * the entry's virtual page, so that a region serves wherever its pages are mapped.
 */
import { extract, matches } from '../../isa/encoding';
import type { Instruction } from '../../isa/instruction';
import type { Decoder } from '../interpreter/decode';
import { type Facts, factsOf, isInterpreted } from './facts';
import { type RegisterSet, none } from './register-set';

export interface Step {
  readonly instruction: Instruction;
  readonly word: number;
  readonly offset: number;
  readonly facts: Facts;
  readonly reads: RegisterSet;
  readonly writes: RegisterSet;
}

/** How a block ends, and where control goes. Targets need not be in the region. */
export type Ending =
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'branch'; readonly taken: number; readonly otherwise: number }
  /** To an address that is known, or not; `back`: the instruction behind. */
  | { readonly kind: 'call'; readonly to: number | undefined; readonly back: number }
  | { readonly kind: 'return' }
  /** `targets`: where it is known to have gone, within the region's pages. */
  | { readonly kind: 'indirect'; readonly targets: readonly number[] }
  /** The last instruction traps, or changes pc by a helper. */
  | { readonly kind: 'leave' }
  /** The next instruction is the interpreter's. */
  | { readonly kind: 'interpret'; readonly at: number };

export interface Block {
  readonly start: number;
  readonly steps: readonly Step[];
  readonly ending: Ending;
}

export interface Region {
  readonly blocks: readonly Block[];
  /** Offset of the entry: the start of block 0. */
  readonly entry: number;
  /** Place in linear memory of each page that has code in the region, by its number from the entry's. */
  readonly pages: ReadonlyMap<number, number>;
  readonly length: number;
}

/** What is known of the surroundings of a region. */
export interface RegionContext {
  /** Place in linear memory of a page, by its number from the entry's; undefined where unknown. */
  page(number: number): number | undefined;
  /** Places that the indirect jump at a place was seen to go to. */
  targets(jump: number): Iterable<number>;
  /** Instructions at most; absent: MOST_INSTRUCTIONS. */
  readonly length?: number | undefined;
}

/** Where code is read from, by its place. */
export type CodeMemory = Pick<DataView, 'getUint16'>;

export const MOST_INSTRUCTIONS = 400;
const MOST_PAGES = 4;
/** Instructions that look for the way on, in the order in which control meets them. */
const LINKS: ReadonlySet<number> = new Set([1, 5]);

/** Follows code from `entry`. Undefined when not even the first instruction can be translated. */
export function findRegion(
  memory: CodeMemory,
  decoder: Decoder,
  entry: number,
  context: RegionContext,
): Region | undefined {
  const reader = new Reader(memory, decoder, context);
  const length = context.length ?? MOST_INSTRUCTIONS;
  const steps = new Map<number, Step>();
  const endings = new Map<number, Ending>();
  const leaders = new Set([entry]);
  const work = [entry];
  for (let offset = work.shift(); offset !== undefined; offset = work.shift()) {
    while (!steps.has(offset) && steps.size < length) {
      const step = reader.step(offset);
      if (!step) {
        endings.set(offset, { kind: 'interpret', at: offset });
        break;
      }
      steps.set(offset, step);
      const next: number = offset + step.instruction.encoding.length;
      const ending = endingOf(step, next, steps, reader);
      if (ending) {
        endings.set(offset, ending);
        for (const target of targetsOf(ending)) {
          leaders.add(target);
          work.push(target);
        }
        break;
      }
      if (next >> 12 !== offset >> 12 || (next & 0xfff) === 0xffe) leaders.add(next);
      offset = next;
    }
  }
  if (!steps.has(entry)) return undefined;
  const blocks = [...leaders]
    .filter((start) => steps.has(start))
    .map((start) => blockAt(start, steps, endings, leaders));
  return { blocks, entry, pages: reader.pages, length: steps.size };
}

/** Offsets within the region that an ending may go to. */
export function targetsOf(ending: Ending): readonly number[] {
  switch (ending.kind) {
    case 'jump':
      return [ending.to];
    case 'branch':
      return [ending.otherwise, ending.taken];
    case 'call':
      return [ending.back];
    case 'indirect':
      return ending.targets;
    default:
      return [];
  }
}

function blockAt(
  start: number,
  steps: ReadonlyMap<number, Step>,
  endings: ReadonlyMap<number, Ending>,
  leaders: ReadonlySet<number>,
): Block {
  const list: Step[] = [];
  for (let offset = start; ;) {
    const step = steps.get(offset);
    // What was not followed, because the region is full, lies elsewhere; so does what cannot be translated.
    if (!step) return { start, steps: list, ending: endings.get(offset) ?? { kind: 'jump', to: offset } };
    list.push(step);
    const ending = endings.get(offset);
    if (ending) return { start, steps: list, ending };
    offset += step.instruction.encoding.length;
    if (leaders.has(offset)) return { start, steps: list, ending: { kind: 'jump', to: offset } };
  }
}

function endingOf(
  step: Step,
  next: number,
  steps: ReadonlyMap<number, Step>,
  reader: Reader,
): Ending | undefined {
  const { facts, offset } = step;
  switch (facts.control) {
    case 'none':
      return undefined;
    case 'redirect':
      return { kind: 'leave' };
    case 'branch':
      return { kind: 'branch', taken: offset + operandOf(step, 'imm'), otherwise: next };
    case 'jump': {
      const to = offset + operandOf(step, 'imm');
      return operandOf(step, 'rd') === 0 ? { kind: 'jump', to } : { kind: 'call', to, back: next };
    }
    case 'jumpTo': {
      const base = operandOf(step, 'rs1');
      if (operandOf(step, 'rd') !== 0) return { kind: 'call', to: farTarget(step, steps), back: next };
      return LINKS.has(base) ? { kind: 'return' } : { kind: 'indirect', targets: reader.targets(offset) };
    }
  }
}

/** `auipc ra, high; jalr ra, low(ra)` goes to a place that is known. */
function farTarget(step: Step, steps: ReadonlyMap<number, Step>): number | undefined {
  const before = steps.get(step.offset - 4);
  if (before?.instruction.mnemonic !== 'auipc') return undefined;
  if (operandOf(before, 'rd') !== operandOf(step, 'rs1')) return undefined;
  const target = before.offset + operandOf(before, 'imm') + operandOf(step, 'imm');
  return target & 1 ? undefined : target;
}

export function operandOf({ instruction, word }: Pick<Step, 'instruction' | 'word'>, name: string): number {
  const implied = instruction.implied[name];
  if (implied !== undefined) return implied;
  const operand = instruction.encoding.operands.get(name);
  if (!operand) throw new Error(`${instruction.mnemonic} has no operand ${name}`);
  return extract(operand, word);
}

/** Where encodings nest, the one that fixes more bits is meant: as in interpreter/decision.ts. */
function mostSpecific(instructions: readonly Instruction[], word: number): Instruction | undefined {
  let found: Instruction | undefined;
  for (const instruction of instructions) {
    if (!matches(instruction.encoding, word)) continue;
    if (!found || fixedBits(instruction) > fixedBits(found)) found = instruction;
  }
  return found;
}

function fixedBits({ encoding }: Instruction): number {
  let count = 0;
  for (let rest = encoding.mask; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

class Reader {
  readonly pages = new Map<number, number>();
  private readonly unknown = new Set<number>();

  constructor(
    private readonly memory: CodeMemory,
    private readonly decoder: Decoder,
    private readonly context: RegionContext,
  ) {}

  step(offset: number): Step | undefined {
    const low = this.half(offset);
    if (low === undefined) return undefined;
    const high = (low & 3) === 3 ? this.half(offset + 2) : 0;
    if (high === undefined) return undefined;
    const word = (low | (high << 16)) >>> 0;
    const instruction = mostSpecific(this.decoder.classes[this.decoder.index[low]!]!, word);
    if (!instruction) return undefined;
    const facts = factsOf(instruction);
    if (isInterpreted(facts)) return undefined;
    const reads = { x: 0, f: 0 };
    for (const operand of facts.reads) {
      const number = operandOf({ instruction, word }, `rs${operand[2]}`);
      if (operand.startsWith('f')) reads.f |= 1 << number;
      else if (number !== 0) reads.x |= 1 << number;
    }
    const rd = facts.writes === undefined ? 0 : operandOf({ instruction, word }, 'rd');
    const writes =
      facts.writes === 'f' ? { x: 0, f: 1 << rd } : facts.writes && rd !== 0 ? { x: 1 << rd, f: 0 } : none;
    return { instruction, word, offset, facts, reads, writes };
  }

  /** Place in linear memory of code that was read. */
  place(offset: number): number {
    return this.pages.get(offset >> 12)! + (offset & 0xfff);
  }

  /** Offsets that the jump at `offset` was seen to go to, in its page and those next to it. */
  targets(offset: number): number[] {
    const page = offset >> 12;
    const found: number[] = [];
    for (const place of this.context.targets(this.place(offset))) {
      for (const number of [page, page + 1, page - 1]) {
        const known = this.pages.get(number) ?? this.context.page(number);
        if (known !== (place & ~0xfff)) continue;
        found.push((number << 12) | (place & 0xfff));
        break;
      }
    }
    return found;
  }

  private half(offset: number): number | undefined {
    const number = offset >> 12;
    let page = this.pages.get(number);
    if (page === undefined) {
      if (this.pages.size >= MOST_PAGES || this.unknown.has(number)) return undefined;
      page = this.context.page(number);
      if (page === undefined) {
        this.unknown.add(number);
        return undefined;
      }
      this.pages.set(number, page);
    }
    return this.memory.getUint16(page + (offset & 0xfff), true);
  }
}
