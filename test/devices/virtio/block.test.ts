import fc from 'fast-check';
import { CopyOnWriteDisk } from '../../../engine/backends/disk';
import { VirtioBlock } from '../../../engine/devices/virtio/block';
import { FEATURE, start, TRANSPORTS, type DriverQueue, type Part } from './driver';

const SIZE = 64 * 1024;
const SECTORS = SIZE / 512;
const image = Uint8Array.from({ length: SIZE }, (_, index) => (index * 7 + (index >> 9)) & 0xff);
const makeDisk = (): CopyOnWriteDisk => new CopyOnWriteDisk({ name: 'disk0', base: image.slice() });

const header = (type: number, sector: number | bigint): Uint8Array => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, type, true);
  new DataView(bytes.buffer).setBigUint64(8, BigInt(sector), true);
  return bytes;
};
const range = (sector: number, sectors: number, flags = 0): Uint8Array => {
  const bytes = header(0, 0);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(sector), true);
  new DataView(bytes.buffer).setUint32(8, sectors, true);
  new DataView(bytes.buffer).setUint32(12, flags, true);
  return bytes;
};
const request = (
  queue: DriverQueue,
  type: number,
  sector: number | bigint,
  data: readonly Part[] = [],
  indirect = false,
) => {
  const { bytes, length } = queue.exchange([{ out: header(type, sector) }, ...data, { in: 1 }], indirect);
  return { status: bytes.at(-1), data: bytes.subarray(0, -1), length };
};

