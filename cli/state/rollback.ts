/** `hv rollback`: an earlier generation becomes the next one. */
import type { Command } from 'commander';
import { rollback } from '../../lambdas/store/history';
import { generationNumber, stateCommand, wake, type HostFlags, type StateContext } from './host-state';

interface Flags extends HostFlags {
  readonly to: string;
}

export function addRollbackCommand(program: Command, context: StateContext): void {
  stateCommand(program, 'rollback', 'put a guest back to an earlier generation')
    .argument('<guest>', 'id of the guest')
    .requiredOption('--to <generation>', 'the generation to go back to')
    .action(async (guest: string, flags: Flags) => {
      const state = context.openState(flags);
      const to = generationNumber('--to', flags.to);
      const head = await rollback(state.store, guest, to, state.now());
      await wake(state, head, context);
      context.host.stdout.write(
        `${guest} is at generation ${head.generation}, which is as ${to} was; events since are delivered again\n`,
      );
      context.exit(0);
    });
}
