import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { GuestRun } from '../peer';

/** What the example guest's init prints first; scripts/images/guest/init. */
const userspaceMarker = 'userspace reached';

/**
 * Runs a guest as a whole process with its console on stdout, until the process exits by itself.
 *
 * @throws Error with the end of the console when the marker did not come, the exit code is not 0, or time is over
 */
export function runGuestProcess(
  program: string,
  args: readonly string[],
  timeoutMs = 120_000,
): Promise<GuestRun> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let userspaceMs: number | undefined;
    let output = '';
    // Not a terminal, and no input: QEMU would take Ctrl-A from it, and a guest's shell would wait for it.
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const see = (chunk: Buffer): void => {
      output += chunk.toString('latin1');
      if (userspaceMs === undefined && output.includes(userspaceMarker)) {
        userspaceMs = performance.now() - started;
      }
    };
    child.stdout.on('data', see);
    child.stderr.on('data', see);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`cannot run ${program}: ${error.message}`));
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      const wallMs = performance.now() - started;
      if (exitCode === 0 && userspaceMs !== undefined) {
        resolve({ userspaceMs, wallMs });
        return;
      }
      const how =
        signal === null ? `exit code ${exitCode}` : `${signal} after ${(wallMs / 1000).toFixed(0)} s`;
      const missed = userspaceMs === undefined ? `, "${userspaceMarker}" never came` : '';
      const end = output.trimEnd().split('\n').slice(-12).join('\n');
      reject(new Error(`${program} ended with ${how}${missed}; the end of its output:\n${end}`));
    });
  });
}

export function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((directory) => existsSync(join(directory, program)));
}
