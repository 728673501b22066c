import type { Workload } from '../workload';
import { bootInterpreter } from './boot';
import { idleSlice } from './idle-slice';

export const workloads: readonly Workload[] = [bootInterpreter, idleSlice];
