/** Checks a guest definition's JSON before anything is built from it. */
import { ImageError, type GuestDefinition } from '../../engine/models/guest';

type Rule = readonly [field: string, holds: (value: unknown) => boolean, rule: string];

const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const optional =
  (holds: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || holds(value);

const isFile = (value: unknown): boolean =>
  isRecord(value) &&
  isText(value.key) &&
  isText(value.name) &&
  isText(value.sha256) &&
  /^[0-9a-f]{64}$/.test(value.sha256) &&
  isCount(value.size);

const isAmount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** Fields of the breaker's budget. */
const BREAKER: Readonly<Record<string, (value: unknown) => boolean>> = {
  maxSlices: isCount,
  maxInstructions: isCount,
  maxSlicesPerDay: isCount,
  maxSecondsPerDay: isAmount,
  maxDollarsPerDay: isAmount,
};

const isBreaker = (value: unknown): boolean =>
  isRecord(value) && Object.entries(BREAKER).every(([field, holds]) => optional(holds)(value[field]));

const FILE_RULE = 'must be {key, name, sha256 (64 lower-case hexadecimal digits), size (bytes)}';

const isFiles = (value: unknown): boolean => Array.isArray(value) && value.every(isFile);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isProgram = (value: unknown): boolean => isTexts(value) && (value as unknown[]).length > 0;
const isEnvironment = (value: unknown): boolean => isRecord(value) && Object.values(value).every(isText);
const isPositive = (value: unknown): boolean => isCount(value) && Number(value) > 0;

const FILES_RULE = `${FILE_RULE}, in a list`;
const PROGRAM_RULE = 'must be a program and its arguments, in a list';

const COMMON: readonly Rule[] = [
  ['version', (value) => value === 1, 'must be 1'],
  [
    'memory',
    (value) => isCount(value) && Number(value) > 0 && Number(value) % 2 ** 20 === 0,
    'must be a multiple of 1 MiB',
  ],
  [
    'clock',
    (value) => ['real', 'suspended', 'deterministic'].includes(String(value)),
    'must be "real", "suspended" or "deterministic"',
  ],
  [
    'cpu',
    optional((value) => Array.isArray(value) && value.every(isText)),
    'must be a list of extension names',
  ],
  ['seed', optional(isCount), 'must be a whole number from 0 on'],
  ['sliceInstructions', optional(isPositive), 'must be a whole number from 1 on'],
  [
    'breaker',
    optional(isBreaker),
    `must be {${Object.keys(BREAKER).join('?, ')}?}, numbers from 0 on, slices and instructions whole`,
  ],
];

const LINUX: readonly Rule[] = [
  ['harts', optional(isPositive), 'must be a whole number from 1 on'],
  ['kernel', optional(isFile), FILE_RULE],
  ['initrd', optional(isFile), FILE_RULE],
  ['commandLine', optional(isText), 'must be text'],
  ['disks', optional(isFiles), FILES_RULE],
];

/** What each model has besides what all have. */
const MODELS: Readonly<Record<GuestDefinition['model'], readonly Rule[]>> = {
  machine: [['firmware', optional(isFile), FILE_RULE], ...LINUX],
  paravirt: [...LINUX, ['port', optional((value) => typeof value === 'boolean'), 'must be true or false']],
  container: [
    ['layers', isFiles, FILES_RULE],
    ['command', isProgram, PROGRAM_RULE],
    ['onEvent', optional(isProgram), PROGRAM_RULE],
    ['environment', optional(isEnvironment), 'must be names and texts'],
    ['workingDirectory', optional(isText), 'must be text'],
    ['hostname', optional(isText), 'must be text'],
    ['pids', optional(isPositive), 'must be a whole number from 1 on'],
  ],
};

const isModel = (value: unknown): value is GuestDefinition['model'] =>
  isText(value) && Object.hasOwn(MODELS, value);

const MODEL_RULE: Rule = ['model', isModel, `must be one of ${Object.keys(MODELS).join(', ')}`];

/** @throws ImageError naming the field and its rule. */
export function parseDefinition(key: string, text: string): GuestDefinition {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ImageError(
      `the guest's definition ${key} is no JSON (${String(error)}): deploy the stack again`,
    );
  }
  if (!isRecord(value))
    throw new ImageError(`the guest's definition ${key} is no JSON object: deploy the stack again`);
  const rules = isModel(value.model) ? [...COMMON, ...MODELS[value.model]] : [MODEL_RULE];
  for (const [field, holds, rule] of rules) {
    if (holds(value[field])) continue;
    const found = JSON.stringify(value[field]) ?? 'absent';
    throw new ImageError(
      `the guest's definition ${key}: ${field} ${rule}, and is ${found.slice(0, 200)}; deploy the stack again`,
    );
  }
  return value as unknown as GuestDefinition;
}
