/** Ranges of an address space that were mapped alike (Linux: vm_area_struct), and the ordered list of them. */
import type { Description } from '../kernel/description';
import type { SharedObject } from './shared-object';

export const Prot = { none: 0, read: 1, write: 2, execute: 4 } as const;

export interface Area {
  /** Byte addresses, page-aligned; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  /** Privately mapped file; what lies at `start` is at `offset` in it. */
  readonly file?: Description | undefined;
  /** What is mapped MAP_SHARED, a file's pages or memory of no file. */
  readonly object?: SharedObject | undefined;
  readonly offset: number;
  /** `[heap]`, `[stack]` as in /proc/pid/maps; else empty. */
  readonly label: string;
}

/** The part of an area in [start, end). */
export function part(area: Area, start: number, end: number, prot = area.prot): Area {
  return { ...area, start, end, prot, offset: area.offset + (start - area.start) };
}

const mergeable = (a: Area, b: Area): boolean =>
  a.end === b.start &&
  a.prot === b.prot &&
  a.label === b.label &&
  !a.file &&
  !b.file &&
  !a.object &&
  !b.object;

/** Disjoint areas in ascending order. */
export class AreaList {
  private areas: Area[] = [];

  get all(): readonly Area[] {
    return this.areas;
  }

  /** Index of the first area that ends after `address`. */
  private search(address: number): number {
    let low = 0;
    let high = this.areas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.areas[middle] as Area).end <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The area that holds `address`. */
  find(address: number): Area | undefined {
    const area = this.areas[this.search(address)];
    return area && area.start <= address ? area : undefined;
  }
  /** The first area that ends after `address`. */
  after(address: number): Area | undefined {
    return this.areas[this.search(address)];
  }

  /** Areas that overlap [start, end). */
  overlapping(start: number, end: number): Area[] {
    const found: Area[] = [];
    for (let i = this.search(start); i < this.areas.length; i++) {
      const area = this.areas[i] as Area;
      if (area.start >= end) break;
      found.push(area);
    }
    return found;
  }

  /** Whether every page of [start, end) is mapped. */
  covers(start: number, end: number): boolean {
    let reached = start;
    for (const area of this.overlapping(start, end)) {
      if (area.start > reached) return false;
      reached = area.end;
    }
    return reached >= end;
  }

  /** Into a range that is empty. */
  insert(area: Area): void {
    const at = this.search(area.start);
    const before = this.areas[at - 1];
    const next = this.areas[at];
    let merged = area;
    let first = at;
    let count = 0;
    // Offsets mean nothing without a file, so the merged area has none.
    if (before && mergeable(before, merged)) {
      merged = { ...merged, start: before.start, offset: 0 };
      first--;
      count++;
    }
    if (next && mergeable(merged, next)) {
      merged = { ...merged, end: next.end, offset: 0 };
      count++;
    }
    this.areas.splice(first, count, merged);
  }

  /** Cuts [start, end) out; returns what was there. */
  remove(start: number, end: number): Area[] {
    const hit = this.overlapping(start, end);
    if (hit.length === 0) return [];
    const rest: Area[] = [];
    const removed: Area[] = [];
    for (const area of hit) {
      if (area.start < start) rest.push(part(area, area.start, start));
      removed.push(part(area, Math.max(area.start, start), Math.min(area.end, end)));
      if (area.end > end) rest.push(part(area, end, area.end));
    }
    this.areas.splice(this.areas.indexOf(hit[0] as Area), hit.length, ...rest);
    return removed;
  }

  /** Whether nothing is mapped in [start, end). */
  isFree(start: number, end: number): boolean {
    const next = this.areas[this.search(start)];
    return !next || next.start >= end;
  }

  /** Where `length` bytes are free below `top`, as high as possible and not below `floor`; undefined if nowhere. */
  gapBelow(top: number, length: number, floor: number): number | undefined {
    let end = top;
    for (let i = this.search(top - 1); i >= 0; i--) {
      const area = this.areas[i];
      if (!area || area.start >= end) continue;
      if (end - Math.max(area.end, 0) >= length && area.end <= end) break;
      end = Math.min(end, area.start);
    }
    return end - length >= floor ? end - length : undefined;
  }
}
