/** The examples that can be shown: a row each. */
import { play } from './debian-vm';
import { reportTable } from './debian-vm-table';
import type { Presenter } from './presenter';
import type { StoryOptions } from './story';
import { playModels } from './three-models';
import { modelsTable } from './three-models-table';

/** What came of a demonstration. */
export interface Shown {
  /** For scripts. */
  readonly report: unknown;
  /** For people. */
  readonly table: string;
  /** What did not come to pass, though the rest did. */
  readonly failed: string | undefined;
}

export interface Example {
  /** Files that it takes from the folder of images. */
  readonly needs: readonly string[];
  /** Unless the user says otherwise. */
  readonly defaults: StoryOptions;
  show(assembly: string, options: StoryOptions, presenter: Presenter): Promise<Shown>;
}

/** What a virtual machine with Debian boots from. */
export const MACHINE = ['vmlinuz', 'initrd.gz', 'fw_dynamic.bin'];

export const EXAMPLES: Readonly<Record<string, Example>> = {
  'debian-vm': {
    needs: MACHINE,
    defaults: { workers: 2, sliceInstructions: 120_000_000 },
    show: async (assembly, options, presenter) => {
      const report = await play(assembly, options, presenter);
      return { report, table: reportTable(report), failed: undefined };
    },
  },
  'three-models': {
    needs: [...MACHINE, 'busybox-root.tar'],
    // A worker for each guest: one that waits for a timer within its slice keeps its worker. Short slices: what an
    // answer took is known to the end of the slice that shows it.
    defaults: { workers: 3, sliceInstructions: 40_000_000 },
    show: async (assembly, options, presenter) => {
      const report = await playModels(assembly, options, presenter);
      const failed = Object.keys(report.failures);
      return {
        report,
        table: modelsTable(report),
        failed: failed.length === 0 ? undefined : `no answer from ${failed.join(' and ')}`,
      };
    },
  },
};
