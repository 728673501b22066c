import { Duration } from 'aws-cdk-lib';

/** Limits of AWS Lambda (developer guide, "Lambda quotas", 2026-11), and what the worker needs of them. */
export const limits = {
  /** Megabytes that a function can have. */
  functionMemory: { least: 128, most: 10_240 },
  /** Megabytes at which a function has one whole CPU. A guest's hart cannot use more, and with less it is slower. */
  oneCpuMemory: 1_769,
  /** Longest time that an invocation can take. */
  functionTimeout: Duration.minutes(15),
  /** Bytes that all environment variables of a function take together, names and values. */
  environment: 4_096,
  /**
   * Bytes of the environment that are not the list of guests: the names, a table's longest name (255), a queue's
   * longest URL (about 130), a bucket's longest name (63), and the slice's seconds.
   */
  environmentReserve: 600,
  /** Mebibytes of a large disk that a worker keeps in memory; it reads the image in parts. */
  heldDisk: 128,
  /** Megabytes of a worker that are not the guest's RAM: Node.js, the engine and a checkpoint in the making. */
  engineMemory: 160,
  /**
   * What a worker has for restoring and committing a guest, on top of the slice. A partition of the table takes
   * about 1 MB/s and a new table 4 MB/s, so the first checkpoint of a large guest takes its time.
   */
  flushMargin: Duration.minutes(2),
};
