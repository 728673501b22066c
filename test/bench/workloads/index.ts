import type { Workload } from '../workload';
import { bootInterpreter } from './boot';
import { idleSlice } from './idle-slice';
import { models } from './models';

export const workloads: readonly Workload[] = [bootInterpreter, models, idleSlice];
