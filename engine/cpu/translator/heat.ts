/**
 * A translator's knowledge of what is hot: the profile that it was given, what
 * it has sampled itself, and from both the profile that is handed on.
 */
import * as at from '../layout';
import {
  type HotPlace,
  type Profile,
  decodeProfile,
  encodeProfile,
  hashPage,
  heatOf,
  placesOf,
  profileOf,
} from './profile';
import { Samples } from './samples';
import { type WarmCandidate, WarmStart } from './warm-start';

/** Where a translated region is entered. */
export interface TranslatedPlace {
  readonly place: number;
}

/** Of the places in a profile, so many have to be new before it is worth writing again. */
const NEWS_PART = 1 / 8;
const NEWS_LEAST = 16;

export class Heat {
  readonly samples: Samples;
  /** Regions that were translated because the guest's own run showed that they are hot. */
  discovered = 0;
  private readonly words: Uint32Array;
  private recorded: Profile = new Map();
  private warm: WarmStart | undefined;

  constructor(private readonly cells: DataView) {
    this.samples = new Samples(cells);
    this.words = new Uint32Array(cells.buffer);
  }

  /** What was hot earlier is looked for from now on. @throws StateError on bytes that are no profile. */
  use(bytes: Uint8Array): void {
    this.recorded = decodeProfile(bytes);
    this.warm = this.recorded.size === 0 ? undefined : new WarmStart(this.cells, this.recorded);
  }

  /** Places of the profile that have come into reach, hottest first. */
  arrivals(): WarmCandidate[] {
    return this.warm?.over === false ? this.warm.scan() : [];
  }

  /** The content of a page of RAM has changed. */
  written(page: number): void {
    this.warm?.forget(page);
  }

  /** What is to be handed on; undefined: what was given or taken last still says it. */
  take(translated: Iterable<TranslatedPlace>): Uint8Array | undefined {
    if (this.discovered < NEWS_LEAST) return undefined;
    this.discovered = 0;
    const places = this.placesOf(translated);
    const news = places.filter(({ page, offset }) => !this.recorded.get(page)?.has(offset));
    const known = [...placesOf(this.recorded)];
    if (news.length < Math.max(NEWS_LEAST, known.length * NEWS_PART)) return undefined;
    this.recorded = profileOf([...places, ...known]);
    return encodeProfile(this.recorded);
  }

  private placesOf(translated: Iterable<TranslatedPlace>): HotPlace[] {
    const byPage = new Map<number, number[]>();
    for (const { place } of translated) {
      const page = place & ~0xfff;
      byPage.set(page, [...(byPage.get(page) ?? []), place & 0xfff]);
    }
    for (const offsets of byPage.values()) offsets.sort((a, b) => b - a);
    // A sample belongs to the entry before it: compilers put a function's code behind its beginning.
    const counts = new Map<number, number>();
    for (const { offset, count } of this.samples.all()) {
      if (offset === undefined) continue;
      const place = at.RAM + offset;
      const entry = byPage.get(place & ~0xfff)?.find((offset) => offset <= (place & 0xfff));
      if (entry === undefined) continue;
      const key = (place & ~0xfff) + entry;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
    return [...byPage].flatMap(([page, offsets]) => {
      const hash = hashPage(this.words, page >>> 2);
      return offsets.map((offset) => ({
        page: hash,
        offset,
        heat: heatOf(counts.get(page + offset) ?? 0),
      }));
    });
  }
}
