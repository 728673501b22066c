/** One whole machine to run: files of a guest, its memory, its command line. */
export interface GuestWorkload {
  readonly kernel: string;
  readonly initrd: string;
  readonly firmware: string;
  readonly memoryMiB: number;
  readonly commandLine: string;
  /** After so long the run has failed; default: two minutes. */
  readonly timeoutMs?: number;
}

/** A piece of work that a guest marked on its console: `begin NAME`, then `end NAME CHECKSUM`. */
export interface Lap {
  readonly ms: number;
  readonly checksum: string;
}

/** What one run of a guest in a process of its own took. Times in milliseconds from the start of the process. */
export interface GuestRun {
  /** Until the guest's init printed its first line. */
  readonly userspaceMs: number;
  /** Until the process had exited. */
  readonly wallMs: number;
  /** By name. */
  readonly laps: ReadonlyMap<string, Lap>;
}

/** A program that can run a guest: ours, or one that ours is measured against. */
export interface Peer {
  readonly name: string;
  /** Why this peer cannot run here, and what to do about it; undefined when it can. */
  available(): string | undefined;
  /** @throws Error when the guest did not reach userspace, or did not power off by itself */
  run(workload: GuestWorkload): Promise<GuestRun>;
}
