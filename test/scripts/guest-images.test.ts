import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { commandLine } from '../bench/peers/qemu-system';
import { describeWith, images, imagesFolder, program } from '../requirement';

const guest = {
  kernel: join(imagesFolder, 'vmlinuz'),
  initrd: join(imagesFolder, 'initrd.gz'),
  firmware: join(imagesFolder, 'fw_dynamic.bin'),
  memoryMiB: 256,
};

/** Boots under QEMU, answers each prompt with the next line; resolves with the console when QEMU exits. */
function boot(append: string, lines: string[] = []): Promise<{ exitCode: number | null; console: string }> {
  return new Promise((resolve) => {
    const args = commandLine({ ...guest, commandLine: `console=ttyS0 quiet panic=-1 ${append}` });
    const child = spawn('qemu-system-riscv64', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), 50_000);
    let text = '';
    let prompts = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const seen = text.split(/debian:\S*# /).length - 1;
      for (; prompts < seen; prompts++) child.stdin.write(`${lines.shift() ?? 'exit'}\n`);
    });
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, console: text });
    });
  });
}

describeWith(
  [
    program('qemu-system-riscv64', 'qemu-system-riscv (up to Debian 12: qemu-system-misc)'),
    images('vmlinuz', 'fw_dynamic.bin', 'initrd.gz'),
  ],
  'the guest images under QEMU',
  () => {
    test('an interactive shell with job control; power-off when it ends', async () => {
      const result = await boot('', [
        'uname -m; hostname; tty',
        'sleep 9 & jobs',
        'kill %1; ls -l /dev/null',
        'exit',
      ]);
      expect(result.exitCode).toBe(0);
      expect(result.console).toMatch(/userspace reached[\s\S]*riscv64\r\ndebian\r\n\/dev\/ttyS0/);
      expect(result.console).toMatch(/\[1\]\+ +Running +sleep 9/);
      expect(result.console).toMatch(/crw-rw-rw- .* 1, +3 .*\/dev\/null[\s\S]*Power down/);
      expect(result.console).not.toMatch(/can't access tty|not found|No such file/);
    }, 60_000);

    test('hv.run=NAME runs that script instead, and powers off', async () => {
      const result = await boot('hv.run=compute');
      expect(result.exitCode).toBe(0);
      expect(result.console).toMatch(
        /userspace reached[\s\S]*hv\.run=compute ended with status 0[\s\S]*Power down/,
      );
    }, 60_000);
  },
);
