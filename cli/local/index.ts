/** The local cloud: what a deployment would run, on this machine. */
export { LocalCloudError } from './errors';
export { LocalCloud, type LocalCloudOptions } from './cloud';
export { text } from './intrinsics';
export type { Placement } from './worker-pool';
export type { InvocationResult, Outcome, WorkerProcess } from './worker-process';
export type { FaultOdds, FaultOptions } from './faults/faults';
export type { Watch } from './faults/proxy';
export type { ServiceRequest } from './faults/request';
