/**
 * Platform-level interrupt controller, "sifive,plic-1.0.0".
 *
 * Reference: RISC-V PLIC specification 1.0.0. All gateways are
 * level-triggered: a high source becomes pending once, and again only after
 * its completion. A request once pending stays so, even if the source falls
 * before it is claimed (section "Interrupt Gateways").
 */
import { list, listOf, record, u32, u8, type StateOf } from '../snapshot/codec';
import type { AccessSize, InterruptLine } from './device';
import { DeclaredDevice, RegisterMap } from './registers';

/** Sources are numbered from 1; 0 means "no interrupt". */
export const PLIC_SOURCES = 96;
/** Eight harts with an M and an S context each. */
const MAX_CONTEXTS = 16;
/** 32-bit words of one bitmap over the sources. */
const WORDS = (PLIC_SOURCES >> 5) + 1;
/** Priorities and thresholds have three bits, as on `virt`. */
const PRIORITY_MASK = 7;

export interface PlicOptions {
  /** External interrupt inputs of the harts: hart 0 M, hart 0 S, hart 1 M, and so on. At most 16. */
  readonly contexts: readonly InterruptLine[];
}

const bitmap = listOf(WORDS, u32);
const layout = record('plic', 1, {
  priorities: listOf(PLIC_SOURCES + 1, u8),
  /** Levels of the inputs. */
  levels: bitmap,
  pending: bitmap,
  /** Claimed and not yet completed. */
  claimed: bitmap,
  enables: list(bitmap),
  thresholds: list(u8),
});
type State = StateOf<typeof layout>;

const zeros = (length: number): number[] => new Array<number>(length).fill(0);
const has = (words: readonly number[], source: number): boolean =>
  ((words[source >> 5]! >>> (source & 31)) & 1) === 1;
const put = (words: number[], source: number, on: boolean): void => {
  const bit = 1 << (source & 31);
  words[source >> 5] = (on ? words[source >> 5]! | bit : words[source >> 5]! & ~bit) >>> 0;
};
/** The bits of a word that stand for sources: not source 0, none above the last. */
const existing = (word: number): number => {
  let mask = 0;
  for (let bit = 0; bit < 32; bit++) {
    const source = word * 32 + bit;
    if (source >= 1 && source <= PLIC_SOURCES) mask |= 1 << bit;
  }
  return mask >>> 0;
};
const EXISTING = Array.from({ length: WORDS }, (_, word) => existing(word));

export class Plic extends DeclaredDevice<State> {
  /** Memory map of the specification: 0x80 bytes of enables and 0x1000 of registers a context. */
  private static readonly registers = new RegisterMap<Plic>(4, [
    {
      offset: 0x0,
      name: 'priority',
      count: PLIC_SOURCES + 1,
      read: (d, source) => d.state.priorities[source]!,
      write: (d, value, source) => d.setPriority(source, value),
    },
    { offset: 0x1000, name: 'pending', count: WORDS, read: (d, word) => d.state.pending[word]! },
    {
      offset: 0x2000,
      name: 'enable',
      count: MAX_CONTEXTS * 32,
      read: (d, index) => d.state.enables[index >> 5]?.[index & 31] ?? 0,
      write: (d, value, index) => d.setEnable(index >> 5, index & 31, value),
    },
    {
      offset: 0x200000,
      name: 'threshold',
      count: MAX_CONTEXTS,
      stride: 0x1000,
      read: (d, context) => d.state.thresholds[context] ?? 0,
      write: (d, value, context) => d.setThreshold(context, value),
    },
    {
      offset: 0x200004,
      name: 'claim/complete',
      count: MAX_CONTEXTS,
      stride: 0x1000,
      read: (d, context) => d.claim(context),
      write: (d, value, context) => d.complete(context, value),
    },
  ]);

  constructor(private readonly options: PlicOptions) {
    const contexts = options.contexts.length;
    if (contexts > MAX_CONTEXTS)
      throw new RangeError(`a PLIC has at most ${MAX_CONTEXTS} contexts, not ${contexts}`);
    super(layout, () => ({
      priorities: zeros(PLIC_SOURCES + 1),
      levels: zeros(WORDS),
      pending: zeros(WORDS),
      claimed: zeros(WORDS),
      enables: options.contexts.map(() => zeros(WORDS)),
      thresholds: zeros(contexts),
    }));
  }

  read(offset: number, size: AccessSize): number {
    return Plic.registers.read(this, offset, size);
  }
  write(offset: number, size: AccessSize, value: number): void {
    Plic.registers.write(this, offset, size, value);
  }

  /** @param source 1 to 96 */
  input(source: number): InterruptLine {
    if (!(source >= 1 && source <= PLIC_SOURCES)) throw new RangeError(`a PLIC has no source ${source}`);
    return {
      set: (asserted) => {
        if (has(this.state.levels, source) === asserted) return;
        put(this.state.levels, source, asserted);
        if (asserted) this.request(source);
      },
    };
  }

  /** The gateway: forwards a high level unless an earlier request of it is still being served. */
  private request(source: number): void {
    if (!has(this.state.levels, source) || has(this.state.claimed, source)) return;
    put(this.state.pending, source, true);
    this.update();
  }

  private setPriority(source: number, value: number): void {
    if (source === 0) return;
    this.state.priorities[source] = value & PRIORITY_MASK;
    this.update();
  }
  private setEnable(context: number, word: number, value: number): void {
    const enables = this.state.enables[context];
    if (enables === undefined || word >= WORDS) return;
    enables[word] = (value & EXISTING[word]!) >>> 0;
    this.update();
  }
  private setThreshold(context: number, value: number): void {
    if (context >= this.state.thresholds.length) return;
    this.state.thresholds[context] = value & PRIORITY_MASK;
    this.update();
  }

  /**
   * The enabled pending source of highest priority above `floor`; of equals
   * the lowest number; 0 when there is none.
   */
  private best(context: number, floor: number): number {
    const { enables, pending, priorities } = this.state;
    let best = 0;
    let highest = floor;
    for (let word = 0; word < WORDS; word++) {
      let bits = pending[word]! & enables[context]![word]!;
      while (bits !== 0) {
        const source = word * 32 + (31 - Math.clz32(bits & -bits));
        bits &= bits - 1;
        if (priorities[source]! > highest) {
          highest = priorities[source]!;
          best = source;
        }
      }
    }
    return best;
  }

  /** The threshold masks only the notification: a claim returns what is pending below it too ("Interrupt Claims"). */
  private claim(context: number): number {
    if (context >= this.state.enables.length) return 0;
    const source = this.best(context, 0);
    if (source === 0) return 0;
    put(this.state.pending, source, false);
    put(this.state.claimed, source, true);
    this.update();
    return source;
  }

  /** A completion of a source that is not enabled for the context is ignored ("Interrupt Completion"). */
  private complete(context: number, source: number): void {
    const enables = this.state.enables[context];
    if (enables === undefined || source > PLIC_SOURCES || !has(enables, source)) return;
    put(this.state.claimed, source, false);
    this.request(source);
  }

  protected override update(): void {
    this.options.contexts.forEach((line, context) => {
      line.set(this.best(context, this.state.thresholds[context]!) !== 0);
    });
  }

  protected override problem(state: State): string | undefined {
    const contexts = this.options.contexts.length;
    const saved = [state.enables.length, state.thresholds.length];
    return saved.some((length) => length !== contexts)
      ? `saved with ${saved[0]} contexts, not ${contexts}`
      : undefined;
  }
}
