/**
 * The TLB as bytes. What the hart has translated is state: whether the next
 * access to a page walks the tables, and sets bits in them, depends on it.
 *
 * Entries stand in the order of their places, those of address spaces that are
 * gone left out. What neighbours have in common is not written twice: each
 * column has the differences between one entry and the next, as numbers of as
 * many bytes as they need (7 bits each, the lowest first, signs in bit 0).
 *
 *   varint entries | places | spaces and rights | tags | pages of RAM
 */
import { StateError } from '../snapshot/errors';
import * as at from './layout';

/** Of an entry's halves: layout.ts has them as 64 bits. */
const RIGHTS_BITS = 4;
const FRAME_BITS = 20;
const SPACE_SHIFT = 24;
const LAST_SPACE = 255;
const LAST_TAG = 2 ** 31 - 1;

/** Numbers of the address spaces that the hart knows, as cells. */
function spacesOf(memory: DataView): Set<number> {
  const cells = Array.from({ length: at.SPACES_MOST }, (_, i) =>
    memory.getUint32(at.SPACE_NUMBERS + 8 * i, true),
  );
  return new Set(cells.filter((space) => space !== 0));
}

interface Entry {
  readonly place: number;
  /** Space and rights. */
  readonly kind: number;
  readonly tag: number;
  readonly page: number;
}
const columns = ['place', 'kind', 'tag', 'page'] as const;

export function saveTlb(memory: DataView): Uint8Array {
  const spaces = spacesOf(memory);
  const entries: Entry[] = [];
  for (let place = 0; place < at.STLB_ENTRIES; place++) {
    const address = at.STLB + place * at.STLB_ENTRY;
    const low = memory.getUint32(address, true);
    if (!spaces.has(low >>> SPACE_SHIFT)) continue;
    const kind = ((low >>> SPACE_SHIFT) << RIGHTS_BITS) | (low & (2 ** RIGHTS_BITS - 1));
    const page = (low >>> RIGHTS_BITS) & (2 ** FRAME_BITS - 1);
    entries.push({ place, kind, tag: memory.getUint32(address + 4, true), page });
  }
  const out: number[] = [];
  write(out, entries.length);
  for (const column of columns) {
    let before = 0;
    for (const { [column]: value } of entries) {
      const difference = value - before;
      write(out, difference < 0 ? -2 * difference - 1 : 2 * difference);
      before = value;
    }
  }
  return Uint8Array.from(out);
}

/** Into a TLB that is empty. @throws StateError when an entry cannot be. */
export function restoreTlb(memory: DataView, saved: Uint8Array, ramPages: number): void {
  const input = new Numbers(saved);
  const count = input.next();
  if (count > at.STLB_ENTRIES) throw new StateError(`hart: a TLB of ${count} entries`);
  const values = columns.map(() => {
    let value = 0;
    return Array.from({ length: count }, () => {
      const difference = input.next();
      return (value += difference % 2 === 1 ? -(difference + 1) / 2 : difference / 2);
    });
  });
  input.end();
  const [places, kinds, tags, pages] = values as [number[], number[], number[], number[]];
  for (let i = 0; i < count; i++) {
    const entry: Entry = { place: places[i]!, kind: kinds[i]!, tag: tags[i]!, page: pages[i]! };
    if (!isPossible(entry, ramPages) || (i > 0 && entry.place <= places[i - 1]!)) {
      throw new StateError(`hart: TLB entry ${i} (${JSON.stringify(entry)}) cannot be`);
    }
    const address = at.STLB + entry.place * at.STLB_ENTRY;
    const space = entry.kind >>> RIGHTS_BITS;
    const rights = entry.kind & (2 ** RIGHTS_BITS - 1);
    memory.setUint32(address, ((space << SPACE_SHIFT) | (entry.page << RIGHTS_BITS) | rights) >>> 0, true);
    memory.setUint32(address + 4, entry.tag, true);
  }
}

function isPossible({ place, kind, tag, page }: Entry, ramPages: number): boolean {
  const space = kind >> RIGHTS_BITS;
  const within = (value: number, last: number): boolean => value >= 0 && value <= last;
  return (
    within(place, at.STLB_ENTRIES - 1) &&
    space > 0 &&
    within(space, LAST_SPACE) &&
    within(tag, LAST_TAG) &&
    within(page, ramPages - 1)
  );
}

function write(out: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  out.push(rest);
}

class Numbers {
  private place = 0;
  constructor(private readonly bytes: Uint8Array) {}

  next(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 0x80) {
      const byte = this.bytes[this.place++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new StateError(`hart: a TLB of ${this.bytes.length} bytes ends in mid-entry`);
  }
  end(): void {
    if (this.place !== this.bytes.length) throw new StateError('hart: something follows the TLB');
  }
}
