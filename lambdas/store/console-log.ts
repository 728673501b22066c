/**
 * A guest's console output in the table. Any attempt may write, and only the
 * committed ones' output is ever read:
 *
 * - An attempt begins at the committed head's offset (`sliceStart`), so a
 *   `sliceStart` is always a boundary of committed output, a zombie's too.
 * - At a boundary below the head's offset the committed item is the one with
 *   the highest fencing number: earlier attempts have lower ones, and later
 *   attempts begin where committed output ends.
 */
import { AFTER, consoleKey, consoleOffset, consolePartition } from './keys';
import type { Attempt, ConsoleSlice, Head } from './store';
import type { Item, Table } from './table';

/** Bytes of output in one item at most. */
export const CONSOLE_ITEM_BYTES = 300_000;

export async function writeConsole(
  table: Table,
  guest: string,
  attempt: Attempt,
  start: number,
  bytes: Uint8Array,
): Promise<void> {
  const writes: Promise<boolean>[] = [];
  for (let at = 0; at < bytes.length; at += CONSOLE_ITEM_BYTES) {
    writes.push(
      table.put({
        ...consoleKey(guest, start + at, attempt.fencing),
        generation: attempt.generation,
        fencing: attempt.fencing,
        sliceStart: start,
        offset: start + at,
        data: bytes.subarray(at, at + CONSOLE_ITEM_BYTES),
      }),
    );
  }
  await Promise.all(writes);
}

interface ConsoleItem {
  readonly offset: number;
  readonly fencing: number;
  readonly sliceStart: number;
  readonly data: Uint8Array;
}

export async function readConsole(
  table: Table,
  guest: string,
  head: Head | undefined,
  from: number,
  limit: number,
): Promise<ConsoleSlice> {
  const end = head?.consoleOffset ?? 0;
  if (head === undefined || from >= end || limit <= 0) return { bytes: new Uint8Array(0), next: from };

  const boundary = await boundaryBefore(table, guest, from);
  const parts: Uint8Array[] = [];
  let at = boundary;
  let length = 0;
  for await (const item of chain(table, guest, boundary, end, head.committedFencing)) {
    at = item.offset + item.data.length;
    if (at <= from) continue;
    const part = item.data.subarray(Math.max(0, from - item.offset));
    parts.push(part.subarray(0, limit - length));
    length += Math.min(part.length, limit - length);
    if (length === limit) break;
  }
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (const part of parts) {
    bytes.set(part, filled);
    filled += part.length;
  }
  return { bytes, next: from + length };
}

/** A boundary of committed output at or before `from`. */
async function boundaryBefore(table: Table, guest: string, from: number): Promise<number> {
  const range = { to: consoleOffset(from) + AFTER, descending: true, limit: 1 };
  for await (const item of table.query(consolePartition(guest), range)) return parse(item).sliceStart;
  return 0;
}

/** The committed items from boundary `start` up to `end`, each beginning where the one before ended. */
async function* chain(
  table: Table,
  guest: string,
  start: number,
  end: number,
  highestFencing: number,
): AsyncIterable<ConsoleItem> {
  let at = start;
  let best: ConsoleItem | undefined;
  const range = { from: consoleOffset(start), to: consoleOffset(end - 1) + AFTER };
  for await (const stored of table.query(consolePartition(guest), range)) {
    const item = parse(stored);
    if (best !== undefined && item.offset > best.offset) {
      yield best;
      at = best.offset + best.data.length;
      best = undefined;
    }
    // Keys ascend, so of several attempts at one offset the highest fencing number comes last.
    if (item.offset === at && item.fencing <= highestFencing) best = item;
  }
  if (best !== undefined) yield best;
}

function parse(item: Item): ConsoleItem {
  return {
    offset: Number(item.offset),
    fencing: Number(item.fencing),
    sliceStart: Number(item.sliceStart),
    data: item.data instanceof Uint8Array ? item.data : new Uint8Array(0),
  };
}
