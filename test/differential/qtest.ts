/** QEMU's devices without a CPU: its qtest protocol reads and writes guest-physical memory on command. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { AccessSize } from '../../engine/devices/device';

export const qemuInstalled = spawnSync('qemu-system-riscv64', ['--version']).status === 0;

const SUFFIX: Record<AccessSize, string> = { 1: 'b', 2: 'w', 4: 'l' };

export class Qtest {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly answers: ((line: string) => void)[] = [];

  constructor(options: readonly string[] = []) {
    // Stopped from the first instruction on, so that only we touch the devices.
    const stopped = ['-M', 'virt', '-S', '-bios', 'none'];
    const bare = ['-nodefaults', '-display', 'none', '-serial', 'null'];
    const protocol = ['-qtest', 'stdio', '-qtest-log', 'none'];
    this.process = spawn('qemu-system-riscv64', [...stopped, ...bare, ...protocol, ...options]);
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      if (!line.startsWith('IRQ')) this.answers.shift()?.(line);
    });
    this.process.on('close', (code) => {
      for (const answer of this.answers.splice(0)) answer(`QEMU ended with ${code}`);
    });
  }

  private async command(text: string): Promise<string> {
    const line = await new Promise<string>((resolve) => {
      this.answers.push(resolve);
      this.process.stdin.write(`${text}\n`);
    });
    if (!line.startsWith('OK')) throw new Error(`${text}: ${line}`);
    return line.slice(3);
  }
  async read(address: number, size: AccessSize): Promise<number> {
    return Number(
      BigInt.asUintN(8 * size, BigInt(await this.command(`read${SUFFIX[size]} 0x${address.toString(16)}`))),
    );
  }
  async write(address: number, size: AccessSize, value: number): Promise<void> {
    await this.command(`write${SUFFIX[size]} 0x${address.toString(16)} 0x${value.toString(16)}`);
  }
  close(): void {
    this.process.kill('SIGKILL');
  }
}
