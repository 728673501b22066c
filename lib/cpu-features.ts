import { DeclarationError } from './declaration-error';

/** Extensions that a guest may have on top of rv64gc (rv64imafdc_zicsr_zifencei), as the ISA manuals name them. */
const cpuFeatures: Readonly<Record<string, string>> = {
  zicntr: 'base counters and timers',
  zba: 'address generation',
  zbb: 'basic bit manipulation',
  zbs: 'single-bit instructions',
  sstc: 'supervisor-mode timer interrupts',
};

/**
 * Checks a list of CPU features and gives it in the table's order, without repetitions, so that equal CPUs have
 * equal definitions.
 *
 * @throws DeclarationError for a name that is not in the table.
 */
export function checkCpuFeatures(input: string, features: readonly string[]): string[] {
  const known = Object.keys(cpuFeatures);
  const unknown = features.find((feature) => !known.includes(feature));
  if (unknown !== undefined) {
    throw new DeclarationError(
      input,
      `"${unknown}" is no CPU feature that the engine has`,
      `Use names of this list (rv64gc is always there): ${known.map((name) => `${name} (${cpuFeatures[name]})`).join(', ')}`,
    );
  }
  return known.filter((name) => features.includes(name));
}
