/**
 * Lambda's recursive-loop detection: an invocation that follows from another through a queue is a hop, and a chain of
 * about 16 is broken off, before the function starts and without a line in its log, unless the function allows loops.
 * Lambda Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops".
 */
import { LIMITS } from './limits';

interface QueueEvent {
  readonly Records?: readonly { readonly messageId?: string }[];
}

export class Chains {
  /** Hops that led to a message, by its id. */
  private readonly hops = new Map<string, number>();
  /** Hops that led to what a worker does now. */
  private readonly current = new Map<string, number>();

  /** False: the chain is too long, and the event is to be dropped. */
  admits(event: unknown): boolean {
    return this.hopsOf(event) < LIMITS.recursionHops;
  }

  /** A worker takes the event up. */
  begins(worker: string, event: unknown): void {
    this.current.set(worker, this.hopsOf(event));
  }

  /** A worker has sent a message. */
  sent(worker: string, messageId: string): void {
    this.hops.set(messageId, (this.current.get(worker) ?? 0) + 1);
  }

  private hopsOf(event: unknown): number {
    const { Records = [] } = (event ?? {}) as QueueEvent;
    return Math.max(0, ...Records.map(({ messageId = '' }) => this.hops.get(messageId) ?? 0));
  }
}