describe.each(TRANSPORTS)('virtio-block over %s', (_, put) => {
  const make = (options: { readOnly?: boolean; serial?: string; without?: bigint } = {}) => {
    const disk = makeDisk();
    const bench = put(new VirtioBlock({ disk, ...options }));
    const [queue] = start(bench, 1, options.without === undefined ? {} : { without: options.without });
    return { disk, queue: queue!, ...bench };
  };

  test('configuration tells capacity, block size and limits', () => {
    const { port } = make();
    expect(port.deviceId()).toBe(2);
    expect(port.config(0, 4)).toBe(SECTORS);
    expect(port.config(4, 4)).toBe(0);
    expect(port.config(12, 4)).toBe(254);
    expect(port.config(20, 4)).toBe(512);
    expect(port.config(24, 1)).toBe(3);
    expect(port.config(0x80, 4)).toBe(0);
  });

  test('any sequence of reads, writes, discards and zeroes does what an array does', () => {
    const piece = fc.tuple(fc.nat(SECTORS - 1), fc.integer({ min: 1, max: 12 }));
    const step = fc.record({
      kind: fc.constantFrom('read', 'write', 'discard', 'zero'),
      at: piece,
      fill: fc.nat(255),
      split: fc.integer({ min: 1, max: 3 }),
      indirect: fc.boolean(),
    });
    const masks = fc.constantFrom(
      0n,
      FEATURE.eventIndex,
      FEATURE.indirect,
      FEATURE.indirect | FEATURE.eventIndex,
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), masks, (steps, without) => {
        const model = image.slice();
        const { queue, disk, ram, line, port } = make({ without });
        for (const {
          kind,
          at: [sector, wanted],
          fill,
          split,
          indirect: wish,
        } of steps) {
          const indirect = wish && !(without & FEATURE.indirect);
          const sectors = Math.min(wanted, SECTORS - sector);
          const bytes = sectors * 512;
          // Borders between descriptors fall anywhere, not only between sectors (section 2.7.4.1).
          const sizes = Array.from({ length: split }, (_unused, index) =>
            index < split - 1 ? 100 : bytes - 100 * (split - 1),
          );
          ram.forget();
          if (kind === 'read') {
            const got = request(
              queue,
              0,
              sector,
              sizes.map((size) => ({ in: size })),
              indirect,
            );
            expect(got.status).toBe(0);
            expect(got.length).toBe(bytes + 1);
            expect(Buffer.compare(got.data, model.subarray(sector * 512, sector * 512 + bytes))).toBe(0);
          } else if (kind === 'write') {
            const data = Uint8Array.from({ length: bytes }, (_unused, index) => (index + fill) & 0xff);
            let from = 0;
            const parts = sizes.map((size) => ({ out: data.subarray(from, (from += size)) }));
            expect(request(queue, 1, sector, parts, indirect)).toMatchObject({ status: 0, length: 1 });
            model.set(data, sector * 512);
          } else {
            const type = kind === 'discard' ? 11 : 13;
            expect(request(queue, type, 0, [{ out: range(sector, sectors) }], indirect).status).toBe(0);
            model.fill(0, sector * 512, sector * 512 + bytes);
          }
          expect(line.asserted).toBe(true);
          expect(port.interruptStatus()).toBe(1);
          expect(line.asserted).toBe(false);
        }
        const whole = new Uint8Array(SIZE);
        disk.readAt(0, whole);
        expect(Buffer.compare(whole, model)).toBe(0);
        ram.check();
      }),
      { numRuns: 60 },
    );
  });

  test('identity, flush, and what is not supported', () => {
    const { queue } = make({ serial: 'root' });
    const { status, data } = request(queue, 8, 0, [{ in: 20 }]);
    expect(status).toBe(0);
    expect(Buffer.from(data).toString()).toBe('root'.padEnd(20, '\0'));
    expect(request(queue, 4, 0).status).toBe(0);
    expect(request(queue, 99, 0).status).toBe(2);
    expect(request(queue, 11, 0, [{ out: range(0, 1, 1) }]).status).toBe(2); // unmap flag in a discard
    expect(request(queue, 13, 0, [{ out: range(0, 1, 1) }]).status).toBe(0);
  });

  test('transfers outside the disk or of half sectors fail and change nothing', () => {
    const { queue, disk } = make();
    const cases: [number, number | bigint, Part[]][] = [
      [0, SECTORS, [{ in: 512 }]],
      [0, SECTORS - 1, [{ in: 1024 }]],
      [0, (1n << 64n) - 1n, [{ in: 512 }]],
      [0, 0, [{ in: 100 }]],
      [1, SECTORS, [{ out: new Uint8Array(512) }]],
      [1, (1n << 55n) - 1n, [{ out: new Uint8Array(512) }]],
      [1, 0, [{ out: new Uint8Array(511) }]],
      [11, 0, [{ out: range(SECTORS - 1, 2) }]],
      [13, 0, [{ out: range(0, 0xffffffff) }]],
    ];
    for (const [type, sector, parts] of cases) expect(request(queue, type, sector, parts).status).toBe(1);
    expect(disk.dirty()).toEqual([]);
  });

  test('a read-only disk says so and refuses to be written', () => {
    const { queue, disk, port } = make({ readOnly: true });
    expect(port.offered() & (1n << 5n)).not.toBe(0n);
    expect(request(queue, 1, 0, [{ out: new Uint8Array(512) }]).status).toBe(1);
    expect(request(queue, 13, 0, [{ out: range(0, 1) }]).status).toBe(1);
    expect(request(queue, 0, 0, [{ in: 512 }]).status).toBe(0);
    expect(disk.dirty()).toEqual([]);
  });

  test('only buffers that the driver gave for writing, and the device area, are written', () => {
    const { queue, ram } = make();
    ram.forget();
    const { places } = queue.add([{ out: header(0, 3) }, { in: 300 }, { in: 212 }, { in: 1 }]);
    queue.kick();
    const allowed = [
      [places[0]!, 300],
      [places[1]!, 212],
      [places[2]!, 1],
      [queue.device, 6 + 8 * queue.size],
    ] as const;
    expect(ram.written.length).toBeGreaterThan(3);
    for (const { address, length } of ram.written) {
      expect(allowed.some(([at, size]) => address >= at && address + length <= at + size)).toBe(true);
    }
  });

  test('a request without room for its status asks for a reset, and works after one', () => {
    const bench = make();
    bench.queue.add([{ out: header(0, 0) }]);
    bench.queue.kick();
    expect(bench.port.getStatus()).toBe(0x4f);
    expect(bench.line.asserted).toBe(true);
    expect(bench.port.interruptStatus()).toBe(2);
    expect(bench.queue.used()).toEqual([]);
    bench.ram.bytes.fill(0);
    bench.ram.poke(0x80000000, new Uint8Array(bench.ram.size));
    const [again] = start(bench, 1);
    expect(request(again!, 0, 1, [{ in: 512 }]).status).toBe(0);
  });

  test('goes on after save and restore in another machine', () => {
    const first = make();
    request(first.queue, 1, 5, [{ out: new Uint8Array(512).fill(9) }]);
    const second = put(new VirtioBlock({ disk: first.disk }), first.ram);
    second.saved.restore(first.saved.save());
    expect(second.saved.save()).toEqual(first.saved.save());
    first.queue.add([{ out: header(0, 5) }, { in: 512 }, { in: 1 }]);
    const before = second.ram.readU16(first.queue.device + 2);
    second.port.notify(0);
    expect(second.ram.readU16(first.queue.device + 2)).toBe(before + 1);
    expect(second.line.asserted).toBe(true);
  });
});

test('a disk of a size that is no multiple of a sector, or a serial that does not fit, is refused', () => {
  const disk = { ...makeDisk(), size: 1000 } as unknown as CopyOnWriteDisk;
  expect(() => new VirtioBlock({ disk })).toThrow(/multiple of 512/);
  expect(() => new VirtioBlock({ disk: makeDisk(), serial: 'x'.repeat(21) })).toThrow(/20 printable/);
});
