import { matches } from '../../engine/isa/encoding';
import type { Instruction } from '../../engine/isa/instruction';
import type { Image } from './image';
import { codeBase } from './layout';
import type { Stream } from './program';
import { entries, tableOf } from './provers';

/** Executions of an entry in the programs of one stream. */
interface Share {
  readonly stream: Stream;
  count: number;
}

function fixedBits({ encoding: { mask } }: Instruction): number {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}

/** How often each entry of the instruction table was executed, over any number of batches. */
export class Coverage {
  private readonly shares = new Map<Instruction, Share[]>();
  private readonly decoded = new Map<readonly Instruction[], Map<number, Instruction | undefined>>();
  /** Instructions of a stream's programs, whether the table knows them or not. */
  private readonly executed = new Map<Stream, number>();

  add(stream: Stream, image: Image, executions: ReadonlyMap<bigint, number>): void {
    const view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
    for (const [address, count] of executions) {
      this.executed.set(stream, (this.executed.get(stream) ?? 0) + count);
      const offset = Number(address - codeBase);
      // A virtual address of the page tables' random leaves.
      if (offset < 0 || offset + 4 > view.byteLength) continue;
      const entry = this.decode(view.getUint32(offset, true), image);
      if (entry) this.shareOf(entry, stream).count += count;
    }
  }

  count(entry: Instruction): number {
    return (this.shares.get(entry) ?? []).reduce((sum, { count }) => sum + count, 0);
  }

  get instructions(): number {
    return [...this.executed.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The entry that was executed least, when that is below `minimum`, and the stream that executes it most often, if one has. */
  neediest(
    minimum: number,
    passedOver: ReadonlySet<Instruction>,
  ): { entry: Instruction; stream: Stream | undefined; count: number } | undefined {
    let least: { entry: Instruction; stream: Stream | undefined; count: number } | undefined;
    for (const entry of entries()) {
      const count = this.count(entry);
      if (passedOver.has(entry) || count >= (least?.count ?? minimum)) continue;
      const rate = ({ stream, count: share }: Share): number => share / (this.executed.get(stream) ?? 1);
      const [best] = [...(this.shares.get(entry) ?? [])].sort((a, b) => rate(b) - rate(a));
      least = { entry, stream: best?.stream, count };
    }
    return least;
  }

  /** Mnemonics of entries executed fewer than `minimum` times. */
  below(minimum: number): string[] {
    return entries()
      .filter((entry) => this.count(entry) < minimum)
      .map((entry) => (minimum > 1 ? `${entry.mnemonic} (${this.count(entry)})` : entry.mnemonic));
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(entries().map((entry) => [entry.mnemonic, this.count(entry)]));
  }

  summary(): string {
    const counts = entries().map((entry) => this.count(entry));
    const missing = this.below(1);
    return (
      `${this.instructions.toLocaleString('en')} instructions, ` +
      `${counts.length - missing.length} of ${counts.length} table entries, ` +
      `the rarest ${Math.min(...counts.filter((count) => count > 0)).toLocaleString('en')} times` +
      (missing.length > 0 ? `; never executed: ${missing.join(' ')}` : '')
    );
  }

  private decode(word: number, image: Image): Instruction | undefined {
    const table = tableOf(image.target.extensions);
    const known = this.decoded.get(table) ?? new Map<number, Instruction | undefined>();
    this.decoded.set(table, known);
    const length = (word & 3) === 3 ? 4 : 2;
    const low = length === 4 ? word : word & 0xffff;
    if (!known.has(low)) {
      // Hints lie inside the encodings of what they hint at: the row with more fixed bits is meant.
      const [first] = table
        .filter(({ encoding }) => encoding.length === length && matches(encoding, low))
        .sort((left, right) => fixedBits(right) - fixedBits(left));
      known.set(low, first);
    }
    return known.get(low);
  }

  private shareOf(entry: Instruction, stream: Stream): Share {
    const shares = this.shares.get(entry) ?? [];
    this.shares.set(entry, shares);
    const known = shares.find((share) => share.stream === stream);
    if (known) return known;
    const fresh = { stream, count: 0 };
    shares.push(fresh);
    return fresh;
  }
}
