/**
 * The pages that a guest used lately, each with the place where it is stored:
 * what a worker fetches before it lets the guest run. It stands alone: neither
 * the page index nor the guest's image is needed to load it.
 *
 *   u8 complete, u8 spaces with their names, u16 packs, u32 pages, then columns: u8 space, u8 uses, u32 distance
 *   from the page before, modulo 2^32, u16 pack (0 for a zero page, else 1 + its number), u16 slot
 */
import { PACK_ID_BYTES, Reader, Writer } from './bytes';
import { packName } from './keys';
import { decodeSlot, encodeSlot, type PagePlace } from './page-index';
import type { PackId } from './store';

export interface WorkingPage {
  readonly space: string;
  readonly page: number;
  /** Bit n: used n slices ago; bit 0: in the last one. */
  readonly uses: number;
  readonly place: Exclude<PagePlace, { kind: 'image' }>;
}

export interface WorkingSet {
  /** False: the last slice used more than is worth listing. Who restores fetches everything, at once. */
  readonly complete: boolean;
  readonly pages: readonly WorkingPage[];
}

/** Pages that are worth listing: 16 MiB. A guest that uses more is better off with all of its pages, in their order. */
export const WORKING_SET_PAGES = 4096;
/** Slices whose uses count: what a keystroke needs is kept while the guest only ticks. */
const REMEMBERED = 4;

/** The uses of a page one slice later, in which it was used or not; 0: it leaves the set. */
export const usesAfter = (uses: number, used: boolean): number =>
  ((uses << 1) | (used ? 1 : 0)) & ((1 << REMEMBERED) - 1);

/** Used in more than one of the last slices: it is worth its place beside the others. */
export const isRegular = ({ uses }: Pick<WorkingPage, 'uses'>): boolean => (uses & (uses - 1)) !== 0;

export const EVERYTHING: WorkingSet = { complete: false, pages: [] };

const ENTRY_BYTES = 10;

export function encodeWorkingSet({ complete, pages }: WorkingSet): Uint8Array {
  const spaces = [...new Set(pages.map(({ space }) => space))];
  const names = spaces.map((name) => new TextEncoder().encode(name));
  const packs = new Map<string, PackId>();
  for (const { place } of pages)
    if (place.kind === 'stored') packs.set(packName(place.at.pack), place.at.pack);
  const numbers = new Map([...packs.keys()].map((name, number) => [name, number + 1]));
  const size =
    2 +
    names.reduce((sum, name) => sum + 1 + name.length, 0) +
    2 +
    packs.size * PACK_ID_BYTES +
    4 +
    pages.length * ENTRY_BYTES;
  const bytes = new Uint8Array(size);
  const writer = new Writer(bytes);
  writer.u8(complete ? 1 : 0);
  writer.u8(names.length);
  names.forEach((name) => writer.name(name));
  writer.u16(packs.size);
  for (const pack of packs.values()) writer.packId(pack);
  writer.u32(pages.length);
  for (const { space } of pages) writer.u8(spaces.indexOf(space));
  for (const { uses } of pages) writer.u8(uses);
  // Distances are small where pages lie beside each other, and compress.
  pages.forEach(({ page }, i) => writer.u32((page - (pages[i - 1]?.page ?? 0)) >>> 0));
  for (const { place } of pages) {
    writer.u16(place.kind === 'zero' ? 0 : (numbers.get(packName(place.at.pack)) ?? 0));
  }
  for (const { place } of pages) writer.u16(place.kind === 'zero' ? 0 : encodeSlot(place));
  return bytes;
}

/** @throws RangeError on bytes that are no working set. */
export function decodeWorkingSet(bytes: Uint8Array): WorkingSet {
  const reader = new Reader(bytes);
  const complete = reader.u8() === 1;
  const spaces = Array.from({ length: reader.u8() }, () => reader.name());
  const packs = Array.from({ length: reader.u16() }, () => reader.packId());
  const count = reader.u32();
  if (count > bytes.length) throw new RangeError(`${bytes.length} bytes for ${count} pages`);
  const column = (read: () => number): number[] => Array.from({ length: count }, read);
  const spaceNumbers = column(() => reader.u8());
  const uses = column(() => reader.u8());
  let before = 0;
  const numbers = column(() => (before = (before + reader.u32()) >>> 0));
  const packNumbers = column(() => reader.u16());
  const slots = column(() => reader.u16());
  reader.end();
  const pages = numbers.map((page, i): WorkingPage => {
    const space = spaces[spaceNumbers[i]!];
    const pack = packs[packNumbers[i]! - 1];
    if (space === undefined || (packNumbers[i] !== 0 && pack === undefined)) {
      throw new RangeError(`page ${page} names a space or a pack that is not listed`);
    }
    return { space, page, uses: uses[i]!, place: pack ? decodeSlot(pack, slots[i]!) : { kind: 'zero' } };
  });
  return { complete, pages };
}
