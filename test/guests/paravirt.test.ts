/** Debian's unmodified kernel in the paravirtual machine: ported and not, beside the virtual machine, and cut into slices. */
import { KernelSymbols } from '../../engine/models/paravirt/porter/kallsyms';
import type { Exit, Guest } from '../../engine/models/guest';
import { describeWith } from '../requirement';
import { createHash } from 'node:crypto';
import { DebianImage, debianImages, runUntil, runInSlices } from './debian';
import { readUserCopies, withUserCopies } from './user-copies';

/** Types a command and returns what it printed. The marks are written so that the echo of the line is none. */
function command(guest: Guest, line: string): string {
  guest.type(Buffer.from(`echo "begin"'.'; ${line}; echo "end"'.'\n`));
  const output = runUntil(guest, '\nend.').replaceAll('\r', '');
  return output.slice(output.indexOf('\nbegin.\n') + 8, output.lastIndexOf('end.'));
}

/** Runs until the guest ends; its last words do not show, since Linux shuts its devices down before it says them. */
function runToEnd(guest: Guest): Exit {
  for (;;) {
    const exit = guest.run({ instructions: 1e9 });
    if (exit.reason !== 'idle') return exit;
    guest.skipIdle(exit.wakeAfter!);
  }
}

/** Files, pipes, text tools, arithmetic, process trees; nothing that names the machine. */
const scripts: readonly string[] = [
  'echo $((6*7)) $(uname -srm); date +%Y',
  "seq 1 5000 > /tmp/n; md5sum < /tmp/n; wc /tmp/n; sort -rn /tmp/n | head -3; awk '{s+=$1} END {print s}' /tmp/n",
  'dd if=/dev/zero bs=64k count=40 2>/dev/null | sha256sum; dd if=/tmp/n of=/tmp/m bs=777 2>/dev/null; cmp /tmp/n /tmp/m && echo same',
  'mkdir -p /tmp/d/e && cp /tmp/n /tmp/d/e/x && tar c /tmp/d 2>/dev/null | tar t; gzip -c /tmp/n | gunzip | md5sum; ls /tmp/d',
  '(for i in 1 2 3; do (sleep 0.0$i; echo child $i) & done; wait); sh -c "exit 3"; echo $?',
  'sed -n "s/9\\(.\\)9/[\\1]/p" /tmp/n | tail -2; grep -c 77 /tmp/n; printf "%s\\n" b a c | sort | tr a-z A-Z | xargs',
];

