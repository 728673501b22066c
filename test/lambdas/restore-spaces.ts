/** A committed generation in spaces of its own, whole. */
import type { PageSpace } from '../../engine/models/guest';
import { openCheckpoint, type OpenedCheckpoint } from '../../lambdas/store/opened-checkpoint';
import { PageSource } from '../../lambdas/store/page-source';
import type { Attempt, CheckpointStore } from '../../lambdas/store/store';

export function sourceFor(
  { checkpoint, reader }: OpenedCheckpoint,
  spaces: readonly PageSpace[],
  provideFiles: () => Promise<void> = async () => undefined,
): PageSource {
  return new PageSource({ checkpoint, reader, spaces, provideFiles });
}

/** Puts all that is stored of a generation into `spaces`. */
export async function restoreSpaces(
  store: CheckpointStore,
  guest: string,
  at: Attempt,
  spaces: readonly PageSpace[],
): Promise<OpenedCheckpoint & { readonly source: PageSource }> {
  const opened = await openCheckpoint(store, guest, at);
  const source = sourceFor(opened, spaces);
  await source.prefetch();
  await source.all();
  return { ...opened, source };
}
