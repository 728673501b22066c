/**
 * The lease, and every change that a worker makes to a head: each is one
 * conditional update. A lease raises the fencing number; whatever its holder
 * does later holds only while that number stands.
 */
import type { CheckpointStore, DaySpent, Head, Lease, Status } from '../store/store';

export function isHeld(head: Head, now: number): boolean {
  return head.lease !== undefined && head.lease.expires > now;
}

/** Takes the lease of a head as just read; undefined when somebody else was first. */
export async function acquire(
  store: CheckpointStore,
  head: Head,
  lease: Lease,
  now: number,
): Promise<Head | undefined> {
  const next: Head = {
    ...head,
    fencing: head.fencing + 1,
    attempts: head.attempts + 1,
    lease,
    updatedAt: now,
  };
  return (await store.swapHead(head, next)) ? next : undefined;
}

/** What a committed slice makes of the head. */
export interface Progress {
  readonly committedBy: string;
  readonly status: Status;
  readonly reason?: string;
  readonly inboxCursor: number;
  readonly consoleOffset: number;
  readonly results: number;
  readonly instructions: number;
  readonly spent: DaySpent;
  readonly wakeAt?: number;
  readonly wakeAfter?: string;
}

/**
 * The commit: generation g becomes g + 1, all at once, if the lease still
 * stands. Undefined: it does not, and what was written stays invisible.
 */
export async function commit(
  store: CheckpointStore,
  held: Head,
  progress: Progress,
  now: number,
): Promise<Head | undefined> {
  const next: Head = {
    ...progress,
    guest: held.guest,
    definition: held.definition,
    generation: held.generation + 1,
    fencing: held.fencing,
    committedFencing: held.fencing,
    attempts: 0,
    slices: held.slices + 1,
    createdAt: held.createdAt,
    updatedAt: now,
  };
  return (await store.swapHead(held, next)) ? next : undefined;
}

/** Ends the lease without a new generation, and stops the guest with a reason. */
export async function conclude(
  store: CheckpointStore,
  held: Head,
  status: 'failed' | 'suspended',
  reason: string,
  now: number,
): Promise<boolean> {
  const { lease: _, ...rest } = held;
  return store.swapHead(held, { ...rest, status, reason, updatedAt: now });
}

/** Gives the lease back unused, so that the token's next delivery need not wait for its expiry. */
export async function release(store: CheckpointStore, held: Head, now: number): Promise<boolean> {
  const { lease: _, ...rest } = held;
  return store.swapHead(held, { ...rest, updatedAt: now });
}
