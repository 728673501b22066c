/** Lets a suspended guest go on: what its breaker counted begins anew, and its token is sent. */
import type { RunQueue } from '../queue/run-queue';
import { InputError } from '../store/errors';
import type { CheckpointStore, Head } from '../store/store';
import { ownToken } from './decide';

/**
 * Done again it does no harm: a guest that runs already is sent its token once more, and that one is dropped.
 * @throws InputError when there is no such guest, or it is not suspended.
 */
export async function resume(
  store: CheckpointStore,
  queue: RunQueue,
  guest: string,
  now: number,
): Promise<Head> {
  const head = await store.head(guest);
  if (head === undefined)
    throw new InputError(`there is no guest "${guest}" in this table: look at the id, or start it first`);
  if (head.status === 'halted' || head.status === 'failed')
    throw new InputError(
      `guest "${guest}" is ${head.status}, not suspended (${head.reason ?? 'no reason given'})`,
    );
  const next = head.status === 'suspended' ? await lift(store, head, now) : head;
  const token = ownToken(next, now);
  if (token.kind === 'forward')
    await queue.send({ guest, generation: next.generation }, token.delayMs / 1000);
  return next;
}

async function lift(store: CheckpointStore, head: Head, now: number): Promise<Head> {
  const { reason: _, spent: __, lease: ___, ...rest } = head;
  const next: Head = { ...rest, status: 'runnable', attempts: 0, updatedAt: now };
  if (await store.swapHead(head, next)) return next;
  throw new InputError(`guest "${head.guest}" changed meanwhile: try again`);
}
