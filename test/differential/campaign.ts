import { indexOf } from './architectural-state';
import { assemblyOf, buildImage, type Image } from './image';
import { memoryMebibytes } from './layout';
import {
  compareBatch,
  type Comparison,
  type CreateHart,
  type Divergence,
  type Granularity,
} from './lockstep';
import { minimise } from './minimise';
import { generate, type Program, type Stream } from './program';
import { QemuTrace } from './qemu';
import type { Coverage } from './coverage';

/** Runs an image on QEMU and on a hart. */
export async function compareImage(
  image: Image,
  createHart: CreateHart,
  granularity: Granularity = 'instruction',
): Promise<Comparison> {
  const options = { memoryMebibytes, target: image.target, blocks: granularity === 'block' };
  return QemuTrace.use(image.bytes, options, (trace) =>
    compareBatch(image, trace.records(), createHart, granularity),
  );
}

export interface Outcome {
  readonly programs: number;
  readonly compared: number;
  /** Programs that QEMU did not run to their end: a fault of the rig, not of the hart. */
  readonly unfinished: number;
  /** One readable report for each program that differed. */
  readonly failures: readonly string[];
}

export interface CampaignOptions {
  /** One program each. */
  readonly seeds: readonly number[];
  /** Programs in one QEMU process. */
  readonly batch?: number;
  /** Failures to minimise; the others are only counted. */
  readonly reports?: number;
  readonly coverage?: Coverage;
  /** Default: `instruction`. A failure is looked at by instructions anyway. */
  readonly granularity?: Granularity;
}

/** Seeds `first` and up. */
export const seedsFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

/** Random programs of one stream. */
export async function runCampaign(
  stream: Stream,
  createHart: CreateHart,
  options: CampaignOptions,
): Promise<Outcome> {
  const { seeds, batch = stream.alone ? 1 : 50, reports = 2, coverage, granularity } = options;
  const failures: string[] = [];
  let compared = 0;
  let unfinished = 0;
  for (let done = 0; done < seeds.length; done += batch) {
    const image = buildImage(seeds.slice(done, done + batch).map((seed) => generate(stream, seed)));
    const comparison = await compareImage(image, createHart, granularity);
    compared += comparison.compared;
    unfinished += image.programs.length - comparison.finished;
    coverage?.add(stream, image, comparison.executions);
    for (const divergence of comparison.divergences) {
      const program = image.programs[divergence.program];
      if (!program) continue;
      failures.push(
        failures.length < reports && divergence.step > 0
          ? await reportMinimal(program, divergence, createHart)
          : describeDivergence(program, divergence),
      );
    }
  }
  return { programs: seeds.length, compared, unfinished, failures };
}

async function firstDivergence(program: Program, createHart: CreateHart): Promise<Divergence | undefined> {
  return (await compareImage(buildImage([program]), createHart)).divergences[0];
}

async function reportMinimal(
  program: Program,
  divergence: Divergence,
  createHart: CreateHart,
): Promise<string> {
  const differs = async (candidate: Program): Promise<boolean> =>
    (await firstDivergence(candidate, createHart)) !== undefined;
  if (!(await differs(program))) {
    return `${describeDivergence(program, divergence)}\n  (it does not differ when run alone: state of an earlier program matters)`;
  }
  const minimal = await minimise(program, differs);
  const again = await firstDivergence(minimal, createHart);
  return [describeDivergence(program, again ?? divergence), 'minimal program:', assemblyOf(minimal)].join(
    '\n',
  );
}

const hexadecimal = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;

/** Seed, instruction, operands before it, and what differs after it. */
export function describeDivergence(program: Program, divergence: Divergence): string {
  const { before, instruction, pc, step, differences } = divergence;
  const named = new Set(instruction.match(/\b[xfv]([12]?\d|3[01])\b/g) ?? []);
  const operands = [...named]
    .filter((name) => name !== 'x0')
    .flatMap((name) => (name.startsWith('v') ? [`${name}[1]`, `${name}[0]`] : [name]))
    .map((name) => `${name}=${hexadecimal(before[indexOf(name)] ?? 0n)}`);
  const vector = program.vectors.length > 0 ? ['vtype', 'vl', 'vstart'] : [];
  const context = ['privilege', 'mstatus', 'satp', ...vector].map(
    (name) => `${name}=0x${(before[indexOf(name)] ?? 0n).toString(16)}`,
  );
  return [
    `stream ${program.stream}, seed ${program.seed}, after ${step} instructions at ${hexadecimal(pc)}: ${instruction}`,
    `  before: ${[...operands, ...context].join(' ')}`,
    ...differences.map(
      ({ field, expected, found }) =>
        `  ${field}: QEMU ${hexadecimal(expected)}, found ${hexadecimal(found)}`,
    ),
  ].join('\n');
}
