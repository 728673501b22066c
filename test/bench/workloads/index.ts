import type { Workload } from '../workload';
import { bootInterpreter } from './boot';

export const workloads: readonly Workload[] = [bootInterpreter];
