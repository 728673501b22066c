/** Debian's time while nobody runs it: an hour passes for the caller, and the guest is told what its kind of clock says. */
import { guestFactory } from '../../engine/models/create';
import type { Guest, MachineDefinition } from '../../engine/models/guest';
import { describeWith } from '../requirement';
import { DebianImage, MemoryCheckpoint, debianImages } from './debian';

const HOUR = 3_600_000_000_000n;
const COMPLAINTS = /lockup|stall|hung|blocked for more than/i;

/** A guest and its caller's clock: five nanoseconds an instruction, and what the test lets pass. */
class Scene {
  passed = 0n;
  private readonly engine = { kind: 'translator' } as const;
  private readonly image = new DebianImage();
  private counted = (): number => 0;
  guest: Guest;

  constructor(clock: MachineDefinition['clock']) {
    this.guest = this.create(clock);
  }

  create(clock: MachineDefinition['clock']): Guest {
    const now = (): bigint => 1_800_000_000_000_000_000n + BigInt(this.counted()) * 5n + this.passed;
    const host = { now, fillRandom: (bytes: Uint8Array) => void bytes.fill(7), engine: this.engine };
    const definition = this.image.definition({ clock, commandLine: 'console=ttyS0' });
    const guest = guestFactory(host)(definition, this.image.files);
    this.counted = () => guest.instructions;
    return guest;
  }

  /** The same guest with another kind of clock, from a checkpoint. */
  restored(clock: MachineDefinition['clock'], checkpoint: MemoryCheckpoint): Scene {
    this.guest = this.create(clock);
    checkpoint.apply(this.guest);
    return this;
  }

  /** Runs the guest and lets its idle time pass, until the console shows `text` or `limit` bursts are over. */
  until(text: string, limit = 2000): string {
    let output = '';
    for (let bursts = 0; bursts < limit && !output.includes(text); bursts += 1) {
      const exit = this.guest.run({ instructions: 10_000_000 });
      output += Buffer.from(this.guest.takeOutput()).toString('latin1');
      if (exit.reason === 'idle' && exit.wakeAfter !== undefined) {
        this.passed += exit.wakeAfter;
        this.guest.skipIdle(exit.wakeAfter);
      }
    }
    return output;
  }

  /** Until the kernel's own work after the boot is done: the guest then sleeps for seconds. */
  settle(): void {
    for (let bursts = 0; bursts < 2000; bursts += 1) {
      const exit = this.guest.run({ instructions: 10_000_000 });
      if (exit.reason !== 'idle' || exit.wakeAfter === undefined) continue;
      if (exit.wakeAfter > 3_000_000_000n) return;
      this.passed += exit.wakeAfter;
      this.guest.skipIdle(exit.wakeAfter);
    }
  }

  command(line: string): string {
    this.guest.type(new TextEncoder().encode(`${line}; echo ready\n`));
    return this.until('\nready');
  }

  /** Seconds since boot, as the guest counts them. */
  uptime(): number {
    return Number(/\n(\d+\.\d+) /.exec(this.command('cat /proc/uptime'))?.[1]);
  }

  complaints(): string {
    return this.command('dmesg | grep -iE "lockup|stall|hung|blocked for more"; true');
  }
}

describeWith([debianImages], 'the clock of Debian', () => {
  let scene: Scene;
  let prompt: MemoryCheckpoint;
  beforeAll(() => {
    scene = new Scene('real');
    scene.until('~#');
    scene.settle();
    prompt = new MemoryCheckpoint();
    prompt.take(scene.guest);
  }, 120_000);

  test('real: an hour that it was not run has passed, and a sleep of an hour has ended', () => {
    const before = scene.uptime();
    scene.guest.type(new TextEncoder().encode('sleep 3600; echo "slept $?"\n'));
    scene.settle();
    scene.passed += HOUR;
    expect(scene.until('slept 0', 50)).toContain('slept 0');
    expect(scene.uptime() - before).toBeGreaterThan(3600);
    expect(scene.complaints()).not.toMatch(/BUG|rcu:|INFO/);
  }, 120_000);

  test('real: a busy guest makes up for an hour, again and again, and no watchdog of it takes fright', () => {
    scene.guest.type(new TextEncoder().encode('while :; do :; done &\n'));
    scene.guest.type(
      new TextEncoder().encode(
        'while :; do dd if=/dev/zero bs=1M count=4 2>/dev/null | md5sum; done >/dev/null &\n',
      ),
    );
    scene.until('no such text', 20);
    const before = scene.uptime();
    for (let i = 0; i < 2; i += 1) {
      scene.passed += HOUR;
      expect(scene.until('no such text', 110)).not.toMatch(COMPLAINTS);
    }
    expect(scene.uptime() - before).toBeGreaterThan(2 * 3600);
    expect(scene.complaints()).not.toMatch(/BUG|rcu:|INFO/);
  }, 120_000);

  test('suspended: it stands still, but for idle time up to its timer', () => {
    scene.restored('suspended', prompt);
    const before = scene.uptime();
    scene.passed += HOUR;
    expect(scene.uptime() - before).toBeLessThan(60);
    scene.settle();
    scene.guest.skipIdle(HOUR);
    const after = scene.uptime();
    expect(after - before).toBeGreaterThan(3600);
    expect(after - before).toBeLessThan(2 * 3600);
    expect(scene.complaints()).not.toMatch(/BUG|rcu:|INFO/);
  }, 120_000);

  test('deterministic: the caller has no clock at all', () => {
    const run = (passed: bigint): Uint8Array => {
      const other = new Scene('deterministic');
      other.passed = passed;
      other.guest.run({ instructions: 50_000_000 });
      other.passed += passed;
      other.guest.run({ instructions: 50_000_000 });
      return other.guest.save();
    };
    expect(run(HOUR)).toEqual(run(0n));
  }, 120_000);
});
