/**
 * What guests emit, as a log in the table: console output counted in bytes,
 * results in records. Any attempt may write, and only what the committed ones
 * wrote is ever read:
 *
 * - An attempt begins at the committed head's position (`sliceStart`), so a
 *   `sliceStart` is always a boundary of the committed log, a zombie's too.
 * - At a boundary below the head's position the committed item is the one with
 *   the highest fencing number: earlier attempts have lower ones, and later
 *   attempts begin where the committed log ends.
 */
import { AFTER, logKey, logPartition, logPosition, type LogName } from './keys';
import type { Attempt } from './store';
import type { Item, Table } from './table';

/** Bytes in one item of a log at most. */
export const LOG_ITEM_BYTES = 300_000;

/** One item's share of a log. */
export interface LogPiece {
  /** Positions that it takes. */
  readonly length: number;
  readonly data: Uint8Array;
}

export interface LogItem extends LogPiece {
  readonly position: number;
  /** The attempt that wrote it. */
  readonly generation: number;
}

/** Where the committed log ends, and the fencing number that committed it. */
export interface LogEnd {
  readonly position: number;
  readonly fencing: number;
}

export async function writeLog(
  table: Table,
  guest: string,
  log: LogName,
  attempt: Attempt,
  start: number,
  pieces: readonly LogPiece[],
): Promise<void> {
  let position = start;
  const writes = pieces.map(({ length, data }) => {
    const key = logKey(guest, log, position, attempt.fencing);
    const { generation, fencing } = attempt;
    const item = { ...key, generation, fencing, sliceStart: start, position, length, data };
    position += length;
    return table.put(item);
  });
  await Promise.all(writes);
}

/** The committed items that hold positions from `from` on, in order. */
export async function* readLog(
  table: Table,
  guest: string,
  log: LogName,
  end: LogEnd,
  from: number,
): AsyncIterable<LogItem> {
  if (from >= end.position) return;
  const partition = logPartition(guest, log);
  const start = await boundaryBefore(table, partition, from);
  for await (const item of chain(table, partition, start, end)) {
    if (item.position + item.length > from) yield item;
  }
}

interface StoredItem extends LogItem {
  readonly fencing: number;
  readonly sliceStart: number;
}

/** A boundary of the committed log at or before `from`. */
async function boundaryBefore(table: Table, partition: string, from: number): Promise<number> {
  const range = { to: logPosition(from) + AFTER, descending: true, limit: 1 };
  for await (const item of table.query(partition, range)) return parse(item).sliceStart;
  return 0;
}

/** The committed items from boundary `start` up to `end`, each beginning where the one before ended. */
async function* chain(
  table: Table,
  partition: string,
  start: number,
  end: LogEnd,
): AsyncIterable<StoredItem> {
  let at = start;
  let best: StoredItem | undefined;
  const range = { from: logPosition(start), to: logPosition(end.position - 1) + AFTER };
  for await (const stored of table.query(partition, range)) {
    const item = parse(stored);
    if (best !== undefined && item.position > best.position) {
      yield best;
      at = best.position + best.length;
      best = undefined;
    }
    // Keys ascend, so of several attempts at one position the highest fencing number comes last.
    if (item.position === at && item.fencing <= end.fencing) best = item;
  }
  if (best !== undefined) yield best;
}

function parse(item: Item): StoredItem {
  return {
    position: Number(item.position),
    length: Number(item.length),
    generation: Number(item.generation),
    fencing: Number(item.fencing),
    sliceStart: Number(item.sliceStart),
    data: item.data instanceof Uint8Array ? item.data : new Uint8Array(0),
  };
}
