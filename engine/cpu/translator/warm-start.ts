/**
 * Finds the places of a profile in a guest that runs: pages that it executes
 * are those that the fetch TLB maps, and each is compared with the profile by
 * its content. A page that is absent is never fetched for this: it is found
 * when the guest has executed something in it.
 */
import * as at from '../layout';
import { type PageHeat, type Profile, hashPage } from './profile';

/** A place to translate, as the interpreter would have named it. */
export interface WarmCandidate {
  readonly pc: bigint;
  readonly satp: bigint;
  readonly place: number;
  readonly privilege: number;
  readonly heat: number;
}

/** Contexts of the TLBs that code is fetched by, and the privilege of what they map. */
const CONTEXTS: readonly (readonly [context: number, privilege: number])[] = [
  [0, 0],
  [1, 1],
  [3, 3],
];
/** Scans between two looks at a page whose content the profile does not have, at most: kernels patch themselves. */
const LONGEST_INTERVAL = 256;
const NEVER = 0xffffffff;

export class WarmStart {
  private readonly memory: Uint32Array;
  /** By page of RAM: the scan that looks at it next, and how long after the one before. */
  private readonly due: Uint32Array;
  private readonly intervals: Uint16Array;
  private scans = 0;
  /** Pages of the profile that have not been met. */
  private readonly unmet: Set<number>;

  constructor(
    private readonly cells: DataView,
    private readonly profile: Profile,
  ) {
    this.memory = new Uint32Array(cells.buffer);
    this.unmet = new Set(profile.keys());
    const pages = (cells.byteLength - at.RAM) >>> 12;
    this.due = new Uint32Array(pages);
    this.intervals = new Uint16Array(pages);
  }

  /** Every page of the profile has been met. */
  get over(): boolean {
    return this.unmet.size === 0;
  }

  /** Places in pages that have come into the fetch TLBs since the last scan, hottest first. */
  scan(): WarmCandidate[] {
    const { cells, memory, due } = this;
    this.scans++;
    const found: WarmCandidate[] = [];
    for (const [context, privilege] of CONTEXTS) {
      const first = at.TLB + context * at.TLB_CONTEXT + at.TLB_FETCH;
      for (let entry = first; entry < first + at.TLB_KIND; entry += at.TLB_ENTRY) {
        const tag = memory[entry >>> 2]!;
        if ((tag & 0xfff) !== 0) continue; // none
        const place = (tag + memory[(entry >>> 2) + 2]!) >>> 0;
        if (this.scans < (due[(place - at.RAM) >>> 12] ?? NEVER)) continue;
        const heats = this.look(place);
        if (!heats) continue;
        const page = cells.getBigUint64(entry, true);
        const satp = cells.getBigUint64(at.SATP, true);
        for (const [offset, heat] of heats)
          found.push({ pc: page + BigInt(offset), satp, place: place + offset, privilege, heat });
      }
    }
    return found.sort((a, b) => b.heat - a.heat);
  }

  /** The content of a page of RAM has changed. */
  forget(page: number): void {
    this.due[page] = 0;
  }

  private look(place: number): PageHeat | undefined {
    const page = (place - at.RAM) >>> 12;
    const hash = hashPage(this.memory, place >>> 2);
    const heats = this.profile.get(hash);
    this.unmet.delete(hash);
    const interval = Math.min(2 * (this.intervals[page]! || 0.5), LONGEST_INTERVAL);
    this.intervals[page] = interval;
    this.due[page] = heats ? NEVER : this.scans + interval;
    return heats;
  }
}
