/** The C programs of programs/, compiled for guests. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { program } from '../requirement';

const COMPILER = 'riscv64-linux-gnu-gcc';

/** What `compile` needs. */
export const compiler = program(COMPILER, 'gcc-riscv64-linux-gnu libc6-dev-riscv64-cross');

/** Compiles programs/NAME.c with further flags. Returns the binary's path. @throws Error with what the compiler says */
export function compile(name: string, binary: string, flags: readonly string[]): string {
  const source = join(__dirname, 'programs', `${name}.c`);
  const built = spawnSync(COMPILER, ['-O1', ...flags, source, '-o', binary]);
  if (built.status !== 0) throw new Error(built.stderr.toString());
  return binary;
}
