/** One figure of a report: what was measured, and the bound that the project sets itself, when there is one. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'x' | 'KiB' | 'MB' | '%' | 'waits';
  /** The value should be at most this. */
  readonly target?: number;
  /** How far single runs were apart: lowest and highest. */
  readonly range?: readonly [number, number];
}

export type Report =
  | { readonly workload: string; readonly skipped: string }
  | { readonly workload: string; readonly runs: number; readonly figures: readonly Figure[] };

export interface WorkloadOptions {
  /** Runs of each peer; the figures are medians. */
  readonly runs: number;
  /** Folder with the guest images: scripts/images.ts. */
  readonly images: string;
  /** Length of a program's work on the reference machine's QEMU. */
  readonly seconds: number;
  readonly progress: (line: string) => void;
}

/** Something that is worth measuring. One file each in workloads/, and one line in workloads/index.ts. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  run(options: WorkloadOptions): Promise<Report>;
}
