/** What `hv run` was told, and the checks of it that all models share. */
import { checkExtensions } from '../../engine/models/checks';
import type { CommonDefinition, EngineOptions, GuestDefinition, GuestFiles } from '../../engine/models/guest';
import { ImageError } from '../../engine/models/image-error';
import { UsageError } from '../usage-error';

export const MODELS = ['vm', 'paravirtual', 'container'] as const;
export type ModelName = (typeof MODELS)[number];

export const ENGINES = ['interpreter', 'translator', 'both'] as const;

export interface RunFlags {
  readonly model: ModelName;
  readonly memory: string;
  readonly clock: 'real' | 'deterministic';
  readonly seed?: string;
  readonly cpu?: string;
  readonly engine: (typeof ENGINES)[number];
  readonly threshold?: string;
  /** True when no file is named. */
  readonly trace?: string | true;
  readonly traceFrom?: string;
  readonly traceCount?: string;
  readonly harts?: string;
  readonly reboot: boolean;

  readonly kernel?: string;
  readonly initrd?: string;
  readonly firmware?: string;
  readonly append?: string;
  readonly disk?: readonly string[];
  readonly port: boolean;

  readonly root?: string;
  readonly layer?: readonly string[];
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly hostname?: string;
  readonly pids?: string;
  readonly strace?: boolean;
}

/** What a guest is made of, with the contents of its files. */
export interface DescribedGuest {
  readonly definition: GuestDefinition;
  readonly files: GuestFiles;
}

/** Flags that are not for every model, and the models that they are for. */
const RESERVED: readonly (readonly [flag: keyof RunFlags, models: readonly ModelName[]])[] = [
  ['kernel', ['vm', 'paravirtual']],
  ['initrd', ['vm', 'paravirtual']],
  ['append', ['vm', 'paravirtual']],
  ['disk', ['vm', 'paravirtual']],
  ['harts', ['vm', 'paravirtual']],
  ['firmware', ['vm']],
  ['port', ['paravirtual']],
  ['root', ['container']],
  ['layer', ['container']],
  ['env', ['container']],
  ['workdir', ['container']],
  ['hostname', ['container']],
  ['pids', ['container']],
  ['strace', ['container']],
];

/** For `both`, those of the translator's side. @throws UsageError */
export function engineOf({ engine, threshold }: RunFlags): EngineOptions {
  const kind = engine === 'interpreter' ? 'interpreter' : 'translator';
  if (threshold === undefined) return { kind };
  if (kind === 'interpreter') {
    throw new UsageError('--threshold is for the translator; leave out --engine interpreter');
  }
  return { kind, threshold: wholeNumber('--threshold', threshold) };
}

/** @throws UsageError for a flag or a command that another model has. */
export function checkModel(flags: RunFlags, command: readonly string[]): void {
  for (const [flag, models] of RESERVED) {
    const value = flags[flag];
    // A flag that begins with "no" is set when it is absent.
    const given = flag === 'port' ? value === false : value !== undefined;
    if (given && !models.includes(flags.model)) {
      const name = flag === 'port' ? '--no-port' : `--${flag}`;
      throw new UsageError(`${name} is not for --model ${flags.model}; it is for ${models.join(' and ')}`);
    }
  }
  if (command.length > 0 && flags.model !== 'container') {
    throw new UsageError(
      `"${command.join(' ')}": only a container is given a command; say --model container`,
    );
  }
}

/** Two engines can be compared only where time is a function of what they execute. */
export const clockOf = ({ clock, engine }: RunFlags): RunFlags['clock'] =>
  engine === 'both' ? 'deterministic' : clock;

/** @throws UsageError */
export function describeCommon(flags: RunFlags): CommonDefinition {
  if (flags.seed !== undefined && clockOf(flags) !== 'deterministic') {
    throw new UsageError('--seed means something only in deterministic mode; add --clock deterministic');
  }
  return {
    version: 1,
    memory: memoryBytes(flags.memory),
    clock: clockOf(flags),
    ...(flags.cpu === undefined ? {} : { cpu: cpuExtensions(flags.cpu) }),
    ...(flags.seed === undefined ? {} : { seed: wholeNumber('--seed', flags.seed) }),
  };
}

const MEBIBYTE = 1024 * 1024;
/** As the engine has it. */
const MOST_MEBIBYTES = 4092;

function memoryBytes(text: string): number {
  const [, digits, suffix] = /^(\d+)(M|MiB|G|GiB)?$/i.exec(text) ?? [];
  const mebibytes = Number(digits) * (/^g/i.test(suffix ?? '') ? 1024 : 1);
  if (!Number.isInteger(mebibytes) || mebibytes < 1 || mebibytes > MOST_MEBIBYTES) {
    throw new UsageError(
      `--memory ${text} is no size of RAM; give 4 to ${MOST_MEBIBYTES} MiB, e.g. --memory 256 or --memory 1G`,
    );
  }
  return mebibytes * MEBIBYTE;
}

function cpuExtensions(text: string): readonly string[] {
  const names = text
    .toLowerCase()
    .split(/[,_+]/)
    .filter((name) => name !== '');
  try {
    return checkExtensions(names);
  } catch (error) {
    throw error instanceof ImageError ? new UsageError(`--cpu ${text}: ${error.message}`) : error;
  }
}

export function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${flag} ${text} is no whole number; give one, e.g. ${flag} 1`);
  return Number(text);
}
