/** Guests that mean harm harm themselves alone: whatever they do, the host goes on, and so do other guests. */
import fc from 'fast-check';
import { guestFactory } from '../../engine/models/create';
import type { Guest, MachineDefinition } from '../../engine/models/guest';
import { RAM_BASE } from '../../engine/models/machine/memory-map';
import { Random } from '../differential/random';
import * as a from './assembly';
import { MemoryCheckpoint, fingerprint } from './debian';
import {
  PCI_CONSOLE,
  PCI_RNG,
  VIRTIO_MMIO_DISK,
  hostileProgram,
  notifyForEver,
  type Notifications,
} from './hostile-program';
import { describeFile, noHost } from './raw-guest';

const MEBIBYTE = 2 ** 20;
const DISKS = 9; // eight in mmio slots, one behind PCI
const disk = Uint8Array.from({ length: 65536 }, (_, index) => (index * 2654435761) >>> 24);

function create(firmware: Uint8Array, more: Partial<MachineDefinition> = {}): Guest {
  const file = describeFile('hostile.bin', firmware);
  const disks = Array.from({ length: DISKS }, () => disk);
  const definition: MachineDefinition = {
    version: 1,
    model: 'machine',
    memory: 16 * MEBIBYTE,
    clock: 'deterministic',
    firmware: file,
    disks: disks.map(() => file),
    ...more,
  };
  return guestFactory(noHost)(definition, { firmware, disks });
}

interface Driven {
  output: number;
  results: number;
  end: string;
}

/** Runs to a count of instructions in random pieces, and holds every run against its budget. */
function drive(guest: Guest, to: number, random: Random, between: () => void = () => undefined): Driven {
  const driven: Driven = { output: 0, results: 0, end: 'budget' };
  while (guest.instructions < to) {
    const asked = Math.min(to - guest.instructions, 1 + random.below(random.pick([10, 1000, 60_000])));
    const before = guest.instructions;
    const exit = guest.run({ instructions: asked });
    const executed = guest.instructions - before;
    const output = guest.takeOutput().length;
    driven.output += output;
    driven.results += guest.takeResults().length;
    between();
    if (exit.reason === 'budget') {
      // A console that nobody empties ends a run early, and nothing else does.
      if (output < MEBIBYTE) expect(executed).toBe(asked);
      continue;
    }
    expect(executed).toBeLessThanOrEqual(asked);
    driven.end = exit.reason;
    if (exit.reason !== 'idle' || exit.wakeAfter === undefined) break;
    guest.skipIdle(exit.wakeAfter);
  }
  return driven;
}

/** Counts, hashes into memory, and says so on the console now and then, by timer interrupts. */
function honestProgram(): Uint8Array {
  const { t0, t1, t2, a0, a1, zero } = a.reg;
  const handler = [
    ...a.li(t0, 0x200_bff8),
    a.load(3, t1, t0),
    a.addi(t1, t1, 700),
    ...a.li(t0, 0x200_4000),
    a.store(3, t1, t0),
    ...a.li(t0, 0x1000_0000),
    a.store(0, a0, t0),
    a.mret,
  ];
  const work = [
    a.addi(a0, a0, 77),
    a.xor(a1, a1, a0),
    a.store(3, a1, t2),
    a.load(3, a1, t2),
    a.addi(t2, t2, 8),
  ];
  return a.assemble([
    a.auipc(t0, 0),
    a.addi(t0, t0, 16),
    a.csr(1, zero, 0x305, t0),
    a.jal(zero, 4 + 4 * handler.length),
    ...handler,
    ...a.li(t0, 0x200_4000),
    a.store(3, zero, t0),
    ...a.li(t2, RAM_BASE + MEBIBYTE),
    ...a.li(t0, 0x88),
    a.csr(1, zero, 0x304, t0),
    a.csr(2, zero, 0x300, t0),
    ...work,
    a.jal(zero, -4 * work.length),
  ]);
}

const seeds = (): fc.Arbitrary<number> => fc.noShrink(fc.integer());

