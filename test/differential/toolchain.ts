import { execFileSync, spawnSync } from 'node:child_process';

/** Names of the external programs; overridable, since distributions differ in the cross prefix. */
export const tools = {
  qemu: process.env['QEMU_SYSTEM_RISCV64'] ?? 'qemu-system-riscv64',
  assembler: process.env['RISCV_AS'] ?? 'riscv64-linux-gnu-as',
  linker: process.env['RISCV_LD'] ?? 'riscv64-linux-gnu-ld',
  objcopy: process.env['RISCV_OBJCOPY'] ?? 'riscv64-linux-gnu-objcopy',
  objdump: process.env['RISCV_OBJDUMP'] ?? 'riscv64-linux-gnu-objdump',
};

/** Undefined when lock-step comparison is possible here, else what is missing and how to get it. */
export function whatIsMissing(): string | undefined {
  for (const tool of Object.values(tools)) {
    if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0) {
      return `${tool} is not installed: lock-step comparison needs QEMU (qemu-system-misc) and the riscv64 binutils (binutils-riscv64-linux-gnu)`;
    }
  }
  return undefined;
}

/** QEMU's version, e.g. `7.2.22`. */
export function qemuVersion(): string {
  const banner = execFileSync(tools.qemu, ['--version'], { encoding: 'utf8' });
  return /version (\S+)/.exec(banner)?.[1] ?? 'unknown';
}
