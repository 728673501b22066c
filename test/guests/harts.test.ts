/** Machines of several harts: a bare program beside QEMU, and Debian's kernel in both models, whole and cut. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guestFactory } from '../../engine/models/create';
import type { Guest } from '../../engine/models/guest';
import { writeArchive } from '../../scripts/images/cpio';
import { describeWith, program } from '../requirement';
import { compile, compiler } from './compile';
import { DebianImage, debianImages, runInSlices, runTo, runUntil } from './debian';
import { qemuUser } from './qemu-user';
import { describeFile, noHost } from './raw-guest';

const qemu = program('qemu-system-riscv64', 'qemu-system-riscv (up to Debian 12: qemu-system-misc)');
const full = process.env['TEST_FULL'] === '1';

/** programs/harts.c for so many harts: M-mode code at the start of RAM. */
function build(folder: string, harts: number): string {
  const machine = ['-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany'];
  const bare = ['-ffreestanding', '-fno-pic', '-no-pie', '-nostdlib', '-static'];
  const linked = ['-Wl,-N,-Ttext=0x80000000,--build-id=none'];
  const flags = [...machine, ...bare, ...linked, `-DHARTS=${harts}`];
  return compile('harts', join(folder, `harts-${harts}`), flags);
}

/** In one thread, so that a busy test machine does not make harts wait for each other. */
function underQemu(binary: string, harts: number): string {
  const machine = ['-M', 'virt', '-m', '16', '-smp', String(harts), '-accel', 'tcg,thread=single'];
  // To a file: what a pipe has not taken when the machine is switched off can be lost.
  const output = `${binary}.txt`;
  const quiet = ['-display', 'none', '-monitor', 'none', '-serial', `file:${output}`];
  spawnSync('qemu-system-riscv64', [...machine, ...quiet, '-bios', binary], { timeout: 60_000 });
  return readFileSync(output, 'latin1');
}

describeWith([compiler, qemu], 'a bare program of several harts', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'harts-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const machine = (binary: string, harts: number): Guest => {
    const firmware = new Uint8Array(readFileSync(binary));
    const description = {
      version: 1,
      model: 'machine',
      memory: 16 * 2 ** 20,
      clock: 'deterministic',
    } as const;
    return guestFactory(noHost)(
      { ...description, harts, firmware: describeFile('harts', firmware) },
      { firmware },
    );
  };

  it.each(full ? [1, 2, 3, 4, 8] : [1, 2, 4])(
    'writes what it writes under QEMU, with %d: counters, locks, interrupts, timers, fences, claims',
    (harts) => {
      const binary = build(folder, harts);
      const expected = underQemu(binary, harts);
      expect(expected).toMatch(/^claims/m);
      const guest = machine(binary, harts);
      expect(runTo(guest, 50_000_000)).toBe(expected);
      expect(guest.run({ instructions: 1 })).toEqual({ reason: 'halted', how: 'power-off', code: 0 });
    },
    120_000,
  );

  it('is the same in 1 slice and in 150, each in a fresh guest', () => {
    const binary = build(folder, 4);
    const inSlices = (slices: number) => runInSlices(() => machine(binary, 4), 300_000, slices);
    expect(inSlices(150)).toEqual(inSlices(1));
  }, 60_000);
});

/** What a command prints, without its echo. */
function ask(guest: Guest, command: string): string {
  guest.type(Buffer.from(`echo "begin"'.'; ${command}; echo "end"'.'\n`));
  const shown = runUntil(guest, '\nend.').replace(/\r/g, '');
  return shown.slice(shown.indexOf('\nbegin.\n') + 8, shown.lastIndexOf('end.'));
}

/** How often each hart took the interrupts of a line of /proc/interrupts. */
const interrupts = (guest: Guest, line: RegExp, harts: number): number[] => {
  const found = ask(guest, 'cat /proc/interrupts')
    .split('\n')
    .find((each) => line.test(each));
  return (found ?? '')
    .split(/\s+/)
    .filter((word) => /^\d+$/.test(word))
    .slice(0, harts)
    .map(Number);
};

