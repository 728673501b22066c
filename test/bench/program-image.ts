/** The programs of test/bench/programs, compiled and put into an initramfs beside the example guest's. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArchiveEntry, writeArchive } from '../../scripts/images/cpio';
import { program } from '../requirement';

const gcc = 'riscv64-linux-gnu-gcc';
export const compiler = program(gcc, 'gcc-riscv64-linux-gnu libc6-dev-riscv64-cross');

const sources = join(__dirname, 'programs');

/** A static program. `text` stands alone, the others in the frame that marks their work. */
export function compile(name: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'compile-'));
  const files = name === 'text' ? ['text.c'] : ['frame.c', `${name}.c`];
  try {
    const output = join(folder, name);
    execFileSync(gcc, [
      ...['-O2', '-static', '-std=gnu11', '-o', output],
      ...files.map((file) => join(sources, file)),
      '-lm',
    ]);
    return new Uint8Array(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Rounds {
  readonly name: string;
  readonly rounds: number;
}

/**
 * An initramfs whose `hv.run=programs` runs the programs one after the other. The kernel unpacks archives that follow
 * each other as one: Documentation/driver-api/early-userspace/buffer-format.rst.
 */
export function writeProgramInitrd(base: string, programs: readonly Rounds[], target: string): void {
  const script = ['#!/bin/sh -e', ...programs.map(({ name, rounds }) => `/work/${name} ${rounds}`), ''];
  const entries: ArchiveEntry[] = [
    ...['etc', 'etc/run', 'work'].map((path) => ({ kind: 'directory', path }) as const),
    { kind: 'file', path: 'etc/run/programs', content: Buffer.from(script.join('\n')), mode: 0o755 },
    ...programs.map(
      ({ name }) => ({ kind: 'file', path: `work/${name}`, content: compile(name), mode: 0o755 }) as const,
    ),
  ];
  const first = readFileSync(base);
  const padding = Buffer.alloc(-first.length & 3);
  writeFileSync(target, Buffer.concat([first, padding, writeArchive(entries)]));
}
