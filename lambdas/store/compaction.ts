/**
 * Packs are freed when nothing in them is needed; one page that never changes
 * keeps a whole pack. So a flush moves the last pages out of the emptiest
 * packs, never more than half as many as it writes anyway.
 */
import { PackSet, type PackTable } from './pack-table';
import type { SpaceIndex, StoredPlace } from './page-index';

/** Compaction begins when less than this part of what was ever stored is needed. */
const WASTE = 0.5;
/** Packs of which less than this part is needed are worth emptying. */
const NEARLY_EMPTY = 0.25;
/** Below this many pages and segments there is nothing to gain. */
const WORTHWHILE = 1024;

/** Packs to empty within a budget of pages. */
export function packsToEmpty(table: PackTable, budget: number): PackSet {
  const entries = table.entries();
  const live = entries.reduce((sum, use) => sum + use.live, 0);
  const born = entries.reduce((sum, use) => sum + use.born, 0);
  const chosen = new PackSet();
  if (born < WORTHWHILE || live > born * WASTE) return chosen;
  let left = budget;
  const sparse = entries.filter((use) => use.live <= use.born * NEARLY_EMPTY);
  for (const use of sparse.sort((a, b) => a.live - b.live)) {
    left -= use.live;
    if (left < 0) break;
    chosen.add(use.id);
  }
  return chosen;
}

export interface PageAt {
  readonly space: SpaceIndex;
  readonly page: number;
  readonly place: StoredPlace;
}

/** Every page that lies in one of the packs. All segments have to have been read. */
export function pagesIn(spaces: ReadonlyMap<string, SpaceIndex>, packs: PackSet): PageAt[] {
  const found: PageAt[] = [];
  for (const space of spaces.values()) {
    for (const [number, segment] of space.segments) {
      for (let i = 0; i < segment.pages; i += 1) {
        const place = segment.place(i);
        if (place.kind === 'stored' && packs.has(place.at.pack)) {
          found.push({ space, page: number * space.segmentPages + i, place });
        }
      }
    }
  }
  return found;
}