describeWith([debianImages], 'Debian in the paravirtual machine', () => {
  let image: DebianImage;
  beforeAll(() => {
    image = new DebianImage();
  });

  it.each([
    ['ported', true],
    ['unported', false],
  ])(
    '%s: boots without firmware to a shell that answers, and powers off',
    (_, port) => {
      const guest = image.createParavirt({ commandLine: 'console=hvc0 earlycon=sbi', port });
      const bootLog = runUntil(guest, 'userspace reached');
      expect(bootLog).toContain('SBI specification v3.0 detected');
      expect(bootLog).toContain('earlycon: sbi0');
      expect(bootLog).toContain('printk: legacy console [hvc0] enabled');
      expect(bootLog).not.toContain('OpenSBI');
      expect(bootLog).not.toMatch(/Oops|BUG:|Kernel panic|Call Trace|WARNING:/);
      runUntil(guest, '# ');
      expect(command(guest, 'echo $((6*7)) $(uname -m); ls /sys/bus/virtio/devices; date +%Y')).toBe(
        '42 riscv64\nvirtio0  virtio1\n2026\n',
      );
      guest.type(Buffer.from('exit\n'));
      expect(runToEnd(guest)).toEqual({ reason: 'halted', how: 'power-off', code: 0 });
      expect(guest.exits['ecall-supervisor']).toBeGreaterThan(20);
      expect(guest.exits['illegal-instruction'] ?? 0).toBe(0);
    },
    120_000,
  );

  it('resets when it reboots', () => {
    const guest = image.createParavirt();
    runUntil(guest, '# ');
    guest.type(Buffer.from('reboot -f\n'));
    expect(runToEnd(guest)).toEqual({ reason: 'halted', how: 'reset', code: 0 });
  }, 120_000);

  it('is ported into fewer instructions than the virtual machine takes', () => {
    const boot = (guest: Guest): number => {
      runUntil(guest, 'userspace reached');
      return guest.instructions;
    };
    expect(boot(image.createParavirt())).toBeLessThan(0.85 * boot(image.create()));
  }, 120_000);

  it('answers the same scripts as the virtual machine, ported or not', () => {
    const answers = (guest: Guest): string[] => {
      runUntil(guest, '# ');
      return scripts.map((script) => command(guest, script));
    };
    const machine = answers(image.create());
    expect(machine[0]).toMatch(/^42 Linux .* riscv64\n2026\n$/);
    expect(machine[2]).toContain('same');
    expect(answers(image.createParavirt())).toEqual(machine);
    expect(answers(image.createParavirt({ port: false }))).toEqual(machine);
  }, 240_000);

  it('knows the kernel’s symbols as the kernel itself does', () => {
    const guest = image.createParavirt({ commandLine: 'console=hvc0 quiet nokaslr' });
    runUntil(guest, '# ');
    const base = BigInt(`0x${command(guest, 'grep " _start$" /proc/kallsyms').split(' ')[0]!}`);
    // Lines of modules, and of code that the kernel makes itself, name their owner in brackets.
    const own = command(guest, 'grep -vF "[" /proc/kallsyms | md5sum').split(' ')[0];
    const symbols = KernelSymbols.read('vmlinuz', image.files.kernel);
    const hash = createHash('md5');
    for (let index = 0; index < symbols.count; index++) {
      const { name, type, offset } = symbols.at(index);
      hash.update(
        `${BigInt.asUintN(64, base + BigInt(offset))
          .toString(16)
          .padStart(16, '0')} ${type} ${name}\n`,
      );
    }
    expect(own).toBe(hash.digest('hex'));
  }, 240_000);

  it('takes faults in user copies to the byte', () => {
    // Not compared with the unported kernel: its copy loop stops some bytes early, and then the first write never ends.
    const guest = image.createParavirt({}, { initrd: withUserCopies(image.files.initrd) });
    runUntil(guest, '# ');
    const { results, file, tail } = readUserCopies(
      command(guest, '/user-copies | hexdump -v -e \'1/1 "%02x"\'; echo').trim(),
    );
    expect(results).toEqual([100n, -14n, 100n, 50n, 70n, 99n, -14n]);
    expect([file[0], file[1], file[99]]).toEqual([0x5a, 0, 0x5a]);
    expect([...tail]).toEqual([0x5a, ...new Array<number>(99).fill(0)]);
  }, 120_000);

  it('takes events and gives results, and shows its disks', () => {
    const disk = new Uint8Array(1 << 20).fill(7);
    const guest = image.createParavirt(
      { commandLine: 'console=hvc0 quiet hv.run=agent' },
      { disks: [disk, disk] },
    );
    guest.deliver(Buffer.from('{"text":"before boot"}'));
    const found: string[] = [];
    while (found.length < 1 && guest.instructions < 2e9) {
      const exit = guest.run({ instructions: 5_000_000 });
      found.push(...guest.takeResults().map((result) => Buffer.from(result).toString()));
      if (exit.reason === 'idle' && exit.wakeAfter !== undefined) guest.skipIdle(exit.wakeAfter);
    }
    expect(found).toEqual(['{"text":"BEFORE BOOT"}']);

    const shell = image.createParavirt({}, { disks: [disk, disk] });
    runUntil(shell, '# ');
    // virtio-blk is a module of that kernel, so the disks are looked at as PCI functions.
    expect(command(shell, 'cat /sys/bus/pci/devices/*/device')).toBe(
      '0x0008\n0x1044\n0x1043\n0x1042\n0x1042\n',
    );
  }, 120_000);

  it('is bit-identical after the same instructions in 1, 7 and 50 slices, each in a fresh guest', () => {
    const end = 760_000_000;
    const inSlices = (slices: number) => runInSlices(() => image.createParavirt(), end, slices);
    const whole = inSlices(1);
    expect(whole.output).toContain('userspace reached');
    expect(inSlices(7)).toEqual(whole);
    expect(inSlices(50)).toEqual(whole);
  }, 300_000);
});
