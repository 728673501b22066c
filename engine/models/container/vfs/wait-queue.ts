/**
 * What those sleep on who were told `WOULD_BLOCK`. Nothing of it is saved: a
 * task that sleeps is saved as one that will ask again.
 */
export class WaitQueue {
  /** Goes up at every wake: whoever remembers an older one has to ask again. */
  generation = 0;
  private readonly waiters = new Set<() => void>();

  /** Calls `waiter` at every wake until the returned function is called. */
  add(waiter: () => void): () => void {
    this.waiters.add(waiter);
    return () => void this.waiters.delete(waiter);
  }
  /** Readiness may have changed. */
  wake(): void {
    this.generation++;
    for (const waiter of [...this.waiters]) waiter();
  }
}
