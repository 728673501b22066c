/**
 * Drivers that mean harm. Whatever a guest puts into its memory and registers,
 * the device neither throws nor hangs, changes nothing outside that memory,
 * and works again after a reset.
 */
import fc from 'fast-check';
import { CopyOnWriteDisk } from '../../../engine/backends/disk';
import { SeededRandom } from '../../../engine/backends/random';
import { VirtioBlock } from '../../../engine/devices/virtio/block';
import { VirtioConsole } from '../../../engine/devices/virtio/console';
import type { VirtioDevice } from '../../../engine/devices/virtio/device';
import { VirtioRng } from '../../../engine/devices/virtio/rng';
import { FEATURE, start, TRANSPORTS, type Bench } from './driver';
import { RAM_BASE, TestRam } from './ram';

const RAM_SIZE = 1 << 18;
const SIZE = 16;
const DISK_BYTES = 1 << 16;

const DEVICES: [string, () => VirtioDevice][] = [
  ['block', () => new VirtioBlock({ disk: new CopyOnWriteDisk({ name: 'disk0', size: DISK_BYTES }) })],
  ['rng', () => new VirtioRng(new SeededRandom(5))],
  ['console', () => new VirtioConsole({ ports: ['events'], onOutput: () => {} })],
];

/** Where queue `index` has its three areas, all within a few pages so that buffers run into them. */
const areas = (index: number) => {
  const at = RAM_BASE + index * 0x1000;
  return { descriptors: at, driver: at + 0x400, device: at + 0x800 };
};
const DATA = RAM_BASE + 0x8000;

const littleEndian = (value: bigint, width: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value));
  return bytes.reverse().subarray(0, width);
};

