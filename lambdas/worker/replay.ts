/**
 * Runs a committed slice again, from the checkpoint before it and the inbox
 * entries that the guest was given, and compares the result with the
 * checkpoint that the slice made, bit for bit. Nothing is written.
 */
import type { GuestFactory } from '../../engine/models/create';
import { ImageError, type Guest, type GuestDefinition } from '../../engine/models/guest';
import { InputError } from '../store/errors';
import { keptGeneration } from '../store/history';
import { openCheckpoint } from '../store/opened-checkpoint';
import { differingPages, PageSource } from '../store/page-source';
import type { CheckpointStore, GenerationRecord, InboxEntry, SliceTrace } from '../store/store';
import type { Images } from './image';

export interface ReplaySources {
  readonly store: CheckpointStore;
  readonly images: Images;
  readonly createGuest: GuestFactory;
  /** Told of what the guest writes on its console. */
  readonly onOutput?: (bytes: Uint8Array) => void;
}

export interface Replayed {
  readonly generation: number;
  readonly instructions: number;
  /** Inbox entries that the guest was given. */
  readonly given: number;
  /** Whether registers, devices and all else that is no page are as they were. */
  readonly sameState: boolean;
  /** Pages that are not as they were, some of them. */
  readonly differing: readonly { readonly space: string; readonly page: number }[];
  /** Neither state nor any page differs. */
  readonly identical: boolean;
}

/** @throws InputError when the slice cannot be run again, with the reason. */
export async function replay(sources: ReplaySources, id: string, generation: number): Promise<Replayed> {
  const { store, images } = sources;
  const head = await store.head(id);
  if (head === undefined) throw new InputError(`there is no guest "${id}": give the id of one that has run`);
  const record = await keptGeneration(store, head, generation);
  const definition = await images.definition(head.definition);
  const trace = replayable(id, record, definition);
  const guest = await guestBefore(sources, id, record, definition);
  if (guest.instructions !== trace.from) {
    throw new InputError(
      `guest "${id}" had executed ${guest.instructions} instructions before generation ${generation}, and the slice began at ${trace.from}: its image was changed`,
    );
  }
  const entries = await entriesOf(store, id, trace);
  rerun(guest, trace, entries, sources.onOutput ?? (() => undefined));

  const after = await openCheckpoint(store, id, record);
  const sameState = after.state === undefined || Buffer.compare(guest.save(), after.state) === 0;
  const differing = await differingPages(after, guest.spaces);
  return {
    generation,
    instructions: guest.instructions - trace.from,
    given: trace.given.length,
    sameState,
    differing,
    identical: sameState && differing.length === 0,
  };
}

function replayable(id: string, record: GenerationRecord, definition: GuestDefinition): SliceTrace {
  const { generation, trace } = record;
  const refuse = (why: string): InputError =>
    new InputError(`generation ${generation} of guest "${id}" cannot be replayed: ${why}`);
  if (definition.clock !== 'deterministic') {
    throw refuse('its clock is the real one; give the guest a deterministic clock to be able to');
  }
  if (record.copyOf !== undefined)
    throw refuse(`it was made by a rollback to generation ${record.copyOf.generation}`);
  if (trace === undefined) throw refuse('it was taken over from another guest; replay a later one');
  return trace;
}

/** The guest as it was before the slice, with all of its pages. */
async function guestBefore(
  { store, images, createGuest }: ReplaySources,
  id: string,
  { parent }: GenerationRecord,
  definition: GuestDefinition,
): Promise<Guest> {
  const guest = createGuest(definition, await images.files(definition));
  if (parent.generation === 0) return guest;
  if ((await store.generation(id, parent)) === undefined) {
    throw new InputError(
      `generation ${parent.generation} of guest "${id}", from which the slice began, is not kept: replay a later one, or raise the host's history`,
    );
  }
  const { checkpoint, reader, state } = await openCheckpoint(store, id, parent);
  const source = new PageSource({
    checkpoint,
    reader,
    spaces: guest.spaces,
    provideFiles: async () => undefined,
  });
  await source.all(true);
  if (state === undefined) return guest;
  guest.restore(state);
  for (const space of guest.spaces) space.clean();
  return guest;
}

async function entriesOf(store: CheckpointStore, id: string, { given }: SliceTrace): Promise<InboxEntry[]> {
  const [first, last] = [given[0], given.at(-1)];
  if (first === undefined || last === undefined) return [];
  const entries = await store.readInbox(id, first[0] - 1, last[0] - first[0] + 1);
  const missing = given.find(([sequence]) => !entries.some((entry) => entry.sequence === sequence));
  if (missing === undefined) return entries;
  throw new InputError(
    `entry ${missing[0]} of the inbox of guest "${id}" is gone: the slice cannot be replayed`,
  );
}

function rerun(
  guest: Guest,
  trace: SliceTrace,
  entries: readonly InboxEntry[],
  onOutput: (bytes: Uint8Array) => void,
): void {
  if (trace.skipped !== undefined) guest.skipIdle(BigInt(trace.skipped));
  let skips = 0;
  let next = 0;
  const due = (): boolean => isDue(trace.given[next], guest.instructions, skips);
  for (;;) {
    for (; due(); next += 1) {
      give(
        guest,
        entries.find(({ sequence }) => sequence === trace.given[next]?.[0]),
      );
    }
    const distance = Math.min(trace.to, trace.given[next]?.[1] ?? trace.to) - guest.instructions;
    if (distance <= 0 && next === trace.given.length && skips === trace.skips && !trace.idle) return;
    const exit = guest.run({ instructions: distance > 0 ? distance : UNTIL_IDLE });
    const output = guest.takeOutput();
    if (output.length > 0) onOutput(output.slice());
    guest.takeResults();
    if (exit.reason === 'halted' || exit.reason === 'fault') return;
    if (exit.reason === 'budget' && distance <= 0) return; // it did not become idle where it had: no longer the same
    if (exit.reason !== 'idle' || due()) continue;
    if (exit.wakeAfter === undefined || skips === trace.skips) return;
    skips += 1;
    guest.skipIdle(exit.wakeAfter);
  }
}

/** Where the slice went idle, the guest executes nothing before it does so again. */
const UNTIL_IDLE = 1_000_000;

const isDue = (
  entry: SliceTrace['given'][number] | undefined,
  instructions: number,
  skips: number,
): boolean => entry !== undefined && entry[1] <= instructions && entry[2] <= skips;

/** As run.ts gives it. */
function give(guest: Guest, entry: InboxEntry | undefined): void {
  if (entry?.type === 'text') guest.type(entry.data);
  if (entry?.type !== 'event') return;
  try {
    guest.deliver(entry.data);
  } catch (error) {
    // The sender was told; the guest has noticed nothing.
    if (!(error instanceof ImageError)) throw error;
  }
}
