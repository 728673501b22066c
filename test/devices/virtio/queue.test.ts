import { BusError } from '../../../engine/devices/device';
import { VirtioFault } from '../../../engine/devices/virtio/chain';
import { Virtqueue } from '../../../engine/devices/virtio/queue';
import { RAM_BASE, TestRam } from './ram';

const DESCRIPTORS = RAM_BASE;
const DRIVER = RAM_BASE + 0x1000;
const DEVICE = RAM_BASE + 0x2000;
const TABLE = RAM_BASE + 0x3000;
const DATA = RAM_BASE + 0x4000;
const SIZE = 8;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

const make = (eventIndex = false, indirect = true) => {
  const ram = new TestRam(0x8000);
  const queue = new Virtqueue(ram, SIZE);
  queue.descriptorArea = BigInt(DESCRIPTORS);
  queue.driverArea = BigInt(DRIVER);
  queue.deviceArea = BigInt(DEVICE);
  queue.enable({ eventIndex, indirect });
  const describe_ = (at: number, address: number | bigint, length: number, flags = 0, next = 0): void => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(address), true);
    view.setUint32(8, length, true);
    view.setUint16(12, flags, true);
    view.setUint16(14, next, true);
    ram.poke(at, bytes);
  };
  const u16 = (at: number, value: number): void => ram.poke(at, Uint8Array.of(value, value >> 8));
  const offer = (index: number, head: number): void => {
    u16(DRIVER + 4 + 2 * (index % SIZE), head);
    u16(DRIVER + 2, (index + 1) & 0xffff);
  };
  return { ram, queue, descriptor: describe_, u16, offer };
};
type Made = ReturnType<typeof make>;

describe('chains that break a rule', () => {
  const cases: [string, (made: Made) => void][] = [
    ['a head beyond the table', ({ offer }) => offer(0, SIZE)],
    [
      'a next beyond the table',
      ({ descriptor, offer }) => (descriptor(DESCRIPTORS, DATA, 4, NEXT, 8), offer(0, 0)),
    ],
    ['a loop', ({ descriptor, offer }) => (descriptor(DESCRIPTORS, DATA, 4, NEXT, 0), offer(0, 0))],
    ['a buffer below RAM', ({ descriptor, offer }) => (descriptor(DESCRIPTORS, 0, 4), offer(0, 0))],
    [
      'a buffer over RAM’s end',
      ({ descriptor, offer }) => (descriptor(DESCRIPTORS, DATA, 0xffffffff), offer(0, 0)),
    ],
    [
      'an address above 2^53',
      ({ descriptor, offer }) => (descriptor(DESCRIPTORS, (1n << 64n) - 1n, 4), offer(0, 0)),
    ],
    [
      'readable after writable',
      ({ descriptor, offer }) => {
        descriptor(DESCRIPTORS, DATA, 4, NEXT | WRITE, 1);
        descriptor(DESCRIPTORS + 16, DATA, 4);
        offer(0, 0);
      },
    ],
    [
      'an indirect table in an indirect table',
      ({ descriptor, offer }) => {
        descriptor(DESCRIPTORS, TABLE, 16, INDIRECT);
        descriptor(TABLE, TABLE, 16, INDIRECT);
        offer(0, 0);
      },
    ],
    [
      'an indirect descriptor that goes on',
      ({ descriptor, offer }) => {
        descriptor(DESCRIPTORS, TABLE, 16, INDIRECT | NEXT, 1);
        descriptor(TABLE, DATA, 16);
        offer(0, 0);
      },
    ],
    [
      'an empty indirect table',
      ({ descriptor, offer }) => (descriptor(DESCRIPTORS, TABLE, 0, INDIRECT), offer(0, 0)),
    ],
    [
      'a crooked indirect table',
      ({ descriptor, offer }) => (descriptor(DESCRIPTORS, TABLE, 24, INDIRECT), offer(0, 0)),
    ],
    [
      'an indirect table of 2^28 entries',
      ({ descriptor, offer }) => (descriptor(DESCRIPTORS, TABLE, 0xfffffff0, INDIRECT), offer(0, 0)),
    ],
    [
      'an indirect table outside RAM',
      ({ descriptor, offer }) => (descriptor(DESCRIPTORS, 16, 32, INDIRECT), offer(0, 0)),
    ],
    [
      'a loop in an indirect table',
      ({ descriptor, offer }) => {
        descriptor(DESCRIPTORS, TABLE, 32, INDIRECT);
        descriptor(TABLE, DATA, 4, NEXT, 1);
        descriptor(TABLE + 16, DATA, 4, NEXT, 0);
        offer(0, 0);
      },
    ],
    ['more buffers than the queue holds', ({ u16 }) => u16(DRIVER + 2, SIZE + 1)],
  ];
  test.each(cases)('%s is a fault', (_, arrange) => {
    const made = make();
    arrange(made);
    let error: unknown;
    try {
      if (made.queue.waiting() > 0) made.queue.take();
    } catch (caught) {
      error = caught;
    }
    expect(error instanceof VirtioFault || error instanceof BusError).toBe(true);
    made.ram.check();
  });

  test('an indirect table is a fault unless it was negotiated', () => {
    const { queue, descriptor, offer } = make(false, false);
    descriptor(DESCRIPTORS, TABLE, 16, INDIRECT);
    descriptor(TABLE, DATA, 16);
    offer(0, 0);
    expect(() => queue.take()).toThrow(VirtioFault);
  });
});