const address = fc.oneof(
  { weight: 6, arbitrary: fc.nat(0x4000).map((offset) => BigInt(DATA + offset)) },
  { weight: 3, arbitrary: fc.nat(0x8000).map((offset) => BigInt(RAM_BASE + offset)) }, // rings and tables
  {
    weight: 1,
    arbitrary: fc.constantFrom(0n, BigInt(RAM_BASE - 1), BigInt(RAM_BASE + RAM_SIZE - 8), (1n << 64n) - 1n),
  },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) },
);
const length = fc.oneof(
  fc.constantFrom(0, 1, 8, 16, 17, 32, 512, 1024, 4096),
  fc.nat(0x1000),
  fc.constantFrom(0x10000, 0x3f000, 0x7fffffff, 0xffffffff, 0xfffffff0),
);
const descriptor = fc.record({
  slot: fc.nat(SIZE - 1),
  address,
  length,
  flags: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(0, 1, 2, 3, 4) },
    { weight: 1, arbitrary: fc.nat(0xffff) },
  ),
  next: fc.oneof({ weight: 6, arbitrary: fc.nat(SIZE - 1) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
});
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('descriptor' as const), queue: fc.nat(5), descriptor }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('offer' as const),
      queue: fc.nat(5),
      head: fc.oneof({ weight: 9, arbitrary: fc.nat(SIZE - 1) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
      more: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(1, 1, 2, 5) },
        { weight: 1, arbitrary: fc.nat(0xffff) },
      ),
    }),
  },
  // A request of a block device, well-formed as far as later steps leave it: header, data, status. Others fit into it too.
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      queue: fc.nat(5),
      slot: fc.nat(SIZE - 4),
      type: fc.nat(14),
      size: fc.constantFrom(0, 16, 512, 1024, 700),
      write: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('words' as const),
      offset: fc.nat(0x400),
      words: fc.array(fc.nat(14), { maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('bytes' as const),
      offset: fc.nat(RAM_SIZE - 64),
      bytes: fc.uint8Array({ maxLength: 64 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('notify' as const), queue: fc.nat(6) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('input' as const),
      port: fc.nat(1),
      bytes: fc.uint8Array({ maxLength: 64 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('status' as const), value: fc.nat(0xff) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const setUp = (bench: Bench, features: bigint): void => {
  const { port } = bench;
  port.setStatus(0);
  port.setStatus(3);
  port.accept(port.offered() & features);
  port.setStatus(11);
  for (let index = 0; index < 6 && port.queueMaximum(index) > 0; index++) {
    const { descriptors, driver, device } = areas(index);
    port.enable(
      index,
      Math.min(SIZE, port.queueMaximum(index)),
      BigInt(descriptors),
      BigInt(driver),
      BigInt(device),
    );
  }
  port.setStatus(15);
};

const writeDescriptor = (
  ram: TestRam,
  at: number,
  fields: { address: bigint; length: number; flags: number; next: number },
): void => {
  ram.poke(at, littleEndian(fields.address, 8));
  ram.poke(at + 8, littleEndian(BigInt(fields.length), 4));
  ram.poke(at + 12, littleEndian(BigInt(fields.flags), 2));
  ram.poke(at + 14, littleEndian(BigInt(fields.next), 2));
};
const offer = (ram: TestRam, queue: number, head: number, more: number): void => {
  const { driver } = areas(queue);
  const index = ram.readU16(driver + 2);
  ram.poke(driver + 4 + 2 * (index % SIZE), littleEndian(BigInt(head), 2));
  ram.poke(driver + 2, littleEndian(BigInt(index + more), 2));
};

const perform = (bench: Bench, action: Step): void => {
  const { ram, port, device } = bench;
  const queues = device.queueSizes.length;
  switch (action.do) {
    case 'descriptor': {
      const at = areas(action.queue % queues).descriptors + 16 * action.descriptor.slot;
      writeDescriptor(ram, at, action.descriptor);
      break;
    }
    case 'offer':
      offer(ram, action.queue % queues, action.head, action.more);
      break;
    case 'request': {
      const { slot, size } = action;
      const at = areas(action.queue % queues).descriptors + 16 * slot;
      const flags = action.write ? 3 : 1;
      writeDescriptor(ram, at, { address: BigInt(DATA), length: 16, flags: 1, next: slot + 1 });
      writeDescriptor(ram, at + 16, { address: BigInt(DATA + 64), length: size, flags, next: slot + 2 });
      writeDescriptor(ram, at + 32, { address: BigInt(DATA + 32), length: 1, flags: 2, next: 0 });
      ram.poke(DATA, Uint8Array.of(action.type, 0, 0, 0, 0, 0, 0, 0, slot, 0, 0, 0, 0, 0, 0, 0));
      offer(ram, action.queue % queues, slot, 1);
      break;
    }
    case 'words':
      ram.poke(DATA + action.offset, new Uint8Array(Uint32Array.from(action.words).buffer));
      break;
    case 'bytes':
      ram.poke(RAM_BASE + action.offset, action.bytes);
      break;
    case 'notify':
      port.notify(action.queue % (queues + 1));
      break;
    case 'input':
      if (device instanceof VirtioConsole) device.receive(action.port, action.bytes);
      break;
    case 'status':
      port.setStatus(action.value);
      break;
  }
};

const features = fc.constantFrom(
  FEATURE.version1,
  FEATURE.version1 | FEATURE.eventIndex,
  FEATURE.version1 | FEATURE.indirect,
  (1n << 64n) - 1n,
);

describe.each(TRANSPORTS)('over %s', (_, put) => {
  describe.each(DEVICES)('virtio-%s', (_name, build) => {
    let needed = 0;
    let worked = 0;

    test('random tables, rings and buffers', () => {
      fc.assert(
        fc.property(features, fc.array(step, { minLength: 5, maxLength: 60 }), (accepted, steps) => {
          const bench = put(build(), new TestRam(RAM_SIZE));
          setUp(bench, accepted);
          for (const action of steps) perform(bench, action);
          bench.ram.check();
          bench.saved.save();
          const status = bench.port.getStatus();
          if (status & 0x40) {
            needed++;
            if (status & 0x04) expect(bench.port.interruptStatus() & 2).toBe(2);
            // Nothing more is consumed until the reset (section 2.1.2).
            bench.ram.forget();
            for (let queue = 0; queue < 6; queue++) bench.port.notify(queue);
            expect(bench.ram.written).toEqual([]);
          } else if (bench.ram.written.length > 0) worked++;
          bench.ram.poke(RAM_BASE, new Uint8Array(RAM_SIZE));
          const [queue] = start(bench, 1);
          expect(bench.port.getStatus()).toBe(15);
          queue!.kick();
          expect(bench.port.getStatus()).toBe(15);
        }),
        { numRuns: 250 },
      );
    });

    test('the random traffic reached both outcomes', () => {
      expect(needed).toBeGreaterThan(5);
      expect(worked).toBeGreaterThan(5);
    });
  });

  test('a device area over the driver area, so that each answer offers another buffer, comes to an end', () => {
    const bench = put(DEVICES[1]![1](), new TestRam(RAM_SIZE));
    const { port, ram } = bench;
    port.setStatus(3);
    port.accept(FEATURE.version1);
    port.setStatus(11);
    port.enable(0, 8, BigInt(RAM_BASE), BigInt(RAM_BASE + 0x400), BigInt(RAM_BASE + 0x400));
    ram.poke(RAM_BASE + 0x402, Uint8Array.of(1, 0));
    port.setStatus(15);
    port.notify(0);
    expect(ram.written.length).toBeLessThan(100);
    ram.check();
  });

  test('reads from disk into the driver area, so that each request offers the next, come to an end', () => {
    const disk = new CopyOnWriteDisk({ name: 'disk0', size: DISK_BYTES });
    // Sector n says: flags 0, idx n + 2, ring all zeros. The request's own sector number lies behind it.
    for (let sector = 0; sector < DISK_BYTES / 512; sector++) {
      const bytes = new Uint8Array(512);
      new DataView(bytes.buffer).setUint16(2, sector + 2, true);
      new DataView(bytes.buffer).setUint32(0x108, (sector + 1) % (DISK_BYTES / 512), true);
      disk.writeAt(sector * 512, bytes);
    }
    const bench = put(new VirtioBlock({ disk }), new TestRam(RAM_SIZE));
    const { port, ram } = bench;
    port.setStatus(3);
    port.accept(FEATURE.version1);
    port.setStatus(11);
    const driver = RAM_BASE + 0x400;
    port.enable(0, 8, BigInt(RAM_BASE), BigInt(driver), BigInt(RAM_BASE + 0x800));
    const put_ = (slot: number, at: number, size: number, flags: number, next: number): void => {
      ram.poke(RAM_BASE + 16 * slot, littleEndian(BigInt(at), 8));
      ram.poke(RAM_BASE + 16 * slot + 8, littleEndian(BigInt(size), 4));
      ram.poke(RAM_BASE + 16 * slot + 12, Uint8Array.of(flags, 0, next, 0));
    };
    put_(0, driver + 0x100, 16, 1, 1);
    put_(1, driver, 512, 3, 2);
    put_(2, RAM_BASE + 0xc00, 1, 2, 0);
    ram.poke(driver + 2, Uint8Array.of(1, 0));
    port.setStatus(15);
    expect(ram.readU16(RAM_BASE + 0x802)).toBe(1);
    port.notify(0);
    expect(ram.readU16(RAM_BASE + 0x802)).toBe(2); // it did go on, by one
    ram.check();
  });

  test('buffers of all of memory a thousand times over cost a bounded answer', () => {
    const table = RAM_BASE + 0x10000;
    for (const [, build] of DEVICES) {
      const bench = put(build(), new TestRam(RAM_SIZE));
      setUp(bench, (1n << 64n) - 1n);
      const { ram, port } = bench;
      for (let entry = 0; entry < 1024; entry++) {
        ram.poke(table + 16 * entry, littleEndian(BigInt(RAM_BASE), 8));
        ram.poke(table + 16 * entry + 8, littleEndian(BigInt(RAM_SIZE), 4));
        const last = entry === 1023 ? 0 : 1;
        ram.poke(
          table + 16 * entry + 12,
          Uint8Array.of((entry === 0 ? 0 : 2) | last, 0, (entry + 1) & 0xff, (entry + 1) >> 8),
        );
      }
      const { descriptors, driver } = areas(0);
      ram.poke(descriptors, littleEndian(BigInt(table), 8));
      ram.poke(descriptors + 8, littleEndian(16384n, 4));
      ram.poke(descriptors + 12, Uint8Array.of(4, 0, 0, 0));
      ram.poke(driver + 2, Uint8Array.of(SIZE, 0)); // sixteen times the same
      ram.forget();
      port.notify(0);
      const moved = ram.written.reduce((sum, { length: bytes }) => sum + bytes, 0);
      expect(moved).toBeLessThan(SIZE * 65536 + 4096);
      ram.check();
    }
  });
});
