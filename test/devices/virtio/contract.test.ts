import type { Device } from '../../../engine/devices/device';
import { CopyOnWriteDisk } from '../../../engine/backends/disk';
import { SeededRandom } from '../../../engine/backends/random';
import { VirtioBlock } from '../../../engine/devices/virtio/block';
import { VirtioConsole } from '../../../engine/devices/virtio/console';
import { VirtioMmio } from '../../../engine/devices/virtio/mmio';
import { VirtioRng } from '../../../engine/devices/virtio/rng';
import type { VirtioDevice } from '../../../engine/devices/virtio/device';
import { deviceContract, RecordingLine, type DeviceUnderTest } from '../../contract/device';
import { onMmio, onPci, PciPort, type Bench } from './driver';
import { RAM_BASE, TestRam } from './ram';

/** What a machine saves besides the device: guest memory, the disk, the seed. */
interface Surroundings {
  readonly ram: TestRam;
  readonly disk: CopyOnWriteDisk;
  readonly random: SeededRandom;
}
const surroundings = new WeakMap<DeviceUnderTest, Surroundings>();

const DEVICES: [string, (s: Surroundings) => VirtioDevice][] = [
  ['block', ({ disk }) => new VirtioBlock({ disk })],
  ['rng', ({ random }) => new VirtioRng(random)],
  ['console', () => new VirtioConsole({ ports: ['events'], onOutput: () => {} })],
];

/** Values that let random traffic get far: features, status on the way up, queue places. */
const VALUES = [1, 3, 11, 15, 8, 16, 64, RAM_BASE, RAM_BASE + 0x1000, RAM_BASE + 0x2000];
const MMIO_OFFSETS = [
  0x00, 0x08, 0x10, 0x14, 0x20, 0x24, 0x30, 0x34, 0x38, 0x44, 0x44, 0x50, 0x50, 0x60, 0x64, 0x70, 0x70, 0x80,
  0x90, 0xa0, 0xfc, 0x100, 0x104, 0x108,
];
const SLOT = 3;
const PCI_OFFSETS = [
  0x00,
  0x04,
  0x08,
  0x0c,
  0x12,
  0x14,
  0x14,
  0x15,
  0x16,
  0x18,
  0x1c,
  0x1c,
  0x20,
  0x28,
  0x30,
  0x1000,
  0x2000,
  0x2008,
  0x3000,
  0x3000,
  0x3004,
  0x300c,
  ...[0x04, 0x06, 0x10, 0x24, 0x3c, 0x88, 0x8c, 0x90, 0x94].map((at) => 0x4000 + at),
];

/** One window over both of the function's faces, its BAR and its configuration space, the BAR placed at power-on. */
const bothFaces = (bench: Bench): Device => {
  const { host } = bench.port as PciPort;
  const to = (offset: number): [Device, number] =>
    offset < 0x4000 ? [host.mmio64, SLOT * 0x10000 + offset] : [host.ecam, SLOT * 0x8000 + offset - 0x4000];
  return {
    kind: host.ecam.kind,
    read(offset, size) {
      const [window, at] = to(offset);
      return window.read(at, size);
    },
    write(offset, size, value) {
      const [window, at] = to(offset);
      window.write(at, size, value);
    },
    reset() {
      host.ecam.reset();
      new PciPort(host, SLOT);
    },
    save: () => host.ecam.save(),
    restore: (payload) => host.ecam.restore(payload),
  };
};

describe.each([
  ['mmio', onMmio, 0x200, MMIO_OFFSETS, (bench: Bench) => bench.saved],
  ['pci', onPci, 0x5000, PCI_OFFSETS, bothFaces],
] as const)('over %s', (transport, put, size, offsets, face) => {
  for (const [name, build] of DEVICES) {
    deviceContract(`virtio-${name} over ${transport}`, () => {
      const around: Surroundings = {
        ram: new TestRam(1 << 16),
        disk: new CopyOnWriteDisk({ name: 'disk0', size: 1 << 16 }),
        random: new SeededRandom(1),
      };
      const virtio = build(around);
      const bench = put(virtio, around.ram);
      const receive = (value: number): void => {
        if (virtio instanceof VirtioConsole) virtio.receive(value & 1, Uint8Array.of(value));
      };
      const under: DeviceUnderTest = {
        device: face(bench),
        size,
        offsets,
        values: VALUES,
        lines: [bench.line],
        stimuli: [receive],
        adopt(other) {
          const from = surroundings.get(other)!;
          around.ram.poke(RAM_BASE, from.ram.bytes);
          around.random.restore(from.random.save());
          for (const page of from.disk.dirty()) around.disk.load(page, from.disk.read(page));
        },
      };
      surroundings.set(under, around);
      return under;
    });
  }
});

deviceContract('empty virtio-mmio slot', () => {
  const line = new RecordingLine();
  const device = new VirtioMmio({ device: undefined, memory: new TestRam(4096), interrupt: line });
  return { device, size: 0x200, offsets: MMIO_OFFSETS, lines: [line] };
});

test('an empty slot shows magic, version and vendor, and no device', () => {
  const slot = new VirtioMmio({
    device: undefined,
    memory: new TestRam(4096),
    interrupt: new RecordingLine(),
  });
  expect([0, 4, 8, 12, 0x34, 0x100].map((offset) => slot.read(offset, 4))).toEqual([
    0x74726976, 2, 0, 0x554d4551, 0, 0,
  ]);
});
