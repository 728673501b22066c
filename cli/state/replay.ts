/** `hv replay`: a committed slice of a deterministic guest, run again here. */
import type { Command } from 'commander';
import { replay } from '../../lambdas/worker/replay';
import { generationNumber, stateCommand, type HostFlags, type StateContext } from './host-state';

interface Flags extends HostFlags {
  readonly console?: boolean;
}

const DETAILS = `
The guest must have a deterministic clock, and the generation before must be kept. Nothing is written.
The exit status is 0 when the result is the same bit for bit, 1 when it is not.`;

export function addReplayCommand(program: Command, context: StateContext): void {
  stateCommand(program, 'replay', 'run the slice that made a generation again, and compare')
    .argument('<guest>', 'id of the guest')
    .argument('<generation>', 'the generation that the slice made')
    .option('--console', 'show what the guest writes on its console')
    .addHelpText('after', DETAILS)
    .action(async (guest: string, generation: string, flags: Flags) => {
      const { store, images } = context.openState(flags);
      const { stdout } = context.host;
      const sources = {
        store,
        images: images(),
        createGuest: context.createGuest,
        ...(flags.console && { onOutput: (bytes: Uint8Array) => void stdout.write(bytes) }),
      };
      const result = await replay(sources, guest, generationNumber('generation', generation));
      const pages = result.differing.map(({ space, page }) => `${space} ${page}`).join(', ');
      stdout.write(
        `${guest}, generation ${result.generation}: ${result.instructions} instructions, ${result.given} inbox entries: ` +
          (result.identical
            ? 'the same, bit for bit\n'
            : `differs${result.sameState ? '' : ' in its state'}${pages === '' ? '' : ` in pages ${pages}`}\n`),
      );
      context.exit(result.identical ? 0 : 1);
    });
}
