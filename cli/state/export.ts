/** `hv export`: a guest as one file. */
import type { Command } from 'commander';
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportGuest } from '../../lambdas/store/archive';
import { UsageError } from '../usage-error';
import { generationNumber, stateCommand, type HostFlags, type StateContext } from './host-state';

interface Flags extends HostFlags {
  readonly at?: string;
}

export function addExportCommand(program: Command, context: StateContext): void {
  stateCommand(program, 'export', 'write a guest to one file, to be imported elsewhere')
    .argument('<guest>', 'id of the guest')
    .argument('<file>', 'the file; it must not be there in part when the command fails')
    .option('--at <generation>', 'the generation (default: the present one)')
    .action(async (guest: string, file: string, flags: Flags) => {
      const { store, images } = context.openState(flags);
      const head = await store.head(guest);
      if (head === undefined) throw new UsageError(`guest ${guest} has never run on this host; check its id`);
      const definition = await images().definition(head.definition);
      const at = flags.at === undefined ? undefined : generationNumber('--at', flags.at);
      const partial = `${file}.partial`;
      let bytes = 0;
      const counted = async function* (): AsyncIterable<Uint8Array> {
        for await (const piece of exportGuest(store, guest, definition, at)) {
          bytes += piece.length;
          yield piece;
        }
      };
      try {
        await pipeline(Readable.from(counted()), createWriteStream(partial));
        renameSync(partial, file);
      } catch (error) {
        rmSync(partial, { force: true });
        throw error;
      }
      context.host.stdout.write(
        `${file}: ${guest} at generation ${at ?? head.generation}, ${Math.ceil(bytes / 1024)} KiB\n`,
      );
      context.exit(0);
    });
}
