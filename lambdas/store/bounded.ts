/** Work that waits for the network, a bounded number at a time: bounded memory, and no flood of requests. */

/** Requests under way at once: enough for the latency of a table, few enough for 350 KB each. */
export const IN_FLIGHT = 16;

/** Runs `work` on every item, `limit` at a time. The first failure stops further work, and is thrown when the rest has come to rest. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  limit = IN_FLIGHT,
): Promise<void> {
  const pool = new Pool(limit);
  for (const item of items) await pool.add(() => work(item));
  await pool.drain();
}

/** Accepts work as long as fewer than `limit` pieces are under way, and lets the caller wait otherwise. */
export class Pool {
  private readonly running = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly limit = IN_FLIGHT) {}

  /** Resolves when the work has begun. @throws the first failure of earlier work. */
  async add(work: () => Promise<void>): Promise<void> {
    while (this.running.size >= this.limit && this.failure === undefined) await Promise.race(this.running);
    if (this.failure !== undefined) await this.drain();
    const task: Promise<void> = work()
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.running.delete(task));
    this.running.add(task);
  }

  /** Resolves when all work has ended. @throws the first failure. */
  async drain(): Promise<void> {
    await Promise.all(this.running);
    if (this.failure !== undefined) throw this.failure.error;
  }
}
