/** `hv fork`: a new guest from a generation of another. */
import type { Command } from 'commander';
import { fork } from '../../lambdas/store/fork';
import { generationNumber, stateCommand, wake, type HostFlags, type StateContext } from './host-state';

interface Flags extends HostFlags {
  readonly at?: string;
}

export function addForkCommand(program: Command, context: StateContext): void {
  stateCommand(program, 'fork', 'make a new guest from a generation of another; nothing is copied')
    .argument('<guest>', 'id of the guest')
    .argument('<fork>', 'id of the new guest')
    .option('--at <generation>', 'the generation (default: the present one)')
    .action(async (guest: string, id: string, flags: Flags) => {
      const state = context.openState(flags);
      const at = flags.at === undefined ? {} : { generation: generationNumber('--at', flags.at) };
      const head = await fork(state.store, { guest, fork: id, now: state.now(), ...at });
      await wake(state, head, context);
      context.host.stdout.write(`${id} begins at generation ${head.generation} of ${guest}\n`);
      context.exit(0);
    });
}
