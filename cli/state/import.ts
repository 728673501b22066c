/** `hv import`: a guest from a file that `hv export` wrote. */
import type { Command } from 'commander';
import { createReadStream, existsSync } from 'node:fs';
import { importGuest } from '../../lambdas/store/archive';
import { UsageError } from '../usage-error';
import { stateCommand, wake, type HostFlags, type StateContext } from './host-state';

interface Flags extends HostFlags {
  readonly definition: string;
}

export function addImportCommand(program: Command, context: StateContext): void {
  stateCommand(program, 'import', 'make a guest of a file that "hv export" wrote')
    .argument('<file>', 'the file')
    .argument('<guest>', 'id of the guest, which has not run yet')
    .requiredOption(
      '--definition <key>',
      "key of the guest's definition among the assets, as in the worker's GUESTS; its image must be the same",
    )
    .action(async (file: string, guest: string, flags: Flags) => {
      if (!existsSync(file)) throw new UsageError(`${file} does not exist; check the path`);
      const state = context.openState(flags);
      const definition = await state.images().definition(flags.definition);
      const options = { guest, definitionKey: flags.definition, definition, now: state.now() };
      const head = await importGuest(state.store, createReadStream(file), options);
      await wake(state, head, context);
      context.host.stdout.write(`${guest} is at generation ${head.generation}\n`);
      context.exit(0);
    });
}
