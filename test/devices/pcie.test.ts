import fc from 'fast-check';
import { SeededRandom } from '../../engine/backends/random';
import { PcieHost } from '../../engine/devices/pcie';
import { PciFunction, configurationState } from '../../engine/devices/pci-function';
import { VirtioPci } from '../../engine/devices/virtio/pci';
import { VirtioRng } from '../../engine/devices/virtio/rng';
import { record } from '../../engine/snapshot/codec';
import { StateError } from '../../engine/snapshot/errors';
import { deviceContract, RecordingLine } from '../contract/device';
import { PciPort, start } from './virtio/driver';
import { TestRam } from './virtio/ram';

const layout = record('test-function', 1, { configuration: configurationState });

/** A function with a BAR of each kind; its registers answer with the BAR's number and the offset. */
class TestFunction extends PciFunction {
  readonly kind = layout.name;
  pending = false;
  readonly writes: [number, number, number][] = [];
  constructor(pin: 0 | 1 | 2 | 3 | 4 = 1) {
    super({
      vendorId: 0x1234,
      deviceId: 0x5678,
      revision: 2,
      classCode: 0xff0102,
      subsystemVendorId: 1,
      subsystemId: 2,
      interruptPin: pin,
      capabilities: [],
      baseAddresses: (
        [
          [0, 'io', 0x20],
          [1, 'memory32', 0x1000],
          [2, 'memory64', 0x4000],
        ] as const
      ).map(([index, space, size]) => ({
        index,
        space,
        size,
        read: (offset: number) => index * 0x10000 + offset,
        write: (offset: number, _size: number, value: number) => this.writes.push([index, offset, value]),
      })),
    });
  }
  protected get interruptPending(): boolean {
    return this.pending;
  }
  raise(pending: boolean): void {
    this.pending = pending;
    this.interruptChanged();
  }
  save(): Uint8Array {
    return layout.encode({ configuration: this.saveConfiguration() });
  }
  restore(payload: Uint8Array): void {
    const { configuration } = layout.decode(payload);
    this.checkConfiguration(configuration);
    this.restoreConfiguration(configuration);
  }
}

const make = () => {
  const lines = [0, 1, 2, 3].map(() => new RecordingLine());
  const host = new PcieHost({ interrupts: lines as never });
  const space = (slot: number, offset: number, size: 1 | 2 | 4 = 4) =>
    host.ecam.read(slot * 0x8000 + offset, size);
  const set = (slot: number, offset: number, value: number, size: 1 | 2 | 4 = 4) =>
    host.ecam.write(slot * 0x8000 + offset, size, value);
  return { host, lines, space, set };
};

test('slot 0 holds QEMU’s host bridge, and empty slots, functions and buses read all ones', () => {
  const { host, space } = make();
  expect(space(0, 0)).toBe(0x00081b36);
  expect(space(0, 8)).toBe(0x06000000);
  expect(space(0, 0x3d, 1)).toBe(0);
  expect([space(1, 0), space(1, 0, 2), space(1, 0, 1)]).toEqual([0xffffffff, 0xffff, 0xff]);
  expect(host.ecam.read(0x1000, 4)).toBe(0xffffffff); // function 1
  expect(host.ecam.read(0x100000, 4)).toBe(0xffffffff); // bus 1
  expect(host.ecam.read(0xffffffc, 4)).toBe(0xffffffff);
});

test('base addresses tell their size and kind, and decode where software puts them', () => {
  const { host, space, set } = make();
  const device = new TestFunction();
  host.attach(4, device);
  const sizes = [0x10, 0x14, 0x18, 0x1c, 0x20].map((offset) => {
    set(4, offset, 0xffffffff);
    return space(4, offset);
  });
  expect(sizes).toEqual([0xffffffe1, 0xfffff000, 0xffffc004, 0xffffffff, 0]);
  const nothing = () => [
    host.pio.read(0x1008, 4),
    host.mmio32.read(0x5008, 4),
    host.mmio64.read(0x3fff00008, 4),
  ];
  expect(nothing()).toEqual([0xffffffff, 0xffffffff, 0xffffffff]);
  set(4, 0x10, 0x1000);
  set(4, 0x14, 0x40005000);
  set(4, 0x18, 0xfff00000);
  set(4, 0x1c, 0x7);
  expect(nothing()).toEqual([0xffffffff, 0xffffffff, 0xffffffff]); // decoding is off
  set(4, 4, 0x3, 2);
  expect(nothing()).toEqual([0x8, 0x10008, 0x20008]);
  host.mmio64.write(0x3fff03ffc, 4, 0xdead);
  host.mmio32.write(0x4ffc, 4, 1); // just below
  host.mmio32.write(0x5ffe, 4, 1); // half outside
  expect(device.writes).toEqual([[2, 0x3ffc, 0xdead]]);
  set(4, 0x14, 0x7fff0000); // moved
  expect(host.mmio32.read(0x5008, 4)).toBe(0xffffffff);
  expect(host.mmio32.read(0x3fff0008, 4)).toBe(0x10008);
  set(4, 4, 0, 2);
  expect(host.mmio32.read(0x3fff0008, 4)).toBe(0xffffffff);
});

test('what is read-only stays', () => {
  const { host, space, set } = make();
  host.attach(1, new TestFunction());
  const before = Array.from({ length: 64 }, (_, index) => space(1, 4 * index));
  for (let offset = 0; offset < 256; offset++) set(1, offset, 0, 1);
  const zeroed = Array.from({ length: 64 }, (_, index) => space(1, 4 * index));
  expect(zeroed).toEqual(before);
  set(1, 0x3c, 0x55, 1);
  expect(space(1, 0x3c, 2)).toBe(0x155);
});

