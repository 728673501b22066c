/** `hv resume`: lifts a suspension. */
import type { Command } from 'commander';
import { sqsRunQueue } from '../../lambdas/queue/run-queue';
import { InputError } from '../../lambdas/store/errors';
import { resume } from '../../lambdas/worker/resume';
import { UsageError } from '../usage-error';
import { placed, placeOptions, storeAt, type Place } from './place';

export function addResumeCommand(program: Command, write: (text: string) => void, now: () => number): void {
  placeOptions(program.command('resume'))
    .description('let a guest that its breaker has suspended go on')
    .argument('<guest>', 'id of the guest')
    .action(async (guest: string, place: Place) => {
      const queue = sqsRunQueue(placed(place, 'queue'), process.env);
      try {
        const head = await resume(storeAt(place), queue, guest, now());
        write(`${guest} goes on after generation ${head.generation}\n`);
      } catch (error) {
        throw error instanceof InputError ? new UsageError(error.message) : error;
      }
    });
}
