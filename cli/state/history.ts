/** `hv history`: what is kept of a guest's past. */
import type { Command } from 'commander';
import { CorruptPackError } from '../../lambdas/store/errors';
import { history, verify } from '../../lambdas/store/history';
import type { CheckpointStore, GenerationRecord } from '../../lambdas/store/store';
import { UsageError } from '../usage-error';
import { stateCommand, type HostFlags, type StateContext } from './host-state';

interface Flags extends HostFlags {
  readonly limit: string;
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** One line of the list. */
interface Row {
  readonly generation: number;
  readonly time: string;
  readonly status: string;
  readonly instructions: number;
  readonly notes: readonly string[];
}

export function addHistoryCommand(program: Command, context: StateContext): void {
  stateCommand(program, 'history', 'show the generations of a guest that are kept, the newest first')
    .argument('<guest>', 'id of the guest')
    .option('--limit <n>', 'generations shown at most', '20')
    .option('--verify', 'read all that each needs, and say whether it is whole')
    .option('--json', 'print the list as JSON')
    .action(async (guest: string, flags: Flags) => {
      const { store } = context.openState(flags);
      const head = await store.head(guest);
      if (head === undefined) throw new UsageError(`guest ${guest} has never run on this host; check its id`);
      if (!/^[1-9]\d{0,5}$/.test(flags.limit))
        throw new UsageError(`--limit ${flags.limit} is no number of generations; give 1 or more`);
      const pins = await store.pins(guest);
      const rows: Row[] = [];
      for (const record of await history(store, head, Number(flags.limit))) {
        const forks = pins.filter(({ generation }) => generation === record.generation);
        const notes = [
          ...(record.copyOf ? [`as generation ${record.copyOf.generation}`] : []),
          ...forks.map(({ fork }) => `forked: ${fork}`),
          ...(flags.verify ? [await wholeness(store, guest, record)] : []),
        ];
        rows.push(rowOf(record, notes));
      }
      context.host.stdout.write(flags.json ? `${JSON.stringify(rows, undefined, 2)}\n` : format(rows));
      context.exit(0);
    });
}

function rowOf({ generation, createdAt, head }: GenerationRecord, notes: readonly string[]): Row {
  return {
    generation,
    time: createdAt === undefined ? '' : new Date(createdAt).toISOString(),
    status: head?.status ?? '',
    instructions: head?.instructions ?? 0,
    notes,
  };
}

async function wholeness(store: CheckpointStore, guest: string, record: GenerationRecord): Promise<string> {
  try {
    const { packs, bytes } = await verify(store, guest, record);
    return `whole: ${packs} packs, ${Math.ceil(bytes / 1024)} KiB`;
  } catch (error) {
    if (!(error instanceof CorruptPackError)) throw error;
    return `damaged: pack ${error.pack}: ${error.found}`;
  }
}

function format(rows: readonly Row[]): string {
  const lines = rows.map(({ generation, time, status, instructions, notes }) =>
    [
      String(generation).padStart(10),
      time.padEnd(24),
      status.padEnd(9),
      String(instructions).padStart(16),
      notes.join('; '),
    ]
      .join('  ')
      .trimEnd(),
  );
  const title = `${'generation'.padStart(10)}  ${'committed'.padEnd(24)}  ${'then'.padEnd(9)}  ${'instructions'.padStart(16)}`;
  return `${[title, ...lines].join('\n')}\n`;
}
