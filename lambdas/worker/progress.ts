/** What a slice makes of its guest's head and history, given how its run ended. */
import type { Guest } from '../../engine/models/guest';
import type { Changes } from '../store/flush';
import type { GenerationFacts, Head } from '../store/store';
import { REASON_LENGTH } from '../store/table-store';
import type { Progress } from './lease';
import type { RunResult, SliceExit } from './run';

/** What history has to know of the generation that the slice makes. */
export function factsOf(
  { status, reason, wakeAfter, inboxCursor, consoleOffset, results, instructions }: Omit<Progress, 'spent'>,
  { trace }: RunResult,
  skipped: bigint | undefined,
  now: number,
): GenerationFacts {
  return {
    createdAt: now,
    head: {
      status,
      ...(reason === undefined ? {} : { reason: reason.slice(0, REASON_LENGTH) }),
      ...(wakeAfter === undefined ? {} : { wakeAfter }),
      inboxCursor,
      consoleOffset,
      results,
      instructions,
    },
    trace: { ...trace, ...(skipped === undefined ? {} : { skipped: String(skipped) }) },
  };
}

export const isReset = (exit: SliceExit): boolean => exit.reason === 'halted' && exit.how === 'reset';

/** After a reset the guest starts from its image again: of its state only the disks remain. */
export function changesOf(guest: Guest, exit: SliceExit): Changes {
  const profile = guest.takeProfile?.();
  if (!isReset(exit)) return { spaces: guest.spaces, state: guest.save(), profile };
  const disks = guest.spaces.filter((space) => space.name.startsWith('disk'));
  return { spaces: disks, state: undefined, profile };
}

/** The head that the slice makes, but for what it spent. */
export function progressOf(
  held: Head,
  result: RunResult,
  messageId: string,
  instructions: number,
  now: number,
): Omit<Progress, 'spent'> {
  return {
    committedBy: messageId,
    ...statusAfter(result.exit, now),
    inboxCursor: result.inboxCursor,
    consoleOffset: held.consoleOffset + result.output.length,
    results: held.results + result.results.length,
    instructions: held.instructions + instructions,
  };
}

function statusAfter(
  exit: SliceExit,
  now: number,
): Pick<Progress, 'status' | 'reason' | 'wakeAt' | 'wakeAfter'> {
  switch (exit.reason) {
    case 'budget':
      return { status: 'runnable' };
    case 'idle':
      if (exit.wakeAfter === undefined) return { status: 'idle' };
      return {
        status: 'idle',
        wakeAt: Math.ceil(now + Number(exit.wakeAfter) / 1e6),
        wakeAfter: String(exit.wakeAfter),
      };
    case 'halted':
      if (exit.how === 'reset') return { status: 'runnable' };
      if (exit.how === 'power-off') return { status: 'halted', reason: 'the guest powered off' };
      return { status: 'halted', reason: `the guest reported failure, code ${exit.code}` };
    case 'fault':
      return { status: 'failed', reason: exit.message };
  }
}
