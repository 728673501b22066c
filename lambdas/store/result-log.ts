/**
 * The results of a guest: the log whose positions are records. Many small
 * results share an item, so that a guest which answers a lot costs few writes.
 *
 *   byte 0     1           5
 *        kind  length u32  bytes ...    and the next record
 *
 * Kind 0: what the guest wrote. Kind 1: why there is no result, in UTF-8.
 */
import { LOG_ITEM_BYTES, readLog, writeLog, type LogPiece } from './attempt-log';
import type { Attempt, GuestResult, Head, ResultRecord } from './store';
import type { Table } from './table';

const HEADER_BYTES = 5;
const KIND = { result: 0, error: 1 } as const;

/** Bytes of one result at most: what fits an item. */
export const RESULT_BYTES = LOG_ITEM_BYTES - HEADER_BYTES;

const NO_BYTES = new Uint8Array(0);

export async function writeResults(
  table: Table,
  guest: string,
  attempt: Attempt,
  start: number,
  results: readonly GuestResult[],
): Promise<void> {
  await writeLog(table, guest, 'results', attempt, start, pieces(results.map(encode)));
}

export async function readResults(
  table: Table,
  guest: string,
  head: Head | undefined,
  from: number,
  limit: number,
): Promise<ResultRecord[]> {
  const records: ResultRecord[] = [];
  if (head === undefined || limit <= 0) return records;
  const end = { position: head.results, fencing: head.committedFencing };
  for await (const { position, generation, data } of readLog(table, guest, 'results', end, from)) {
    let index = position;
    for (const result of decode(data)) {
      if (index >= from) records.push({ index, generation, ...result });
      if (records.length === limit) return records;
      index += 1;
    }
  }
  return records;
}

/** As many records to a piece as fit. */
function pieces(records: readonly Uint8Array[]): LogPiece[] {
  const groups: { records: Uint8Array[]; bytes: number }[] = [];
  for (const record of records) {
    const last = groups.at(-1);
    if (last !== undefined && last.bytes + record.length <= LOG_ITEM_BYTES) {
      last.records.push(record);
      last.bytes += record.length;
    } else {
      groups.push({ records: [record], bytes: record.length });
    }
  }
  return groups.map((group) => ({ length: group.records.length, data: Buffer.concat(group.records) }));
}

function encode(result: GuestResult): Uint8Array {
  if (result.error !== undefined)
    return frame(KIND.error, Buffer.from(result.error).subarray(0, RESULT_BYTES));
  if (result.bytes.length <= RESULT_BYTES) return frame(KIND.result, result.bytes);
  return frame(
    KIND.error,
    Buffer.from(
      `the result has ${result.bytes.length} bytes, and ${RESULT_BYTES} are the limit: let the guest answer in parts`,
    ),
  );
}

function frame(kind: number, bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + bytes.length);
  record[0] = kind;
  new DataView(record.buffer).setUint32(1, bytes.length, true);
  record.set(bytes, HEADER_BYTES);
  return record;
}

function* decode(data: Uint8Array): Iterable<GuestResult> {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at + HEADER_BYTES <= data.length;) {
    const begin = at + HEADER_BYTES;
    const end = begin + view.getUint32(at + 1, true);
    const bytes = data.slice(begin, end);
    if (data[at] === KIND.error) yield { bytes: NO_BYTES, error: new TextDecoder().decode(bytes) };
    else yield { bytes };
    at = end;
  }
}
