import { DeclarationError } from './declaration-error';

interface CpuFeature {
  readonly meaning: string;
  /** Part of every guest's CPU; may be named, and changes nothing. */
  readonly always?: true;
}

/** Extensions of a guest's CPU on top of rv64gc (rv64imafdc_zicsr_zifencei), as the ISA manuals name them. */
const cpuFeatures = new Map<string, CpuFeature>([
  ['zicntr', { meaning: 'base counters and timers', always: true }],
  ['zba', { meaning: 'address generation' }],
  ['zbb', { meaning: 'basic bit manipulation' }],
  ['zbs', { meaning: 'single-bit instructions' }],
  ['sstc', { meaning: 'supervisor-mode timer interrupts' }],
]);

/**
 * Checks a list of CPU features and gives those that are a choice, in the table's order and without repetitions, so
 * that equal CPUs have equal definitions.
 *
 * @throws DeclarationError for a name that is not in the table.
 */
export function checkCpuFeatures(input: string, features: readonly string[]): string[] {
  const unknown = features.find((feature) => !cpuFeatures.has(feature));
  if (unknown !== undefined) {
    const known = [...cpuFeatures].map(([name, { meaning }]) => `${name} (${meaning})`).join(', ');
    throw new DeclarationError(
      input,
      `"${unknown}" is no CPU feature that the engine has`,
      `Use names of this list, in lower case; rv64gc is always there: ${known}`,
    );
  }
  return [...cpuFeatures]
    .filter(([name, { always }]) => !always && features.includes(name))
    .map(([name]) => name);
}
