import type { Workload } from '../workload';
import { bootInterpreter } from './boot';
import { idleSlice } from './idle-slice';
import { models } from './models';
import { porter } from './porter';

export const workloads: readonly Workload[] = [bootInterpreter, models, porter, idleSlice];
