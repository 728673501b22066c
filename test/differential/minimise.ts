import type { Group, Program } from './program';

/**
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating
 * Failure-Inducing Input") over the program's groups: the smallest subset
 * found within `attempts` runs that still differs.
 */
export async function minimise(
  program: Program,
  differs: (candidate: Program) => Promise<boolean>,
  attempts = 60,
): Promise<Program> {
  let groups = program.groups;
  let pieces = 2;
  let left = attempts;
  while (groups.length > 1 && pieces <= groups.length && left > 0) {
    const size = Math.ceil(groups.length / pieces);
    let smaller: readonly Group[] | undefined;
    for (let start = 0; start < groups.length && left > 0; start += size) {
      const candidate = [...groups.slice(0, start), ...groups.slice(start + size)];
      left -= 1;
      if (await differs({ ...program, groups: candidate })) {
        smaller = candidate;
        break;
      }
    }
    if (smaller) {
      groups = smaller;
      pieces = Math.max(2, pieces - 1);
    } else {
      if (size === 1) break;
      pieces = Math.min(groups.length, pieces * 2);
    }
  }
  return { ...program, groups };
}
