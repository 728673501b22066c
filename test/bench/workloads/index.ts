import { hypervisor } from '../peers/hypervisor';
import { qemuSystem } from '../peers/qemu-system';
import type { Workload } from '../workload';
import { boot, bootWithProfile } from './boot';
import { idleSlice } from './idle-slice';
import { models } from './models';
import { porter } from './porter';
import { restore } from './restore';
import { slices } from './slices';
import { toolsWorkload } from './tools';
import { programSets, programs } from './programs';

/** Time of ours over QEMU's for the boot, at most, by engine. */
const bootGoals: Readonly<Record<string, number>> = { interpreter: 5, translator: 1 };

const PROFILE_GOAL = 0.8;
const TOOLS_GOAL = 0.7;

/** @param engine back end of ours in the comparisons with a peer */
export function workloads(engine = 'translator'): readonly Workload[] {
  const ours = hypervisor(engine);
  return [
    boot(ours, qemuSystem, bootGoals[engine]),
    ...(engine === 'translator'
      ? [bootWithProfile((more) => hypervisor(engine, more), qemuSystem, PROFILE_GOAL)]
      : []),
    ...programSets.map((set) => programs(set, ours, qemuSystem, set.goals[engine])),
    toolsWorkload(ours, qemuSystem, engine === 'translator' ? TOOLS_GOAL : undefined),
    models,
    porter,
    idleSlice,
    restore,
    slices,
  ];
}
