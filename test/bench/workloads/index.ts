import { hypervisor } from '../peers/hypervisor';
import { qemuSystem } from '../peers/qemu-system';
import type { Workload } from '../workload';
import { boot } from './boot';
import { idleSlice } from './idle-slice';
import { models } from './models';
import { porter } from './porter';
import { restore } from './restore';
import { programSets, programs } from './programs';

/** @param engine back end of ours in the comparisons with a peer; default: what `hv run` takes */
export function workloads(engine?: string): readonly Workload[] {
  const ours = hypervisor(engine);
  return [
    boot(ours, qemuSystem, 5),
    ...programSets.map((set) => programs(set, ours, qemuSystem, set.goals[engine ?? 'interpreter'])),
    models,
    porter,
    idleSlice,
    restore,
  ];
}
