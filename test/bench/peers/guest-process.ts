import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { GuestRun, Lap } from '../peer';

/** What the example guest's init prints first; scripts/images/guest/init. */
const userspaceMarker = 'userspace reached';

/** Times the lines `begin NAME` and `end NAME CHECKSUM` as they come. */
class LapTimer {
  readonly laps = new Map<string, Lap>();
  private readonly begun = new Map<string, number>();
  private rest = '';

  see(text: string, now: number): void {
    const lines = (this.rest + text).split(/\r?\n/);
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, mark, name = '', checksum = ''] = /^(begin|end) (\S+)(?: (\S+))?$/.exec(line) ?? [];
      const begun = this.begun.get(name);
      if (mark === 'begin') this.begun.set(name, now);
      else if (mark === 'end' && begun !== undefined) this.laps.set(name, { ms: now - begun, checksum });
    }
  }
}

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
    const timer = new LapTimer();
    // Not a terminal, and no input: QEMU would take Ctrl-A from it, and a guest's shell would wait for it.
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const deadline = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const see = (chunk: Buffer): void => {
      const text = chunk.toString('latin1');
      output += text;
      timer.see(text, performance.now() - started);
      if (userspaceMs === undefined && output.includes(userspaceMarker)) {
        userspaceMs = performance.now() - started;
      }
    };
    child.stdout.on('data', see);
    child.stderr.on('data', see);
    child.on('error', (error) => {
      clearTimeout(deadline);
      reject(new Error(`cannot run ${program}: ${error.message}`));
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(deadline);
      const wallMs = performance.now() - started;
      if (exitCode === 0 && userspaceMs !== undefined) {
        resolve({ userspaceMs, wallMs, laps: timer.laps });
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