test('a 64-bit window elsewhere, as a machine with much memory has it', () => {
  const lines = [0, 1, 2, 3].map(() => new RecordingLine());
  const host = new PcieHost({ interrupts: lines as never, mmio64Base: 0x8_0000_0000 });
  host.attach(1, new TestFunction());
  host.ecam.write(0x8000 + 0x1c, 4, 8);
  host.ecam.write(0x8000 + 4, 2, 2);
  expect(host.mmio64.read(4, 4)).toBe(0x20004);
});

describe('INTx', () => {
  test('pins are turned by the slot, shared lines are OR-ed, and the command can mask', () => {
    const { host, lines, space, set } = make();
    const first = new TestFunction(1);
    const second = new TestFunction(4);
    host.attach(2, first); // INTA of slot 2: line 2
    host.attach(7, second); // INTD of slot 7: line 2
    const levels = () => lines.map((line) => line.asserted);
    first.raise(true);
    expect(levels()).toEqual([false, false, true, false]);
    expect(space(2, 6, 2) & 8).toBe(8);
    expect(space(7, 6, 2) & 8).toBe(0);
    second.raise(true);
    first.raise(false);
    expect(levels()).toEqual([false, false, true, false]);
    set(7, 4, 0x400, 2);
    expect(levels()).toEqual([false, false, false, false]);
    expect(space(7, 6, 2) & 8).toBe(8); // pending all the same
    set(7, 4, 0, 2);
    expect(levels()).toEqual([false, false, true, false]);
    second.raise(false);
    expect(levels()).toEqual([false, false, false, false]);
  });
});

describe('virtio-pci', () => {
  const makeRng = () => {
    const made = make();
    const ram = new TestRam(1 << 20);
    made.host.attach(1, new VirtioPci({ device: new VirtioRng(new SeededRandom(3)), memory: ram }));
    return { ...made, ram };
  };

  test('identity', () => {
    const { space } = makeRng();
    expect(space(1, 0)).toBe(0x10441af4);
    expect(space(1, 8)).toBe(0x00ff0001);
    expect(space(1, 0x2c)).toBe(0x11001af4);
    expect(space(1, 0x3d, 1)).toBe(1);
    expect(space(1, 6, 2) & 0x10).toBe(0x10);
    expect(space(1, 0x20) & 0xf).toBe(0xc); // BAR 4: 64-bit, prefetchable
  });

  test('touches no memory while it is not bus master, and catches up', () => {
    const { host, ram, set } = makeRng();
    const bench = { ram, port: new PciPort(host, 1) } as never;
    const [queue] = start(bench, 1);
    set(1, 4, 0x2, 2);
    ram.forget();
    queue!.add([{ in: 8 }]);
    queue!.kick();
    expect(ram.written).toEqual([]);
    set(1, 4, 0x6, 2);
    expect(queue!.used()).toEqual([{ head: 0, length: 8 }]);
  });

  test('the registers can be reached through the configuration space', () => {
    const { space, set } = makeRng();
    let at = space(1, 0x34, 1);
    while (space(1, at + 3, 1) !== 5) at = space(1, at + 1, 1);
    const through = (offset: number, length: number): void => {
      set(1, at + 4, 4, 1);
      set(1, at + 8, offset);
      set(1, at + 12, length);
    };
    through(0x14, 1);
    set(1, at + 16, 3, 1);
    expect(space(1, at + 16, 1)).toBe(3); // device_status
    through(0x12, 2);
    expect(space(1, at + 16, 2)).toBe(1); // num_queues
    for (const [offset, length] of [
      [0x14, 3],
      [0x15, 2],
      [0x4000, 4],
      [0xfffffffc, 4],
      [0, 0],
    ] as const) {
      through(offset, length);
      set(1, at + 16, 0);
      expect(() => space(1, at + 16)).not.toThrow();
    }
    through(0x14, 1);
    expect(space(1, at + 16, 1)).toBe(3);
  });

  test('any configuration traffic leaves the other function alone', () => {
    const write = fc.record({
      offset: fc.nat(0xfff),
      value: fc.nat(0xffffffff),
      size: fc.constantFrom(1, 2, 4),
    });
    fc.assert(
      fc.property(fc.array(write), (writes) => {
        const { host, space } = makeRng();
        host.attach(2, new TestFunction());
        for (const { offset, value, size } of writes)
          host.ecam.write(0x8000 + offset, size as 1 | 2 | 4, value);
        const fresh = new TestFunction();
        for (let offset = 0; offset < 256; offset += 4)
          expect(space(2, offset)).toBe(fresh.readConfiguration(offset, 4));
      }),
      { numRuns: 30 },
    );
  });
});

test('slots are checked, and a state of other functions is refused whole', () => {
  const one = make();
  one.host.attach(1, new TestFunction());
  expect(() => one.host.attach(1, new TestFunction())).toThrow(/free one/);
  expect(() => one.host.attach(0, new TestFunction())).toThrow(/free one/);
  expect(() => one.host.attach(32, new TestFunction())).toThrow(/free one/);
  const other = make();
  other.host.attach(2, new TestFunction());
  expect(() => other.host.ecam.restore(one.host.ecam.save())).toThrow(StateError);
  expect(() => other.host.attach(3, other.host.function(2)!)).toThrow(/one slot/);
});

deviceContract('PCIe host', () => {
  const { host, lines } = make();
  const device = new TestFunction();
  host.attach(3, device);
  const offsets = [0, 4, 6, 0x10, 0x14, 0x18, 0x1c, 0x3c].map((offset) => 3 * 0x8000 + offset);
  return {
    device: host.ecam,
    size: 0x10000000,
    offsets: [...offsets, 0, 4, 0x10],
    values: [0x3, 0x7, 0x400, 0x40001000],
    lines,
  };
});
