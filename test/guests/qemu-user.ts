/** The same busybox under `qemu-riscv64`: the judge of what a script writes. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { appletNames } from '../../scripts/images/busybox';
import { type Requirement, imagesFolder, program } from '../requirement';

export const qemuUser: Requirement = program('qemu-riscv64', 'qemu-user');

const where = (name: string): string =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path)) ?? name;

/**
 * Every applet as a command: qemu runs one program, and what that executes
 * would be the host's; so each name leads back to qemu.
 */
export class QemuUser {
  private readonly folder = mkdtempSync(join(tmpdir(), 'qemu-user-'));
  private readonly busybox = join(this.folder, 'busybox');
  private readonly qemu = where('qemu-riscv64');

  constructor() {
    // It has to be executable, which an image need not be.
    copyFileSync(join(imagesFolder, 'busybox'), this.busybox);
    chmodSync(this.busybox, 0o755);
    const bin = join(this.folder, 'bin');
    mkdirSync(bin);
    const wrapper = join(bin, '.applet');
    writeFileSync(wrapper, `#!/bin/sh\nexec ${this.qemu} ${this.busybox} "\${0##*/}" "$@"\n`);
    chmodSync(wrapper, 0o755);
    for (const applet of appletNames(new Uint8Array(readFileSync(this.busybox)))) {
      symlinkSync('.applet', join(bin, applet));
    }
  }

  /** In an empty working directory. @returns stdout and the exit code */
  run(script: string): { output: string; code: number | null } {
    const cwd = mkdtempSync(join(this.folder, 'work-'));
    const child = spawnSync(this.qemu, [this.busybox, 'sh', '-c', script], {
      cwd,
      env: { PATH: join(this.folder, 'bin'), HOME: '/root', TERM: 'linux', TZ: 'UTC' },
      encoding: 'latin1',
      timeout: 60_000,
    });
    return { output: child.stdout, code: child.status };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
