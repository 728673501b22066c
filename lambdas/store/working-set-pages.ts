/** Which pages make up the working set, from slice to slice. */
import type { PageSpace } from '../../engine/models/guest';
import type { Checkpoint } from './checkpoint';
import { isInImage, placeOf, type PagePlace, type SpaceIndex } from './page-index';
import { EVERYTHING, usesAfter, WORKING_SET_PAGES, type WorkingPage, type WorkingSet } from './working-set';

/** A page of the working set to be, which may not have its place yet. */
export type HotPage = Omit<WorkingPage, 'place'>;

export interface HotPages {
  readonly complete: boolean;
  readonly pages: readonly HotPage[];
}

export const pageKey = (space: string, page: number): string => `${space}/${page}`;

/** What the last slice used, and what it did not but earlier ones did: those used lately first, as far as they are worth it. */
export function hotPages(earlier: WorkingSet, pageSpaces: readonly PageSpace[]): HotPages {
  const before = new Map(earlier.pages.map((each) => [pageKey(each.space, each.page), each]));
  const used: HotPage[] = [];
  for (const { name, lazy } of pageSpaces) {
    for (const page of lazy?.used() ?? []) {
      const key = pageKey(name, page);
      used.push({ space: name, page, uses: usesAfter(before.get(key)?.uses ?? 0, true) });
      before.delete(key);
    }
  }
  if (used.length > WORKING_SET_PAGES) return EVERYTHING;
  const names = new Set(pageSpaces.map(({ name }) => name));
  const older = [...before.values()]
    .map(({ space, page, uses }): HotPage => ({ space, page, uses: usesAfter(uses, false) }))
    .filter(({ space, uses }) => uses !== 0 && names.has(space))
    .sort((a, b) => lowestBit(a.uses) - lowestBit(b.uses));
  const pages = [...used, ...older.slice(0, WORKING_SET_PAGES - used.length)];
  return { complete: true, pages: pages.sort(byPlace) };
}

const lowestBit = (uses: number): number => uses & -uses;

const byPlace = (a: HotPage, b: HotPage): number =>
  a.space === b.space ? a.page - b.page : a.space < b.space ? -1 : 1;

/** Where pages lie, without reading a segment for it: the earlier working set knows its own. */
export class KnownPlaces {
  private readonly listed: ReadonlyMap<string, PagePlace>;

  constructor(
    { workingSet }: Pick<Checkpoint, 'workingSet'>,
    private readonly spaces: ReadonlyMap<string, SpaceIndex>,
  ) {
    this.listed = new Map(workingSet.pages.map(({ space, page, place }) => [pageKey(space, page), place]));
  }

  /** Undefined: only an unread segment knows. A page that the image has nothing of is zero. */
  of(name: string, page: number): PagePlace | undefined {
    const space = this.spaces.get(name);
    if (space === undefined) return undefined;
    if (space.unread.has(Math.floor(page / space.segmentPages))) return this.listed.get(pageKey(name, page));
    const place = placeOf(space, page);
    return place.kind === 'image' && !isInImage(space, page) ? { kind: 'zero' } : place;
  }
}

/** The working set as it is stored: pages that need the image, or whose place is not known, are left out. */
export function placed(hot: HotPages, places: KnownPlaces): WorkingSet {
  if (!hot.complete) return EVERYTHING;
  const pages = hot.pages.flatMap(({ space, page, uses }): WorkingPage[] => {
    const place = places.of(space, page);
    if (place === undefined || place.kind === 'image') return [];
    return place.kind === 'stored' && place.difference ? [] : [{ space, page, uses, place }];
  });
  return { complete: true, pages };
}
