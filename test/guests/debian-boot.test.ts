/** Debian's unmodified kernel, from reset to power-off, and the same run cut into slices. */
import { describeWith } from '../requirement';
import { DebianImage, debianImages, runUntil, runInSlices } from './debian';

describeWith([debianImages], 'Debian in the virtual machine', () => {
  let image: DebianImage;
  beforeAll(() => {
    image = new DebianImage();
  });

  it('boots to a shell that answers, finds its devices, and powers off', () => {
    const guest = image.create({ commandLine: 'console=ttyS0' });
    const bootLog = runUntil(guest, 'userspace reached');
    expect(bootLog).toContain('OpenSBI');
    expect(bootLog).toContain('Machine model: riscv-virtio,qemu');
    expect(bootLog).toContain('10000000.serial: ttyS0');
    expect(bootLog).toContain('goldfish_rtc');
    expect(bootLog).not.toMatch(/Oops|BUG:|Kernel panic|Call Trace/);
    runUntil(guest, '# ');
    guest.type(Buffer.from('echo $((6*7)) $(uname -m); ls /sys/bus/virtio/devices; date +%Y\n'));
    const answer = runUntil(guest, '2026\r\n');
    expect(answer).toContain('42 riscv64');
    expect(answer).toContain('virtio0');
    guest.type(Buffer.from('exit\n'));
    runUntil(guest, 'Power down');
    expect(guest.run({ instructions: 1e8 })).toEqual({ reason: 'halted', how: 'power-off', code: 0 });
    expect(guest.exits['ecall-user']).toBeGreaterThan(100);
  }, 120_000);

  it('has the CPU that was asked for, and no other', () => {
    const guest = image.create({ cpu: ['zba'] });
    runUntil(guest, '# ');
    guest.type(Buffer.from('grep ^isa /proc/cpuinfo\n'));
    const answer = runUntil(guest, '# ');
    expect(answer).toMatch(/isa\s*: rv64imafdc_[a-z_]*zba/);
    expect(answer).not.toMatch(/zbb|zbs|sstc/);
  }, 60_000);

  it('is bit-identical after the same instructions in 1, 7 and 50 slices, each in a fresh guest', () => {
    const end = 1_000_000_000;
    const inSlices = (slices: number) => runInSlices(() => image.create(), end, slices);
    const whole = inSlices(1);
    expect(whole.output).toContain('userspace reached');
    expect(inSlices(7)).toEqual(whole);
    expect(inSlices(50)).toEqual(whole);
  }, 300_000);
});