test('direct descriptors may end in an indirect table', () => {
  const { queue, descriptor, offer, ram } = make();
  ram.poke(DATA, Uint8Array.of(1, 2, 3, 4));
  descriptor(DESCRIPTORS + 32, DATA, 2, NEXT, 5);
  descriptor(DESCRIPTORS + 80, TABLE, 48, INDIRECT);
  descriptor(TABLE, DATA + 2, 2, NEXT, 2);
  descriptor(TABLE + 32, DATA + 8, 3, WRITE);
  offer(0, 2);
  expect(queue.waiting()).toBe(1);
  const chain = queue.take();
  expect([...chain.readable.take(4)]).toEqual([1, 2, 3, 4]);
  chain.writable.write(Uint8Array.of(7, 8));
  queue.give(chain);
  expect([...ram.view(DATA + 8, 3)]).toEqual([7, 8, 0]);
  expect([...ram.view(DEVICE + 2, 10)]).toEqual([1, 0, 2, 0, 0, 0, 2, 0, 0, 0]);
  expect(() => chain.writable.write(new Uint8Array(2))).toThrow(VirtioFault);
  expect(() => chain.readable.take(1)).toThrow(VirtioFault);
});

describe('areas', () => {
  const set = (change: (queue: Virtqueue) => void) => () => {
    const { queue } = make();
    queue.disable();
    change(queue);
    queue.enable({ eventIndex: true, indirect: true });
  };
  test.each<[string, (queue: Virtqueue) => void]>([
    ['a crooked descriptor table', (queue) => (queue.descriptorArea += 8n)],
    ['a crooked driver area', (queue) => (queue.driverArea += 1n)],
    ['a crooked device area', (queue) => (queue.deviceArea += 2n)],
    ['an area over RAM’s end', (queue) => (queue.deviceArea = BigInt(RAM_BASE + 0x8000 - 64))],
    ['an address of 64 bits', (queue) => (queue.driverArea = (1n << 64n) - 2n)],
    ['a size of zero', (queue) => (queue.size = 0)],
    ['a size that is no power of two', (queue) => (queue.size = 6)],
    ['a size above the maximum', (queue) => (queue.size = 16)],
  ])('%s is a fault', (_, change) => {
    expect(set(change)).toThrow(VirtioFault);
  });
  test('the size that the driver chose counts', () => {
    expect(set((queue) => (queue.size = 4))).not.toThrow();
  });
});

describe('interrupts', () => {
  const serve = ({ queue }: Made, count: number): boolean => {
    for (let index = 0; index < count; index++) queue.give(queue.take());
    return queue.settle();
  };
  test('without event index: one flag', () => {
    const made = make();
    made.descriptor(DESCRIPTORS, DATA, 1);
    made.offer(0, 0);
    expect(serve(made, 1)).toBe(true);
    expect(made.queue.settle()).toBe(false); // nothing new
    made.u16(DRIVER, 1);
    made.offer(1, 0);
    expect(serve(made, 1)).toBe(false);
  });
  test('with event index: when the index that the driver named is passed, also around 2^16', () => {
    const made = make(true);
    made.descriptor(DESCRIPTORS, DATA, 1);
    for (let index = 0; index < 0x10000 + 20; index++) {
      // Wants to hear of every third buffer.
      const event = Math.floor(index / 3) * 3 + 2;
      made.u16(DRIVER + 4 + 2 * SIZE, event & 0xffff);
      made.offer(index, 0);
      expect(made.queue.waiting()).toBe(1);
      if (serve(made, 1) !== (index === event)) throw new Error(`interrupt at ${index}`);
      expect(made.ram.readU16(DEVICE + 4 + 8 * SIZE)).toBe((index + 1) & 0xffff);
    }
  });
});
