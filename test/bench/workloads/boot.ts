import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GuestRun, GuestWorkload, Peer } from '../peer';
import { interleave, median, range } from '../statistics';
import type { Figure, Report, Workload, WorkloadOptions } from '../workload';

/** Boots Debian's kernel to the first line of userspace and powers off, each peer as a whole process. */
export function boot(ours: Peer, theirs: Peer, target?: number): Workload {
  return {
    name: 'boot',
    title: `boot Debian to userspace and power off, 256 MiB: ${ours.name} against ${theirs.name}`,
    run: (options) => measure('boot', ours, theirs, target, options),
  };
}

/** The same boot by a new process that is given what was hot in an earlier one. `ours`: with further arguments. */
export function bootWithProfile(
  ours: (more: readonly string[]) => Peer,
  theirs: Peer,
  target?: number,
): Workload {
  const name = 'boot-profile';
  return {
    name,
    title: `the same boot with the profile of an earlier one: ${ours([]).name} against ${theirs.name}`,
    async run(options) {
      const reason = ours([]).available();
      if (reason !== undefined) return { workload: name, skipped: reason };
      const folder = mkdtempSync(join(tmpdir(), 'profile-'));
      try {
        const profile = join(folder, 'profile');
        await ours(['--save-profile', profile]).run(guestWorkload(options.images));
        return await measure(name, ours(['--profile-from', profile]), theirs, target, options);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

async function measure(
  workload: string,
  ours: Peer,
  theirs: Peer,
  target: number | undefined,
  { runs, images, progress }: WorkloadOptions,
): Promise<Report> {
  for (const peer of [theirs, ours]) {
    const reason = peer.available();
    if (reason !== undefined) return { workload, skipped: reason };
  }
  const guest = guestWorkload(images);
  const once = (peer: Peer) => async (): Promise<GuestRun> => {
    const result = await peer.run(guest);
    progress(`${peer.name}: userspace after ${result.userspaceMs.toFixed(0)} ms`);
    return result;
  };
  const { first, second } = await interleave(runs, once(ours), once(theirs));
  return {
    workload,
    runs,
    figures: [
      ...compare('to userspace', 'userspaceMs', ours, first, theirs, second, target),
      ...compare('to exit', 'wallMs', ours, first, theirs, second),
    ],
  };
}

export function guestWorkload(images: string): GuestWorkload {
  return {
    kernel: join(images, 'vmlinuz'),
    initrd: join(images, 'initrd.gz'),
    // fw_jump.bin would not do: it puts the device tree 32 MiB behind the kernel's start, inside a kernel of 36 MB.
    firmware: join(images, 'fw_dynamic.bin'),
    memoryMiB: 256,
    // A panic resets at once, and a reset ends the run: a failure is quick.
    commandLine: 'console=ttyS0 quiet panic=-1 hv.run=poweroff',
  };
}

function compare(
  name: string,
  key: 'userspaceMs' | 'wallMs',
  ours: Peer,
  ourRuns: readonly GuestRun[],
  theirs: Peer,
  theirRuns: readonly GuestRun[],
  target?: number,
): Figure[] {
  const mine = ourRuns.map((run) => run[key]);
  const other = theirRuns.map((run) => run[key]);
  return [
    { name: `${name}, ${ours.name}`, value: median(mine), unit: 'ms', range: range(mine) },
    { name: `${name}, ${theirs.name}`, value: median(other), unit: 'ms', range: range(other) },
    {
      name: `${name}, ratio`,
      value: median(mine) / median(other),
      unit: 'x',
      ...(target !== undefined && { target }),
    },
  ];
}
