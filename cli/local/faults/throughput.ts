/**
 * DynamoDB's throughput as an on-demand table has it from the start: a partition key and the table as a whole have a
 * budget that fills by the second. DynamoDB Developer Guide, "Burst and adaptive capacity", as of 2026-11.
 */
export interface ThroughputLimits {
  /** Units a second of one partition key. */
  readonly partition: { readonly write: number; readonly read: number };
  /** Units a second of a table. */
  readonly table: { readonly write: number; readonly read: number };
}

export const NEW_TABLE: ThroughputLimits = {
  partition: { write: 1000, read: 3000 },
  table: { write: 4000, read: 12_000 },
};

export type Access = 'write' | 'read';

/** A second's worth of units, which fills up again with time. */
class Bucket {
  private left: number;

  constructor(
    private readonly perSecond: number,
    private filledAt: number,
  ) {
    this.left = perSecond;
  }

  has(units: number, now: number): boolean {
    this.left = Math.min(this.perSecond, this.left + ((now - this.filledAt) / 1000) * this.perSecond);
    this.filledAt = now;
    // What is larger than the whole budget is served from a full one.
    return this.left >= Math.min(units, this.perSecond);
  }

  take(units: number): void {
    this.left -= units;
  }
}

export class Throughput {
  private readonly buckets = new Map<string, Bucket>();

  /** `now`: milliseconds, of any clock that goes on evenly. */
  constructor(
    private readonly limits: ThroughputLimits,
    private readonly now: () => number,
  ) {}

  /** True when key and table have the units; takes them then. */
  admit(access: Access, table: string, partitionKey: string, units: number): boolean {
    const now = this.now();
    const buckets = [
      this.bucket(`${access} ${table}`, this.limits.table[access], now),
      this.bucket(`${access} ${table} ${partitionKey}`, this.limits.partition[access], now),
    ];
    if (!buckets.every((bucket) => bucket.has(units, now))) return false;
    for (const bucket of buckets) bucket.take(units);
    return true;
  }

  private bucket(name: string, perSecond: number, now: number): Bucket {
    const bucket = this.buckets.get(name) ?? new Bucket(perSecond, now);
    this.buckets.set(name, bucket);
    return bucket;
  }
}
