/** Sends an event to a guest: into its inbox first, then a wake token, so that no event waits for the next one. */
import type { RunQueue } from '../queue/run-queue';
import type { CheckpointStore } from '../store/store';

export interface Message {
  readonly guest: string;
  /** `text` is typed on the guest's console; an `event` is a record that the guest takes when it is ready, and answers. */
  readonly type: 'text' | 'event';
  /** What is typed, or the event's JSON text. */
  readonly data: string;
  /** Unique: names the message in the inbox. */
  readonly id: string;
}

export interface Ingress {
  readonly store: CheckpointStore;
  readonly queue: RunQueue;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Returns the entry's sequence number in the guest's inbox. @throws InputError for a bad guest id or too much data. */
export async function send(ingress: Ingress, message: Message): Promise<number> {
  const { guest, type, data, id } = message;
  const entry = { id, type, data: new TextEncoder().encode(data), sentAt: ingress.now() };
  const sequence = await ingress.store.appendInbox(guest, entry);
  await ingress.queue.send({ guest, wake: true });
  return sequence;
}
