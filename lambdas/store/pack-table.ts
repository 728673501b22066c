/**
 * How much of each pack a generation needs. With it a slice knows what it
 * leaves behind without reading the index, collecting is a comparison of
 * tables, and the emptiest packs are found.
 *
 *   u32 packs, then columns: u32 generation, u32 fencing, u16 number, u32 live, u32 born
 */
import { Reader, Writer } from './bytes';
import { packName } from './keys';
import type { PackId } from './store';

export interface PackUse {
  readonly id: PackId;
  /** Pages and segments that lie in it and are needed. */
  readonly live: number;
  /** The most that `live` ever was. */
  readonly born: number;
}

const ENTRY_BYTES = 18;
/** Packs in one frame of the stored table. */
export const PACKS_PER_FRAME = 14_000;

export class PackTable {
  private readonly uses = new Map<string, { id: PackId; live: number; born: number }>();

  constructor(uses: Iterable<PackUse> = []) {
    for (const use of uses) this.uses.set(packName(use.id), { ...use });
  }

  get size(): number {
    return this.uses.size;
  }

  /** One more page or segment lies in the pack. */
  hold(id: PackId): void {
    const name = packName(id);
    const use = this.uses.get(name);
    if (use === undefined) this.uses.set(name, { id, live: 1, born: 1 });
    else {
      use.live += 1;
      use.born = Math.max(use.born, use.live);
    }
  }

  /** One of those is needed no longer. */
  release(id: PackId): void {
    const name = packName(id);
    const use = this.uses.get(name);
    if (use === undefined) throw new RangeError(`pack ${name} is not in the table`);
    use.live -= 1;
    if (use.live === 0) this.uses.delete(name);
  }

  /** In the order of their names. */
  entries(): PackUse[] {
    return [...this.uses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
  }

  has(id: PackId): boolean {
    return this.uses.has(packName(id));
  }

  copy(): PackTable {
    return new PackTable(this.uses.values());
  }

  /** One piece for each PACKS_PER_FRAME packs. */
  encode(): Uint8Array[] {
    const entries = this.entries();
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < entries.length; from += PACKS_PER_FRAME) {
      pieces.push(encodePiece(entries.slice(from, from + PACKS_PER_FRAME)));
    }
    return pieces;
  }

  /** @throws RangeError on bytes that are no table. */
  static decode(pieces: readonly Uint8Array[]): PackTable {
    return new PackTable(pieces.flatMap(decodePiece));
  }
}

function encodePiece(entries: readonly PackUse[]): Uint8Array {
  const bytes = new Uint8Array(4 + entries.length * ENTRY_BYTES);
  const writer = new Writer(bytes);
  writer.u32(entries.length);
  for (const { id } of entries) writer.u32(id.generation);
  for (const { id } of entries) writer.u32(id.fencing);
  for (const { id } of entries) writer.u16(id.number);
  for (const { live } of entries) writer.u32(live);
  for (const { born } of entries) writer.u32(born);
  return bytes;
}

function decodePiece(bytes: Uint8Array): PackUse[] {
  const reader = new Reader(bytes);
  const count = reader.u32();
  if (bytes.length !== 4 + count * ENTRY_BYTES)
    throw new RangeError(`${bytes.length} bytes for ${count} packs`);
  const column = (read: () => number): number[] => Array.from({ length: count }, read);
  const generations = column(() => reader.u32());
  const fencings = column(() => reader.u32());
  const numbers = column(() => reader.u16());
  const lives = column(() => reader.u32());
  const borns = column(() => reader.u32());
  return generations.map((generation, i) => ({
    id: { generation, fencing: fencings[i]!, number: numbers[i]! },
    live: lives[i]!,
    born: borns[i]!,
  }));
}

/** A set of packs. */
export class PackSet {
  private readonly names = new Map<string, PackId>();

  constructor(ids: Iterable<PackId> = []) {
    for (const id of ids) this.add(id);
  }

  get size(): number {
    return this.names.size;
  }
  add(id: PackId): void {
    this.names.set(packName(id), id);
  }
  has(id: PackId): boolean {
    return this.names.has(packName(id));
  }
  ids(): PackId[] {
    return [...this.names.values()];
  }
}
