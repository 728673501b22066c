/** A 256 MiB Debian at its prompt on the local cloud, in the worker bundle that would be deployed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCloud } from '../../cli/local';
import { dynamodbStore } from '../../lambdas/store/dynamodb';
import type { TableStore } from '../../lambdas/store/table-store';
import { MACHINE } from '../../scripts/demo/examples';
import { Observer } from '../../scripts/demo/observer';
import { guestOf, stackOf } from '../../scripts/demo/stack';
import { synthesize } from '../../scripts/demo/synthesize';

type CloudOptions = Parameters<typeof LocalCloud.start>[0];

export interface IdleDebian {
  readonly cloud: LocalCloud;
  readonly stack: ReturnType<typeof stackOf>;
  readonly guest: string;
  readonly store: TableStore;
  readonly observer: Observer;
  /** The guest's generation. */
  readonly generation: () => Promise<number>;
  /** A key on the guest's console, or several. */
  readonly type: (text: string) => Promise<void>;
  /** Ends the one worker between two slices: the next one's process holds nothing of the guest. */
  readonly killWorker: () => Promise<void>;
}

export interface DebianOptions {
  /** Folder with the guest images. */
  readonly images: string;
  readonly environment: (assembly: string) => Record<string, string>;
  readonly answered?: NonNullable<CloudOptions['answered']>;
}

/** How long anything may take. */
export const SECONDS = 600;

/** Boots the guest to its prompt, lets `work` measure, and clears up. */
export async function withDebian<T>(
  { images, environment, answered }: DebianOptions,
  work: (debian: IdleDebian) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hv-bench-'));
  const assembly = await synthesize({ example: 'debian-vm', needs: MACHINE, images, output: folder });
  const cloud = await LocalCloud.start({
    assembly,
    workers: 1,
    redeliverAfterSeconds: 1,
    environment: environment(assembly),
    ...(answered && { answered }),
  });
  try {
    const stack = stackOf(cloud);
    const guest = guestOf(cloud, 'GuestId');
    const store = dynamodbStore({ client: cloud.dynamodb, tableName: stack.tableName, deadline: Infinity });
    const observer = new Observer(store, guest, () => undefined);
    await cloud.send(stack.queue, { guest, generation: 0 });
    await observer.until('the prompt', SECONDS, () => (/# $/.test(observer.text) ? true : undefined));
    return await work({
      cloud,
      stack,
      guest,
      store,
      observer,
      generation: async () => (await store.head(guest))?.generation ?? 0,
      type: async (data) => void (await cloud.invoke(stack.ingress, { guest, type: 'text', data })),
      killWorker: async () => {
        for (;;) {
          const [worker] = cloud.workers;
          if (worker !== undefined && !worker.busy) return cloud.kill(worker);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
    });
  } finally {
    await cloud.stop();
    await rm(folder, { recursive: true });
  }
}
