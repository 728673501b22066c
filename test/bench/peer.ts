/** One whole machine to run: files of a guest, its memory, its command line. */
export interface GuestWorkload {
  readonly kernel: string;
  readonly initrd: string;
  readonly firmware: string;
  readonly memoryMiB: number;
  readonly commandLine: string;
}

/** What one run of a guest in a process of its own took. Times in milliseconds from the start of the process. */
export interface GuestRun {
  /** Until the guest's init printed its first line. */
  readonly userspaceMs: number;
  /** Until the process had exited. */
  readonly wallMs: number;
}

/** A program that can run a guest: ours, or one that ours is measured against. */
export interface Peer {
  readonly name: string;
  /** Why this peer cannot run here, and what to do about it; undefined when it can. */
  available(): string | undefined;
  /** @throws Error when the guest did not reach userspace, or did not power off by itself */
  run(workload: GuestWorkload): Promise<GuestRun>;
}
