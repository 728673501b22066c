/** Containers for tests: roots as tar archives, and whole runs of them, cut or not. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Container } from '../../engine/models/container/container';
import type { ContainerDefinition, Exit, HostServices } from '../../engine/models/guest';
import { busyboxRoot } from '../../scripts/images/roots';
import { imagesFolder } from '../requirement';
import { MemoryCheckpoint } from './debian';

/** Deterministic guests ask nothing of their host. */
const noHost: HostServices = {
  now: () => {
    throw new Error('a deterministic guest asked for the time');
  },
  fillRandom: () => {
    throw new Error('a deterministic guest asked for randomness');
  },
};

const readImage = (name: string): Uint8Array => new Uint8Array(readFileSync(join(imagesFolder, name)));

/** The smallest root: Debian's busybox and links to it. */
export const busyboxArchive = (): Uint8Array => busyboxRoot(readImage('busybox'));
export const debianArchive = (): Uint8Array => readImage('debian-root.tar');
export const hasImage = (name: string): boolean => existsSync(join(imagesFolder, name));

export interface Setup {
  readonly archive: Uint8Array;
  /** Layers over it. */
  readonly more?: readonly Uint8Array[];
  readonly definition?: Partial<ContainerDefinition>;
  /** Told of each system call. */
  readonly trace?: (line: string) => void;
  readonly host?: HostServices;
}

export function createContainer(
  command: readonly string[],
  { archive, more = [], definition, trace, host = noHost }: Setup,
): Container {
  const layers = [archive, ...more];
  return new Container(
    {
      version: 1,
      model: 'container',
      memory: 32 * 2 ** 20,
      clock: 'deterministic',
      layers: layers.map(({ length }, i) => ({
        key: `${i}.tar`,
        name: `${i}.tar`,
        size: length,
        sha256: '',
      })),
      command,
      ...definition,
    },
    { layers },
    trace ? { ...host, trace } : host,
  );
}

export interface Outcome {
  readonly output: string;
  readonly exit: Exit;
}

/** Runs until `end` instructions, or until nothing can happen any more. Idle time is skipped. */
export function runContainer(guest: Container, end = Infinity, most = 3e9): Outcome {
  let output = '';
  for (;;) {
    const exit = guest.run({ instructions: Math.min(end - guest.instructions, 100_000_000) });
    output += Buffer.from(guest.takeOutput()).toString('latin1');
    if (exit.reason === 'idle' && exit.wakeAfter !== undefined) guest.skipIdle(exit.wakeAfter);
    else if (exit.reason !== 'budget' || guest.instructions >= end) return { output, exit };
    if (guest.instructions > most)
      throw new Error(`no end after ${most} instructions:\n${output.slice(-2000)}`);
  }
}

/** What a program wrote, with Unix line ends. */
export const text = ({ output }: Outcome): string => output.replaceAll('\r\n', '\n');

/** One hash of all that a container is. */
export function fingerprint(guest: Container): string {
  const hash = createHash('sha256').update(guest.save());
  for (const space of guest.spaces) {
    // Files take the lowest pages; the tests' are few.
    const pages = space.name === 'files' ? 2048 : space.pages;
    for (let page = 0; page < pages; page++) hash.update(space.read(page));
  }
  return hash.digest('hex');
}

/** A run to exactly `end` instructions in `slices`, each in a fresh container that is restored from the one before. */
export function runInSlices(
  make: () => Container,
  end: number,
  slices: number,
): { output: string; final: string } {
  const checkpoint = new MemoryCheckpoint();
  let output = '';
  for (let slice = 1; ; slice++) {
    const guest = make();
    checkpoint.apply(guest);
    // Cuts at numbers that divide nothing, so that they fall anywhere.
    const cut = slice === slices ? end : Math.floor((end * slice) / slices) + 7 * slice;
    output += runContainer(guest, cut).output;
    checkpoint.take(guest);
    if (slice === slices) return { output, final: fingerprint(guest) };
  }
}
