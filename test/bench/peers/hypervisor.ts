import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestWorkload, Peer } from '../peer';
import { runGuestProcess } from './guest-process';

const command = join(__dirname, '..', '..', '..', 'dist', 'cli', 'hv.js');

/**
 * Ours, as a user runs it: the built `hv run`, a whole process from start to exit.
 *
 * @param engine for `hv run --engine`: said in any case, so that a figure's name is true whatever `hv run` takes by itself
 * @param more further arguments of `hv run`
 */
export const hypervisor = (engine: string, more: readonly string[] = []): Peer => ({
  name: `hv (${engine})`,
  available: () => (existsSync(command) ? undefined : 'dist/cli/hv.js is missing: run `npm run build`'),
  run: (workload) =>
    runGuestProcess(
      process.execPath,
      [command, ...runArguments(workload), '--engine', engine, ...more],
      workload.timeoutMs,
    ),
});

function runArguments(workload: GuestWorkload): string[] {
  return [
    ...['run', '--kernel', workload.kernel, '--initrd', workload.initrd, '--firmware', workload.firmware],
    ...['--memory', String(workload.memoryMiB), '--append', workload.commandLine, '--no-reboot'],
  ];
}
