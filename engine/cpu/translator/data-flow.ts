/**
 * Which registers are in locals when. A register written since memory last had
 * all of them is *dirty*; wherever control may leave, the dirty ones are stored.
 * A register is *needed* where it will be read, or stored as dirty, before it
 * is written: those are loaded at the entry and after calls.
 */
import type { Block, Region, Step } from './region';
import { type RegisterSet, equal, none, union, without } from './register-set';
import type { Structure } from './structure';

export interface DataFlow {
  /** At the start of each block. */
  readonly dirty: readonly RegisterSet[];
  readonly needed: readonly RegisterSet[];
  /** Blocks that use floating point, or that lead to some in the region without a call between. */
  readonly leadsToFloat: readonly boolean[];
  /** Blocks that are reached by floating point only: mstatus.FS is on. */
  readonly floatOn: readonly boolean[];
}

/** Whether control may leave the region at this instruction, other than by its ending. */
export const mayLeave = ({ facts }: Step): boolean => facts.memory || facts.effects.length > 0 || facts.float;

export const isCall = ({ ending }: Block): boolean => ending.kind === 'call';

export function analyse(region: Region, { successors }: Structure): DataFlow {
  const { blocks } = region;
  const written = blocks.map(({ steps }) => steps.reduce((set, { writes }) => union(set, writes), none));

  const dirty: RegisterSet[] = blocks.map(() => none);
  untilStable(() => {
    let changed = false;
    blocks.forEach((block, i) => {
      const out = isCall(block) ? none : union(dirty[i]!, written[i]!);
      for (const to of successors[i]!) {
        const merged = union(dirty[to]!, out);
        if (equal(merged, dirty[to]!)) continue;
        dirty[to] = merged;
        changed = true;
      }
    });
    return changed;
  });

  const needed: RegisterSet[] = blocks.map(() => none);
  const local = blocks.map((block, i) => summary(block, dirty[i]!));
  untilStable(() => {
    let changed = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const after = isCall(blocks[i]!)
        ? none
        : successors[i]!.reduce((set, to) => union(set, needed[to]!), none);
      const merged = union(needed[i]!, union(local[i]!.uses, without(after, local[i]!.kills)));
      if (equal(merged, needed[i]!)) continue;
      needed[i] = merged;
      changed = true;
    }
    return changed;
  });
  return { dirty, needed, ...analyseFloat(region, successors) };
}

function analyseFloat({ blocks }: Region, successors: Structure['successors']) {
  const leadsToFloat = blocks.map(({ steps }) => steps.some(({ facts }) => facts.float));
  untilStable(() => {
    let changed = false;
    blocks.forEach((block, i) => {
      if (leadsToFloat[i] || isCall(block) || !successors[i]!.some((to) => leadsToFloat[to])) return;
      leadsToFloat[i] = changed = true;
    });
    return changed;
  });

  /** Whether it is on at the end of a block, given that it is at its start. Effects may change anything. */
  const stays = (block: Block, on: boolean): boolean =>
    !isCall(block) &&
    block.steps.reduce((is, { facts }) => facts.effects.length === 0 && (is || facts.float), on);
  const floatOn = blocks.map((_, i) => i !== 0);
  untilStable(() => {
    let changed = false;
    blocks.forEach((block, i) => {
      if (stays(block, floatOn[i]!)) return;
      for (const to of successors[i]!) {
        if (!floatOn[to]) continue;
        floatOn[to] = false;
        changed = true;
      }
    });
    return changed;
  });
  return { leadsToFloat, floatOn };
}

function untilStable(pass: () => boolean): void {
  while (pass());
}

/** What a block needs by itself, and what it writes before anything behind it can need it. */
function summary(block: Block, dirtyAtStart: RegisterSet) {
  // Exits store what is dirty there: what was so at the start, and what this block has written by then.
  let uses = dirtyAtStart;
  let kills: RegisterSet = none;
  const use = (set: RegisterSet): void => void (uses = union(uses, without(set, kills)));
  for (const step of block.steps) {
    use(step.reads);
    kills = union(kills, step.writes);
  }
  return { uses, kills };
}
