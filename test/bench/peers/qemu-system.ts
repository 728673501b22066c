import type { GuestWorkload, Peer } from '../peer';
import { onPath, runGuestProcess } from './guest-process';

const program = 'qemu-system-riscv64';

/** QEMU's full-system emulation on its translator (TCG), one hart, the machine that ours is compatible with. */
export const qemuSystem: Peer = {
  name: program,
  available: () =>
    onPath(program)
      ? undefined
      : `${program} is not installed (Debian: apt-get install qemu-system-riscv, up to Debian 12 qemu-system-misc)`,
  run: (workload) => runGuestProcess(program, commandLine(workload), workload.timeoutMs),
};

export function commandLine(workload: GuestWorkload): string[] {
  return [
    ...['-machine', 'virt', '-smp', '1', '-m', String(workload.memoryMiB)],
    ...['-bios', workload.firmware, '-kernel', workload.kernel, '-initrd', workload.initrd],
    ...['-append', workload.commandLine],
    // No display, no monitor, no network: what our machine does not have either. A reset ends the run.
    ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-nic', 'none', '-no-reboot'],
  ];
}
