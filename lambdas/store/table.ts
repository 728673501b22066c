/**
 * The little that the store asks of a database: items under a partition key
 * and a sort key, strongly consistent reads, and a put that can be made
 * conditional. DynamoDB gives this; so does a map in memory.
 */
import { ItemSizeError } from './errors';

export type Value = string | number | Uint8Array;

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** One item: flat, with absent values left out. */
export type Item = Key & { readonly [attribute: string]: Value };

/** When a put may happen. `equals`: these attributes of the stored item have these values. */
export type Condition =
  { readonly absent: true } | { readonly equals: Readonly<Record<string, string | number>> };

/** A range of sort keys, both ends included. */
export interface Range {
  readonly from?: string;
  readonly to?: string;
  readonly descending?: boolean;
  /** Only the keys are of interest. */
  readonly keysOnly?: boolean;
  /** Items wanted at most. */
  readonly limit?: number;
}

export interface Table {
  readonly usage: Usage;
  get(key: Key): Promise<Item | undefined>;
  /** Replaces the item. False: the condition does not hold, and nothing was written. @throws ItemSizeError */
  put(item: Item, condition?: Condition): Promise<boolean>;
  delete(key: Key): Promise<void>;
  query(pk: string, range?: Range): AsyncIterable<Item>;
}

/** DynamoDB's limit for one item, names included (FACTS section 2). */
export const ITEM_LIMIT = 400 * 1024;

/** The size of an item as DynamoDB counts it: UTF-8 names and strings, raw bytes, a number's digits by halves. */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueBytes(value);
  return bytes;
}

function valueBytes(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).length / 2) + 1;
  return value.byteLength;
}

/** @throws ItemSizeError */
export function checkItemSize(item: Item): void {
  const bytes = itemBytes(item);
  if (bytes > ITEM_LIMIT) throw new ItemSizeError(item.pk, item.sk, bytes, ITEM_LIMIT);
}

/** What was asked of the table so far; a slice's share is the difference of two readings. */
export class Usage {
  itemsWritten = 0;
  bytesWritten = 0;
  /** 1 KB each, started ones count whole. */
  writeUnits = 0;
  itemsRead = 0;
  bytesRead = 0;
  /** 4 KB each, strongly consistent. */
  readUnits = 0;
  /** Requests to S3, by price class: `put` for what writes or lists. */
  readonly requests = { put: 0, get: 0 };

  wrote(bytes: number): void {
    this.itemsWritten += 1;
    this.bytesWritten += bytes;
    this.writeUnits += Math.max(1, Math.ceil(bytes / 1024));
  }

  read(bytes: number): void {
    this.itemsRead += 1;
    this.bytesRead += bytes;
    this.readUnits += Math.max(1, Math.ceil(bytes / 4096));
  }
}