describeWith([debianImages], 'Debian on several harts', () => {
  let image: DebianImage;
  beforeAll(() => {
    image = new DebianImage();
  });
  const create = (model: string, harts: number): Guest =>
    model === 'machine'
      ? image.create({ harts, commandLine: 'console=ttyS0' })
      : image.createParavirt({ harts, commandLine: 'console=hvc0 earlycon=sbi' });

  const cases: [string, number][] = [
    ['machine', 4],
    ['paravirt', 4],
  ];
  const all: [string, number][] = [
    ...cases,
    ['machine', 2],
    ['machine', 8],
    ['paravirt', 2],
    ['paravirt', 8],
  ];
  it.each(full ? all : cases)(
    'brings up all of them, shares work among them, and takes them off and on: %s, %d',
    (model, harts) => {
      const guest = create(model, harts);
      const log = runUntil(guest, 'userspace reached');
      expect(log).toContain(`smp: Brought up 1 node, ${harts} CPUs`);
      expect(log).not.toMatch(/Oops|BUG:|Kernel panic|Call Trace|WARNING:|soft lockup|rcu.*stall/);
      runUntil(guest, '# ');
      const numbers = Array.from({ length: harts }, (_, hart) => hart);
      const ids = ask(guest, 'awk \'$1 == "hart" && $2 == ":" {print $3}\' /proc/cpuinfo');
      expect(ids).toBe(numbers.map((n) => `${n}\n`).join(''));

      // Every hart works; writer and reader of each pipe are on different ones.
      const alone = numbers.map((n) => `seq ${n} ${harts} 20000 | md5sum`);
      const together = numbers.map(
        (n) => `(taskset -c ${n} seq ${n} ${harts} 20000 | taskset -c ${(n + 1) % harts} md5sum) &`,
      );
      const sorted = (command: string): string[] => ask(guest, command).split('\n').sort();
      expect(sorted(`${together.join(' ')} wait`)).toEqual(sorted(alone.join('; ')));
      const calls = interrupts(guest, /Function call interrupts/, harts);
      expect(calls).toHaveLength(harts);
      expect(calls.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10);
      for (const count of interrupts(guest, /riscv-timer/, harts)) expect(count).toBeGreaterThan(5);

      const cpus = '/sys/devices/system/cpu';
      const online = (): string => ask(guest, `cat ${cpus}/online`);
      expect(online()).toBe(`0-${harts - 1}\n`);
      expect(ask(guest, `echo 0 > ${cpus}/cpu1/online; taskset -c 1 true 2>&1 | grep -c affinity`)).toContain(
        '1\n',
      );
      expect(online()).toBe(harts === 2 ? '0\n' : `0,2-${harts - 1}\n`);
      ask(guest, `echo 1 > ${cpus}/cpu1/online`);
      expect(online()).toBe(`0-${harts - 1}\n`);
      expect(ask(guest, 'taskset -c 1 sh -c "echo \\$((6*7))"')).toBe('42\n');

      guest.type(Buffer.from('exit\n'));
      let exit = guest.run({ instructions: 1e9 });
      while (exit.reason === 'idle') {
        guest.skipIdle(exit.wakeAfter!);
        exit = guest.run({ instructions: 1e9 });
      }
      expect(exit).toEqual({ reason: 'halted', how: 'power-off', code: 0 });
    },
    240_000,
  );

  // What is missing for it shows in the suite above.
  const itWithCompiler = (compiler.missing ?? qemuUser.missing) ? it.skip : it;
  itWithCompiler(
    'counts exactly what threads and processes do on four harts, as qemu-riscv64 does',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'contention-'));
      try {
        const binary = compile('contention', join(folder, 'contention'), ['-static', '-pthread', '-w']);
        const expected = spawnSync('qemu-riscv64', [binary], { timeout: 60_000 }).stdout.toString();
        const content = new Uint8Array(readFileSync(binary));
        const archive = writeArchive([{ kind: 'file', path: 'contention', mode: 0o755, content }]);
        // Archives follow each other at multiples of four bytes.
        const padding = Buffer.alloc((4 - (archive.length % 4)) % 4);
        const initrd = Buffer.concat([archive, padding, image.files.initrd]);
        const guest = image.createParavirt({ harts: 4 }, { initrd });
        runUntil(guest, '# ');
        expect(ask(guest, '/contention')).toBe(expected);
        expect(expected).toMatch(/^added 36000 reserved 24000 locked 12000 swapped 72000 half 24000\n$/);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );

  it.each(full ? cases : cases.slice(1))(
    'is bit-identical in slices, each in a fresh guest: %s, %d harts',
    (model, harts) => {
      const end = model === 'machine' ? 1_000_000_000 : 560_000_000;
      const inSlices = (slices: number) => runInSlices(() => create(model, harts), end, slices);
      const whole = inSlices(1);
      expect(whole.output).toContain('userspace reached');
      expect(inSlices(full ? 50 : 6)).toEqual(whole);
    },
    300_000,
  );
});
