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

const isBreaker = (value: unknown): boolean =>
  isRecord(value) && optional(isCount)(value.maxSlices) && optional(isCount)(value.maxInstructions);

const FILE_RULE = 'must be {key, name, sha256 (64 lower-case hexadecimal digits), size (bytes)}';

const RULES: readonly Rule[] = [
  ['version', (value) => value === 1, 'must be 1'],
  ['model', isText, 'must name a model, as "machine"'],
  [
    'memory',
    (value) => isCount(value) && Number(value) > 0 && Number(value) % 2 ** 20 === 0,
    'must be a multiple of 1 MiB',
  ],
  ['clock', (value) => value === 'real' || value === 'deterministic', 'must be "real" or "deterministic"'],
  [
    'cpu',
    optional((value) => Array.isArray(value) && value.every(isText)),
    'must be a list of extension names',
  ],
  ['seed', optional(isCount), 'must be a whole number from 0 on'],
  ['firmware', optional(isFile), FILE_RULE],
  ['kernel', optional(isFile), FILE_RULE],
  ['initrd', optional(isFile), FILE_RULE],
  ['commandLine', optional(isText), 'must be text'],
  ['disks', optional((value) => Array.isArray(value) && value.every(isFile)), `${FILE_RULE}, in a list`],
  [
    'sliceInstructions',
    optional((value) => isCount(value) && Number(value) > 0),
    'must be a whole number from 1 on',
  ],
  ['breaker', optional(isBreaker), 'must be {maxSlices?, maxInstructions?}, whole numbers'],
];

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
  for (const [field, holds, rule] of RULES) {
    if (holds(value[field])) continue;
    const found = JSON.stringify(value[field]) ?? 'absent';
    throw new ImageError(
      `the guest's definition ${key}: ${field} ${rule}, and is ${found.slice(0, 200)}; deploy the stack again`,
    );
  }
  return value as unknown as GuestDefinition;
}
