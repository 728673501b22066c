/** A guest's console output: the log whose positions are bytes. */
import { LOG_ITEM_BYTES, readLog, writeLog, type LogPiece } from './attempt-log';
import type { Attempt, ConsoleSlice, Head } from './store';
import type { Table } from './table';

export async function writeConsole(
  table: Table,
  guest: string,
  attempt: Attempt,
  start: number,
  bytes: Uint8Array,
): Promise<void> {
  const pieces: LogPiece[] = [];
  for (let at = 0; at < bytes.length; at += LOG_ITEM_BYTES) {
    const data = bytes.subarray(at, at + LOG_ITEM_BYTES);
    pieces.push({ length: data.length, data });
  }
  await writeLog(table, guest, 'console', attempt, start, pieces);
}

export async function readConsole(
  table: Table,
  guest: string,
  head: Head | undefined,
  from: number,
  limit: number,
): Promise<ConsoleSlice> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (head !== undefined && limit > 0) {
    const end = { position: head.consoleOffset, fencing: head.committedFencing };
    for await (const { position, data } of readLog(table, guest, 'console', end, from)) {
      const part = data.subarray(Math.max(0, from - position)).subarray(0, limit - length);
      parts.push(part);
      length += part.length;
      if (length === limit) break;
    }
  }
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (const part of parts) {
    bytes.set(part, filled);
    filled += part.length;
  }
  return { bytes, next: from + length };
}
