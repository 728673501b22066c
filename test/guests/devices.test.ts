/**
 * Debian's drivers on the machine's devices. What is a module in Debian's kernel (virtio-blk, -net, -rng, -mmio) has
 * no driver in this initramfs; their own suites drive those devices.
 */
import type { Guest } from '../../engine/models/guest';
import { describeWith } from '../requirement';
import { DebianImage, debianImages, runUntil } from './debian';

const PROMPT = '# ';

/** What a command prints, without its echo. */
function ask(guest: Guest, command: string): string {
  guest.type(Buffer.from(`${command}; echo "<$((6*7))>"\n`));
  const shown = runUntil(guest, '<42>').replace(/\r/g, '');
  const answer = shown.slice(shown.indexOf('"\n') + 2);
  return answer.slice(0, answer.lastIndexOf('<42>'));
}

/** How often an interrupt came, by what /proc/interrupts says of its source. */
function interrupts(guest: Guest, source: RegExp): number {
  const lines = ask(guest, 'cat /proc/interrupts').split('\n');
  const line = lines.find((each) => source.test(each));
  if (line === undefined) throw new Error(`no ${source} among\n${lines.join('\n')}`);
  return Number(/:\s*(\d+)/.exec(line)?.[1]);
}

describeWith([debianImages], 'Debian uses', () => {
  let image: DebianImage;
  let guest: Guest;
  let bootLog: string;
  beforeAll(() => {
    image = new DebianImage();
    guest = image.create({ commandLine: 'console=ttyS0' });
    bootLog = runUntil(guest, PROMPT);
  }, 120_000);

  it('the serial console by interrupts of the PLIC', () => {
    const serial = /SiFive PLIC\s+10 .*ttyS0/;
    const before = interrupts(guest, serial);
    expect(ask(guest, 'echo 0123456789')).toBe('0123456789\n');
    expect(interrupts(guest, serial)).toBeGreaterThan(before);
  });

  it('the timer of the supervisor', () => {
    const timer = /riscv-timer/;
    const before = interrupts(guest, timer);
    ask(guest, 'sleep 1');
    expect(interrupts(guest, timer)).toBeGreaterThan(before);
  });

  it('the seed of the device tree: random numbers are there from the start', () => {
    expect(bootLog).toMatch(/\[ {4}0\.000000\] random: crng init done/);
    const draw = (): string => ask(guest, 'head -c 32 /dev/urandom | sha256sum');
    const first = draw();
    expect(first).toMatch(/^[0-9a-f]{64}/);
    expect(draw()).not.toBe(first);
  });

  it('PCI: finds the entropy device and the console, each with its own interrupt pin and window', () => {
    const functions = ask(guest, 'cat /proc/bus/pci/devices')
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/));
    expect(functions.map(([slot, id]) => `${slot} ${id}`)).toEqual([
      '0000 1b360008',
      '0008 1af41044',
      '0010 1af41043',
    ]);
    const [, entropy, console] = functions.map((columns) => [columns[2], columns[7]]);
    expect(new Set([...entropy!, ...console!]).size).toBe(4);
    expect(ask(guest, 'cat /sys/bus/virtio/devices/virtio*/device')).toBe('0x0004\n0x0003\n');
    // The features that its driver took: VIRTIO_F_VERSION_1 is bit 32.
    expect(ask(guest, 'cut -c 33 /sys/bus/virtio/devices/virtio1/features')).toBe('1\n');
  });

  it('the virtio console as /dev/hvc0', () => {
    const source = /SiFive PLIC\s+34 .*virtio1/;
    const before = interrupts(guest, source);
    expect(ask(guest, 'echo "over virtio: $((40+2))" > /dev/hvc0')).toContain('over virtio: 42');
    expect(interrupts(guest, source)).toBeGreaterThan(before);
  });

  it('the port for events: takes one, and answers', () => {
    expect(ask(guest, 'cat /sys/class/virtio-ports/vport1p1/name')).toBe('events\n');
    guest.takeResults();
    guest.deliver(Buffer.from('an event'));
    // One after the other: Linux lets a port be opened once at a time.
    ask(guest, 'head -1 /dev/vport1p1 > /tmp/event; tr a-z A-Z < /tmp/event > /dev/vport1p1');
    expect(guest.takeResults().map((bytes) => Buffer.from(bytes).toString())).toEqual(['AN EVENT']);
  });

  it('the clock: its time at boot, and what is set stays set', () => {
    expect(bootLog).toMatch(/goldfish_rtc 101000\.rtc: setting system clock to 2026-01-01T00:00:0\d UTC/);
    expect(interrupts(guest, /SiFive PLIC\s+11 .*101000\.rtc/)).toBe(0);
    ask(guest, 'date -s "2031-02-03 04:05:06" && hwclock -w -u');
    expect(ask(guest, 'cat /sys/class/rtc/rtc0/date /sys/class/rtc/rtc0/time')).toMatch(
      /^2031-02-03\n04:05:0\d\n$/,
    );
  });

  it('idle time, which costs nothing', () => {
    // The kernel's self-tests run in the background first; a second of sleep shows when they are over.
    const cost = (command: string): number => {
      const before = guest.instructions;
      ask(guest, command);
      return guest.instructions - before;
    };
    for (let tries = 0; cost('sleep 1') > 20e6; tries++) expect(tries).toBeLessThan(100);
    const began = Number(ask(guest, 'date +%s'));
    expect(cost('sleep 1000')).toBeLessThan(400e6);
    expect(Number(ask(guest, 'date +%s')) - began).toBeGreaterThanOrEqual(1000);
  });

  it('the finisher: a reboot is a reset, which the host is told of', () => {
    guest.type(Buffer.from('reboot -f\n'));
    runUntil(guest, 'reboot: Restarting system');
    expect(guest.run({ instructions: 1e8 })).toEqual({ reason: 'halted', how: 'reset', code: 0 });
    expect(guest.run({ instructions: 1e8 })).toEqual({ reason: 'halted', how: 'reset', code: 0 });
  });
});
