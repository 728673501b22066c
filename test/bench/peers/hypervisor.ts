import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestWorkload, Peer } from '../peer';
import { runGuestProcess } from './guest-process';

const command = join(__dirname, '..', '..', '..', 'dist', 'cli', 'hv.js');

/** Ours, as a user runs it: the built `hv run`, a whole process from start to exit. */
export function hypervisor(engine: 'interpreter'): Peer {
  return {
    name: `hv (${engine})`,
    available: () => (existsSync(command) ? undefined : `${command} is missing: run \`npm run build\``),
    run: (workload) => runGuestProcess(process.execPath, [command, ...runArguments(workload, engine)]),
  };
}

export function runArguments(workload: GuestWorkload, engine: string): string[] {
  return [
    ...['run', '--kernel', workload.kernel, '--initrd', workload.initrd, '--firmware', workload.firmware],
    ...['--memory', String(workload.memoryMiB), '--append', workload.commandLine, '--engine', engine],
  ];
}
