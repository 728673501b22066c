/**
 * Keeps a generation from being collected while something is made of it. A collection says how far it will go before
 * it looks for pins; here the pin comes before the look whether the generation is going. Of the two, one sees the other.
 */
import { InputError } from './errors';
import type { Attempt, CheckpointStore } from './store';

/**
 * `by` holds the generation until `unpin`: the id of a fork, or the guest's own id while it is rolled back.
 * @throws InputError when the generation is being deleted; it is not pinned then.
 */
export async function pinGeneration(
  store: CheckpointStore,
  guest: string,
  { generation, fencing }: Attempt,
  by: string,
): Promise<void> {
  await store.pin(guest, { fork: by, generation, fencing });
  const going = (await store.collecting(guest)) ?? 0;
  if (going < generation && (await store.generation(guest, { generation, fencing })) !== undefined) return;
  await store.unpin(guest, by);
  throw new InputError(`generation ${generation} of guest "${guest}" is being deleted: choose a later one`);
}
