/** Which pages make up the working set, from slice to slice. */
import type { PageSpace } from '../../engine/models/guest';
import type { Checkpoint } from './checkpoint';
import { isInImage, placeOf, type PagePlace, type SpaceIndex } from './page-index';
import {
  EVERYTHING,
  WORKING_SET_AGE,
  WORKING_SET_PAGES,
  type WorkingPage,
  type WorkingSet,
} from './working-set';

/** A page of the working set to be, which may not have its place yet. */
export type HotPage = Omit<WorkingPage, 'place'>;

export interface HotPages {
  readonly complete: boolean;
  readonly pages: readonly HotPage[];
}

export const pageKey = (space: string, page: number): string => `${space}/${page}`;

/** What the last slice used, and what it did not but earlier ones did. */
export function hotPages(earlier: WorkingSet, pageSpaces: readonly PageSpace[]): HotPages {
  const used = pageSpaces.flatMap(({ name, lazy }) =>
    (lazy?.used() ?? []).map((page): HotPage => ({ space: name, page, age: 0 })),
  );
  if (used.length > WORKING_SET_PAGES) return EVERYTHING;
  const seen = new Set(used.map(({ space, page }) => pageKey(space, page)));
  const names = new Set(pageSpaces.map(({ name }) => name));
  const older = earlier.pages
    .filter(({ space, page, age }) => {
      return age + 1 < WORKING_SET_AGE && names.has(space) && !seen.has(pageKey(space, page));
    })
    .map(({ space, page, age }): HotPage => ({ space, page, age: age + 1 }))
    .sort((a, b) => a.age - b.age);
  return { complete: true, pages: [...used, ...older.slice(0, WORKING_SET_PAGES - used.length)] };
}

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
  const pages = hot.pages.flatMap(({ space, page, age }): WorkingPage[] => {
    const place = places.of(space, page);
    if (place === undefined || place.kind === 'image') return [];
    return place.kind === 'stored' && place.difference ? [] : [{ space, page, age, place }];
  });
  return { complete: true, pages };
}
