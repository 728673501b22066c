/**
 * The single table's layout. Guest ids hold no `#`, so no guest's keys reach into another's.
 *
 *   pk                     sk                                     item
 *   <guest>                head                                   Head
 *   <guest>#generation     <generation>#<fencing>                 GenerationRecord
 *   <guest>#pack#<shard>   <generation>#<fencing>#<number>        StoredPack
 *   <guest>#console        <position>#<fencing>                   console output; positions are bytes
 *   <guest>#results        <position>#<fencing>                   results; positions are records
 *   <guest>#inbox          <sequence>                             InboxEntry
 *   <guest>#claims         <SHA-256 of an event's id>             its sequence in the inbox
 *   <guest>#pins           <fork>                                 Pin
 *   <guest>#collecting     now                                    up to which generation a collection is under way
 *   #definition            <asset key>                            copy of a guest's definition
 *   <guest>#metrics        <generation>#<fencing>                 SliceMetrics
 */
import { createHash } from 'node:crypto';
import { InputError } from './errors';
import type { Attempt, PackId } from './store';
import type { Key } from './table';

/** A partition takes about 1 MB/s (FACTS section 2); sixteen are more than a new table takes in all. */
export const PACK_SHARDS = 16;

const GUEST_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** @throws InputError */
export function checkGuestId(guest: string): string {
  if (GUEST_ID.test(guest)) return guest;
  throw new InputError(
    `guest id ${JSON.stringify(guest)} is not valid: use 1 to 128 letters, digits, "_", "." or "-", beginning with a letter or digit`,
  );
}

/** Decimal digits of the keys' numbers: generations and fencing numbers are 32 bits wide. */
const DIGITS = { generation: 10, number: 5, position: 16, sequence: 12 } as const;

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** Sorts after every key that begins with the same text. */
export const AFTER = '~';

export const headKey = (guest: string): Key => ({ pk: guest, sk: 'head' });

export const generationPrefix = (generation: number): string => `${padded(generation, DIGITS.generation)}#`;

export const attemptSort = (attempt: Attempt): string =>
  generationPrefix(attempt.generation) + padded(attempt.fencing, DIGITS.generation);

export const generationKey = (guest: string, attempt: Attempt): Key => ({
  pk: generationPartition(guest),
  sk: attemptSort(attempt),
});

export const packPartition = (guest: string, shard: number): string => `${guest}#pack#${padded(shard, 2)}`;

export const packName = (id: PackId): string => `${attemptSort(id)}#${padded(id.number, DIGITS.number)}`;

/** Consecutive packs lie behind different partition keys, and so do the first packs of consecutive generations. */
export const packKey = (guest: string, id: PackId): Key => ({
  pk: packPartition(guest, (id.generation + id.number) % PACK_SHARDS),
  sk: packName(id),
});

export function parsePackName(name: string): PackId {
  const [generation = NaN, fencing = NaN, number = NaN] = name.split('#').map(Number);
  return { generation, fencing, number };
}

/** What guests emit, by kind: attempt-log.ts. */
export type LogName = 'console' | 'results';

export const logPartition = (guest: string, log: LogName): string => `${guest}#${log}`;

export const logPosition = (position: number): string => padded(position, DIGITS.position);

export const logKey = (guest: string, log: LogName, position: number, fencing: number): Key => ({
  pk: logPartition(guest, log),
  sk: `${logPosition(position)}#${padded(fencing, DIGITS.generation)}`,
});

export const generationPartition = (guest: string): string => `${guest}#generation`;

export const pinPartition = (guest: string): string => `${guest}#pins`;

export const pinKey = (guest: string, fork: string): Key => ({ pk: pinPartition(guest), sk: fork });

export const collectingKey = (guest: string): Key => ({ pk: `${guest}#collecting`, sk: 'now' });

export const inboxPartition = (guest: string): string => `${guest}#inbox`;

export const inboxKey = (guest: string, sequence: number): Key => ({
  pk: inboxPartition(guest),
  sk: padded(sequence, DIGITS.sequence),
});

/** Ids are the senders', of any length and kind. */
export const claimKey = (guest: string, event: string): Key => ({
  pk: `${guest}#claims`,
  sk: createHash('sha256').update(event).digest('hex'),
});

/** No guest's, so it begins as no guest's does. */
export const definitionKey = (asset: string): Key => ({ pk: '#definition', sk: asset });

export const metricsKey = (guest: string, attempt: Attempt): Key => ({
  pk: `${guest}#metrics`,
  sk: attemptSort(attempt),
});