describe('a hostile guest', () => {
  const honest = honestProgram();
  let undisturbed: string;
  const HONEST_PIECE = 997;

  test('keeps its budget to the instruction, and its save restores to what goes on as it does', () => {
    const exits = new Map<string, number>();
    const reached = { output: 0, flash: 0 };
    fc.assert(
      fc.property(seeds(), (seed) => {
        const program = hostileProgram(seed);
        const guest = create(program);
        const driven = drive(guest, 300_000, new Random(seed));
        for (const [cause, count] of Object.entries(guest.exits))
          exits.set(cause, (exits.get(cause) ?? 0) + count);
        expect(driven.output).toBeLessThan(8 * MEBIBYTE);
        const dirty = (name: RegExp): number =>
          guest.spaces.some((space) => name.test(space.name) && space.dirty().length > 0) ? 1 : 0;
        reached.output += driven.output;
        reached.flash += dirty(/^flash/);
        if (driven.end === 'halted') return;

        const checkpoint = new MemoryCheckpoint();
        checkpoint.take(guest);
        const other = create(program);
        checkpoint.apply(other);
        expect(fingerprint(other)).toBe(fingerprint(guest));
        const goOn = (it: Guest): Driven => drive(it, 350_000, new Random(seed + 1));
        expect(goOn(other)).toEqual(goOn(guest));
        expect(fingerprint(other)).toBe(fingerprint(guest));
      }),
      { numRuns: 40, endOnFailure: true },
    );
    // The acts did reach what they aim at.
    const causes = [
      'mmio-read',
      'mmio-write',
      'page-walk',
      'wfi',
      'tlb-flush',
      'ecall-supervisor',
      'ecall-user',
    ];
    for (const cause of causes) expect(exits.get(cause)).toBeGreaterThan(10);
    expect(reached.output).toBeGreaterThan(1000);
    expect(reached.flash).toBeGreaterThan(0);
  });

  test('leaves another guest of the same process as it is, bit by bit', () => {
    const run = (between: () => void): string => {
      const guest = create(honest);
      let output = '';
      for (let piece = 0; piece < 400; piece++) {
        guest.run({ instructions: HONEST_PIECE });
        output += Buffer.from(guest.takeOutput()).toString('hex');
        between();
      }
      expect(output.length).toBeGreaterThan(20);
      return output + fingerprint(guest);
    };
    undisturbed ??= run(() => undefined);
    fc.assert(
      fc.property(seeds(), (seed) => {
        const random = new Random(seed);
        const hostile = create(hostileProgram(seed));
        const disturbed = run(() => drive(hostile, hostile.instructions + 500, random));
        expect(disturbed).toBe(undisturbed);
      }),
      { numRuns: 6, endOnFailure: true },
    );
  });

  describe('that lets a device do as much as one notification can, over and over,', () => {
    const flood = (notifications: Notifications): Guest => {
      const guest = create(notifyForEver(notifications), { memory: 64 * MEBIBYTE });
      return guest;
    };
    /** Runs once with an endless budget and time for nothing but to begin. */
    const expireSoon = (guest: Guest): number => {
      const began = performance.now();
      let asked = 0;
      const exit = guest.run({ instructions: 1e9, expired: () => ++asked > 2 });
      expect(exit.reason).toBe('budget');
      return performance.now() - began;
    };
    const reading = [{ length: 16 }, { length: 65_536 - 512, write: true }, { length: 1, write: true }];

    test('is stopped soon after its time is over: a disk that reads', () => {
      const guest = flood({ device: VIRTIO_MMIO_DISK, queue: 0, size: 256, chain: reading });
      expect(expireSoon(guest)).toBeLessThan(20_000);
      expect(guest.instructions).toBeLessThan(100_000);
    });

    test('and so it is with entropy', () => {
      const chain = [{ length: 65_536, write: true }];
      const guest = flood({ device: PCI_RNG, queue: 0, size: 8, chain });
      expect(expireSoon(guest)).toBeLessThan(20_000);
      expect(guest.instructions).toBeLessThan(100_000);
    });

    test.each([
      ['the console', 1],
      ['its events', 5],
    ])('it fills no more memory than a notification takes: %s', (_name, queue) => {
      const guest = flood({ device: PCI_CONSOLE, queue, size: 64, chain: [{ length: 32_768 }] });
      for (let round = 0; round < 3; round++) {
        expect(guest.run({ instructions: 50_000_000 }).reason).toBe('budget');
        const output = guest.takeOutput();
        const results = guest.takeResults();
        expect(output.length + results.length).toBeGreaterThan(1000);
        expect(output.length).toBeLessThanOrEqual(3 * MEBIBYTE);
        expect(results.length).toBeLessThanOrEqual(65_536);
      }
    });

    test('it gets a device that needs a reset, for more than that', () => {
      const guest = flood({ device: PCI_CONSOLE, queue: 1, size: 64, chain: [{ length: 40_000 }] });
      expect(guest.run({ instructions: 1_000_000 }).reason).toBe('budget');
      expect(guest.takeOutput().length).toBeLessThanOrEqual(2 * MEBIBYTE);
      expect(guest.run({ instructions: 1_000_000 }).reason).toBe('budget');
      expect(guest.takeOutput().length).toBe(0);
    });
  });
});
