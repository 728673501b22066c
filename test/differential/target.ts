import { references, type Reference } from './references';

/** What a stream's programs may use, and who judges them. */
export interface Target {
  readonly reference: Reference;
  /** What the hart has besides RV64GC, by the names of the engine's table. */
  readonly extensions: readonly string[];
}

export const standard: Target = { reference: references.qemu, extensions: ['zba', 'zbb', 'zbs', 'sstc'] };

/** For instructions that QEMU 7.2 does not know, or whose state it does not show. */
export const withNewer = (...extensions: readonly string[]): Target => ({
  reference: references.newer,
  extensions: [...standard.extensions, ...extensions],
});
