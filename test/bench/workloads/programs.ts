/**
 * Programs of our own inside Debian, each peer as a whole process: the time between the marks that a program prints.
 * A set is one boot a run. test/bench/programs/ has one C file for each program.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiler, writeProgramInitrd } from '../program-image';
import type { GuestRun, Peer } from '../peer';
import { interleave, median, range } from '../statistics';
import type { Figure, Workload, WorkloadOptions } from '../workload';
import { guestWorkload } from './boot';

interface Program {
  /** Its file in test/bench/programs, without `.c`. */
  readonly name: string;
  /** Rounds that take QEMU 7.2 one second on a middling machine of 2026. */
  readonly roundsPerSecond: number;
}

/** What is compared in one run. */
interface ProgramSet {
  readonly name: string;
  readonly title: string;
  /** Time of ours over time of QEMU's, at most, by engine; where there is none, none was set. */
  readonly goals: Readonly<Record<string, number>>;
  readonly programs: readonly Program[];
}

export const programSets: readonly ProgramSet[] = [
  {
    name: 'integer',
    title: 'CoreMark-like integer work: lists, small matrices, a state machine, a CRC',
    goals: { interpreter: 1 / 0.15, translator: 0.65 },
    programs: [{ name: 'integer', roundsPerSecond: 2500 }],
  },
  {
    name: 'floating-point',
    title: 'floating point: matrix multiplication, n-body, Mandelbrot set',
    goals: { translator: 0.5 },
    programs: [
      { name: 'matrix', roundsPerSecond: 50 },
      { name: 'n-body', roundsPerSecond: 150 },
      { name: 'mandelbrot', roundsPerSecond: 1500 },
    ],
  },
  {
    name: 'calls',
    title: 'indirect and recursive calls',
    goals: { translator: 0.7 },
    programs: [
      { name: 'indirect-calls', roundsPerSecond: 10_000 },
      { name: 'recursive-calls', roundsPerSecond: 250 },
    ],
  },
  {
    name: 'memory',
    title: 'pointer chasing and random access over 64 MiB',
    goals: { translator: 0.8 },
    programs: [
      { name: 'pointer-chase', roundsPerSecond: 50 },
      { name: 'random-access', roundsPerSecond: 100 },
    ],
  },
  {
    name: 'kernel',
    title: 'system calls, fork and exec, context switches',
    goals: { translator: 0.9 },
    programs: [
      { name: 'system-calls', roundsPerSecond: 1000 },
      { name: 'fork-exec', roundsPerSecond: 150 },
      { name: 'context-switches', roundsPerSecond: 100 },
    ],
  },
  {
    name: 'page-faults',
    title: 'page faults: 1 MiB mapped, touched and given back',
    goals: { translator: 0.6 },
    programs: [{ name: 'page-faults', roundsPerSecond: 60 }],
  },
];

/** Boot and power-off, and a machine ten times as slow as ours or QEMU on it should be. */
const patience = (seconds: number): number => 300_000 + seconds * 200_000;

export function programs(set: ProgramSet, ours: Peer, theirs: Peer, target?: number): Workload {
  return {
    name: set.name,
    title: `${set.title}, in Debian: ${ours.name} against ${theirs.name}`,
    async run({ runs, images, seconds, progress }: WorkloadOptions) {
      const reason = compiler.missing ?? theirs.available() ?? ours.available();
      if (reason !== undefined) return { workload: set.name, skipped: reason };
      const folder = mkdtempSync(join(tmpdir(), 'programs-'));
      try {
        const initrd = join(folder, 'initrd');
        const rounds = set.programs.map(({ name, roundsPerSecond }) => ({
          name,
          rounds: Math.ceil(roundsPerSecond * seconds),
        }));
        writeProgramInitrd(join(images, 'initrd.gz'), rounds, initrd);
        const guest = {
          ...guestWorkload(images),
          initrd,
          commandLine: 'console=ttyS0 quiet panic=-1 hv.run=programs',
          timeoutMs: patience(seconds * set.programs.length),
        };
        const once = (peer: Peer) => async (): Promise<GuestRun> => {
          const run = await peer.run(guest);
          for (const { name } of set.programs) {
            if (!run.laps.has(name)) throw new Error(`${peer.name}: ${name} did not end in its time`);
          }
          const laps = [...run.laps].map(([name, { ms }]) => `${name} ${ms.toFixed(0)} ms`);
          progress(`${peer.name}: ${laps.join(', ')}`);
          return run;
        };
        const { first, second } = await interleave(runs, once(ours), once(theirs));
        const figures = set.programs.flatMap(({ name }) =>
          compareLaps(name, ours, first, theirs, second, target),
        );
        return { workload: set.name, runs, figures };
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

/** @throws Error when the peers computed different things */
export function compareLaps(
  name: string,
  ours: Peer,
  ourRuns: readonly GuestRun[],
  theirs: Peer,
  theirRuns: readonly GuestRun[],
  target?: number,
): Figure[] {
  const checksums = new Set([...ourRuns, ...theirRuns].map(({ laps }) => laps.get(name)?.checksum));
  if (checksums.size !== 1) throw new Error(`${name}: the results differ: ${[...checksums].join(', ')}`);
  const times = (runs: readonly GuestRun[]): number[] => runs.map(({ laps }) => laps.get(name)?.ms ?? NaN);
  const [mine, other] = [times(ourRuns), times(theirRuns)];
  return [
    { name: `${name}, ${ours.name}`, value: median(mine), unit: 'ms', range: range(mine) },
    { name: `${name}, ${theirs.name}`, value: median(other), unit: 'ms', range: range(other) },
    {
      name: `${name}, ratio`,
      value: median(mine) / median(other),
      unit: 'x',
      ...(target !== undefined && { target }),
    },
  ];
}
