/**
 * What was hot in a guest, for the worker that runs it next: places that were
 * worth translating, and how much was executed there. Never machine code.
 *
 * A place is known by the content of its page and its offset in it, so that it
 * is found again wherever the page lies: after a restore, in a fork, or in
 * another boot of the same kernel. A profile is a hint; no guest can tell
 * whether there was one.
 *
 *   u8 version, u16 pages; for each: u48 hash, u8 places, each u16: offset / 2 and in the high 5 bits the heat
 */
import { StateError } from '../../snapshot/errors';

/** Bounds of a profile: at most 3 + 7 * 1,000 + 2 * 3,000 bytes, some 13 KB. */
export const PROFILE_PLACES = 3000;
export const PROFILE_PAGES = 1000;
const PLACES_A_PAGE = 255;

const VERSION = 1;
const PAGE_BYTES = 7;
const OFFSET_BITS = 11;
export const HOTTEST = 31;

/** Places by their offset in a page, each with its heat: 0 to 31, each step twice as hot. */
export type PageHeat = ReadonlyMap<number, number>;
/** Pages by the hash of their content. */
export type Profile = ReadonlyMap<number, PageHeat>;

export interface HotPlace {
  readonly page: number;
  readonly offset: number;
  readonly heat: number;
}

/** Heat of a place at which so many of the samples were taken. */
export const heatOf = (samples: number): number =>
  samples <= 0 ? 0 : Math.min(HOTTEST, Math.floor(Math.log2(samples)) + 1);

/** The hottest places that fit. Where two name the same, the hotter counts. Of equally hot ones the earlier stay. */
export function profileOf(places: Iterable<HotPlace>): Profile {
  const hottest = new Map<string, HotPlace>();
  for (const place of places) {
    const key = `${place.page},${place.offset}`;
    if ((hottest.get(key)?.heat ?? -1) < place.heat) hottest.set(key, place);
  }
  const pages = new Map<number, Map<number, number>>();
  let count = 0;
  for (const { page, offset, heat } of [...hottest.values()].sort((a, b) => b.heat - a.heat)) {
    if (count === PROFILE_PLACES) break;
    const known = pages.get(page);
    if (known ? known.size >= PLACES_A_PAGE : pages.size >= PROFILE_PAGES) continue;
    pages.set(page, (known ?? new Map<number, number>()).set(offset, heat));
    count++;
  }
  return pages;
}

export function* placesOf(profile: Profile): Iterable<HotPlace> {
  for (const [page, places] of profile) for (const [offset, heat] of places) yield { page, offset, heat };
}

/** Equal profiles give equal bytes. */
export function encodeProfile(profile: Profile): Uint8Array {
  const pages = [...profile].sort(([a], [b]) => a - b);
  const places = pages.reduce((sum, [, { size }]) => sum + size, 0);
  const bytes = new Uint8Array(3 + pages.length * PAGE_BYTES + places * 2);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint16(1, pages.length, true);
  let at = 3;
  for (const [hash, heats] of pages) {
    view.setUint32(at, hash % 2 ** 32, true);
    view.setUint16(at + 4, Math.floor(hash / 2 ** 32), true);
    view.setUint8(at + 6, heats.size);
    at += PAGE_BYTES;
    for (const [offset, heat] of [...heats].sort(([a], [b]) => a - b)) {
      view.setUint16(at, (offset >> 1) | (heat << OFFSET_BITS), true);
      at += 2;
    }
  }
  return bytes;
}

/** @throws StateError on bytes that are no profile. */
export function decodeProfile(bytes: Uint8Array): Profile {
  const refuse = (found: string): StateError =>
    new StateError(`these are no profile of translated code: ${found}; record it again`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 3) throw refuse(`${bytes.length} bytes`);
  if (view.getUint8(0) !== VERSION) throw refuse(`version ${view.getUint8(0)}, not ${VERSION}`);
  const pages = new Map<number, Map<number, number>>();
  let at = 3;
  let places = 0;
  for (let left = view.getUint16(1, true); left > 0; left--) {
    if (at + PAGE_BYTES > bytes.length) throw refuse('they are cut off');
    const hash = view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
    const count = view.getUint8(at + 6);
    at += PAGE_BYTES;
    if (at + 2 * count > bytes.length) throw refuse('they are cut off');
    const heats = new Map<number, number>();
    for (const end = at + 2 * count; at < end; at += 2) {
      const place = view.getUint16(at, true);
      heats.set((place & ((1 << OFFSET_BITS) - 1)) << 1, place >> OFFSET_BITS);
    }
    pages.set(hash, heats);
    places += heats.size;
  }
  if (at !== bytes.length) throw refuse(`${bytes.length - at} bytes too many`);
  if (pages.size > PROFILE_PAGES || places > PROFILE_PLACES) throw refuse(`${places} places`);
  return pages;
}

/**
 * Hash of a page's content, 48 bits of it, from every fourth of its words:
 * that tells code apart, and what it does not tell apart, or what a guest
 * makes of one hash, is translated for nothing.
 *
 * @param first number of its first word
 */
export function hashPage(words: Uint32Array, first: number): number {
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  for (let i = first; i < first + 1024; i += 4) {
    const word = words[i]!;
    low = Math.imul(low ^ word, 0x01000193);
    low ^= low >>> 15;
    high = Math.imul(high + word, 0xc2b2ae35) ^ (high >>> 13);
  }
  return (low >>> 0) + ((high ^ (high >>> 16)) & 0xffff) * 2 ** 32;
}
