/**
 * Child processes that must not outlive this one. Each also ends by itself
 * when its IPC channel closes, which covers a parent that was SIGKILLed.
 */
import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { extname, join } from 'node:path';

const alive = new Set<ChildProcess>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function killAll(): void {
  for (const child of alive) child.kill('SIGKILL');
}

function dieOf(signal: NodeJS.Signals): void {
  killAll();
  stopWatching();
  // If nobody else handles the signal, it does what it would have done without us.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function startWatching(): void {
  process.on('exit', killAll);
  for (const signal of SIGNALS) process.on(signal, dieOf);
}

function stopWatching(): void {
  process.off('exit', killAll);
  for (const signal of SIGNALS) process.off(signal, dieOf);
}

/**
 * Starts a module of this folder in a process of its own, with an IPC channel
 * and its output piped. `.mts` runs as it stands (Node strips the types);
 * compiled, it is the `.mjs` beside this file.
 */
export function forkModule(name: string, options: ForkOptions): ChildProcess {
  const file = join(__dirname, `${name}${extname(__filename) === '.ts' ? '.mts' : '.mjs'}`);
  const child = fork(file, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], ...options });
  if (alive.size === 0) startWatching();
  alive.add(child);
  const gone = () => {
    alive.delete(child);
    if (alive.size === 0) stopWatching();
  };
  child.once('exit', gone);
  child.once('error', () => child.pid === undefined && gone());
  return child;
}
