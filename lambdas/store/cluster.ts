/**
 * Keeps the working set together. Its pages were written at many times, so
 * they lie in many packs, and a pack is read whole. When there are too many,
 * the pages of those that hold few are stored again beside each other: once,
 * since a page that only is read stays where it is.
 */
import { packName } from './keys';
import { isRegular } from './working-set';
import type { HotPage, HotPages, KnownPlaces } from './working-set-pages';

/** Packs that a restore may have to read. */
const MANY_PACKS = 12;

/** Pages to store again, whole. */
export function scattered({ complete, pages }: HotPages, places: KnownPlaces): HotPage[] {
  if (!complete) return [];
  const moving: HotPage[] = [];
  const packs = new Map<string, HotPage[]>();
  for (const hot of pages) {
    const place = places.of(hot.space, hot.page);
    if (place === undefined || place.kind === 'zero') continue;
    if (place.kind === 'image' || place.difference) {
      moving.push(hot); // would need the image
      continue;
    }
    // What was used by chance, once, will be fetched if it ever is wanted again.
    if (!isRegular(hot)) continue;
    const name = packName(place.at.pack);
    const there = packs.get(name);
    if (there === undefined) packs.set(name, [hot]);
    else there.push(hot);
  }
  // Those with the fewest pages: a slice adds one pack at most, so an idle guest's slice has one to empty.
  const fullest = [...packs.values()].sort((a, b) => b.length - a.length);
  return [...moving, ...fullest.slice(MANY_PACKS - 1).flat()];
}
