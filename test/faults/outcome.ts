/** What is left of a guest that has come to its end: everything that a fault could have changed. */
import { createHash } from 'node:crypto';
import { guestFactory } from '../../engine/models/create';
import type { Guest, GuestDefinition, GuestFiles } from '../../engine/models/guest';
import { openCheckpoint } from '../../lambdas/store/opened-checkpoint';
import { PageSource } from '../../lambdas/store/page-source';
import type { CheckpointStore, Head } from '../../lambdas/store/store';
import { noHost } from '../guests/raw-guest';

export interface GuestOutcome {
  readonly console: string;
  /** SHA-256 of each page space, and of the rest of the guest's state. */
  readonly state: Readonly<Record<string, string>>;
  readonly instructions: number;
}

/** The guest run from its image to its end, without worker, store or slices. */
export function undisturbed(definition: GuestDefinition, files: GuestFiles): GuestOutcome {
  const guest = guestFactory(noHost)(definition, files);
  const output: Uint8Array[] = [];
  for (;;) {
    const exit = guest.run({ instructions: Number.MAX_SAFE_INTEGER });
    output.push(guest.takeOutput().slice());
    if (exit.reason === 'halted') return outcomeOf(guest, Buffer.concat(output));
    if (exit.reason !== 'idle' || exit.wakeAfter === undefined)
      throw new Error(`the guest came to no end: ${exit.reason}`);
    guest.skipIdle(exit.wakeAfter);
  }
}

/** The guest as its last checkpoint in the store has it. */
export async function committed(
  store: CheckpointStore,
  head: Head,
  definition: GuestDefinition,
  files: GuestFiles,
): Promise<GuestOutcome> {
  const at = { generation: head.generation, fencing: head.committedFencing };
  const { state, ...opened } = await openCheckpoint(store, head.guest, at);
  const guest = guestFactory(noHost)(definition, files);
  const { spaces } = guest;
  await new PageSource({ ...opened, spaces, provideFiles: async () => undefined }).all(true);
  if (state !== undefined) guest.restore(state);
  return outcomeOf(guest, (await store.readConsole(head.guest, 0)).bytes);
}

function outcomeOf(guest: Guest, console: Uint8Array): GuestOutcome {
  const state: Record<string, string> = {
    rest: createHash('sha256').update(guest.save()).digest('hex'),
  };
  for (const space of guest.spaces) {
    const hash = createHash('sha256');
    for (let page = 0; page < space.pages; page += 1) hash.update(space.read(page));
    state[space.name] = hash.digest('hex');
  }
  return { console: Buffer.from(console).toString('latin1'), state, instructions: guest.instructions };
}
