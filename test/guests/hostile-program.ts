/**
 * Firmware that means harm: random acts of a guest in M-mode, each of which may trap and is then left behind, over
 * and over. Everything follows from the seed.
 */
import { VIRT, RAM_BASE } from '../../engine/models/machine/memory-map';
import { Random } from '../differential/random';
import { integerValue } from '../differential/values';
import * as a from './assembly';

const { t0, t1, t2, a0, s11, t6, zero } = a.reg;

/** Where the program's random data lie: descriptors, rings, page tables and buffers at once. */
export const DATA = RAM_BASE + 0x10_0000;
const DATA_BYTES = 0x2_0000;
const FINISHER = 0x10_0000;
const ECAM = 0x3000_0000;
const MMIO64 = 0x4_0000_0000;
const VIRTIO_MMIO = 0x1000_1000;
/** Functions 1 to 3 of the bus: rng, console, and the disk that no mmio slot had room for. */
const PCI_FUNCTIONS = [1, 2, 3];

const CSR = {
  mstatus: 0x300,
  mie: 0x304,
  mtvec: 0x305,
  mepc: 0x341,
  mcause: 0x342,
  satp: 0x180,
  menvcfg: 0x30a,
};
const MPP_MACHINE = 0x1800;
const MPP_SUPERVISOR = 0x0800;
const MPRV_TVM_TW = 0x2_0000 | 0x30_0000;
/** Registers that do something, where random offsets seldom meet one. */
const HOT = [
  ...[0x10_0000, 0x10_1000, 0x10_1008, 0x10_100c, 0x10_1010, 0x10_1014],
  ...[0x200_0000, 0x200_4000, 0x200_4004, 0x200_bff8],
  ...[0xc00_0004, 0xc00_0028, 0xc00_1000, 0xc00_2000, 0xc00_2080, 0xc20_0000, 0xc20_0004, 0xc20_1004],
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((register) => 0x1000_0000 + register),
  ...[0x2000_0000, 0x2000_0555, 0x2200_0000, 0x3000_8004, 0x3000_8020, 0x3001_0020],
];
const WINDOWS = VIRT.flatMap(({ windows }) => windows);

type Act = (random: Random) => number[];

const put = (address: number | bigint, size: 0 | 1 | 2 | 3, value: number | bigint): number[] => [
  ...a.li(t0, address),
  ...a.li(t1, value),
  a.store(size, t1, t0),
];
const setCsr = (number: number, value: number | bigint): number[] => [
  ...a.li(t0, value),
  a.csr(1, zero, number, t0),
];

function wildAddress(random: Random): number | bigint {
  const window = random.pick(WINDOWS);
  return random.pick<() => number | bigint>([
    () => random.pick(HOT),
    () => random.pick(HOT),
    () => window.base + random.below(0x100),
    () => window.base + 4 * random.below(0x400),
    () => window.base + random.below(Math.min(window.size, 2 ** 31)),
    () => window.base + window.size - random.below(9),
    () => window.base - random.below(9),
    () => RAM_BASE - random.below(9),
    () => DATA + random.below(DATA_BYTES),
    () => RAM_BASE + random.below(2 ** 24),
    () => integerValue(random),
  ])();
}

/** Loads, stores and atomics of all sizes on anything. The finisher would end the machine, and with it the test. */
const access: Act = (random) => {
  const address = wildAddress(random);
  const value = integerValue(random);
  const halts = BigInt(address) >= FINISHER - 8 && BigInt(address) < FINISHER + 8;
  return [
    ...a.li(t0, address),
    ...a.li(t1, halts ? 0 : value),
    random.pick([
      a.load(random.below(7), t2, t0),
      a.store(random.below(4), t1, t0),
      a.store(random.below(4), t1, t0),
      a.atomic(random.pick([0, 1, 2, 3, 4, 8, 12, 16, 20, 24, 28]), random.pick([2, 3]), t2, t0, t1),
    ]),
  ];
};

/** Jumps to where nothing, a device, or random data is. */
const jump: Act = (random) => [
  ...a.li(t0, random.chance(0.5) ? wildAddress(random) : DATA + 4 * random.below(DATA_BYTES / 4)),
  a.jalr(zero, t0),
];

/** Addresses of a queue's three areas: right ones, ones that lie over each other, or anything. */
function queueAreas(random: Random): [descriptors: bigint, driver: bigint, device: bigint] {
  const overlapping = (): bigint => BigInt(DATA + 16 * random.below(DATA_BYTES / 32));
  const wild = (): bigint => BigInt.asUintN(64, BigInt(wildAddress(random)));
  if (random.chance(0.6)) return [BigInt(DATA), BigInt(DATA + 0x1000), BigInt(DATA + 0x2000)];
  const any = random.chance(0.5) ? overlapping : wild;
  return [any(), any(), any()];
}

const halves = (value: bigint): [number, number] => [Number(value & 0xffffffffn), Number(value >> 32n)];

/** Available buffers: the driver area's index and ring. */
const offer = (random: Random, driver: bigint): number[] => [
  ...put(driver + 2n, 1, random.pick([1, 1, 1, 1, 1, 2, 8, 0xffff])),
  ...put(driver + 4n, 1, random.chance(0.7) ? 0 : random.below(8)),
];

const mmioQueue: Act = (random) => {
  const slot = VIRTIO_MMIO + 0x1000 * random.below(3);
  const set = (offset: number, value: number): number[] => put(slot + offset, 2, value);
  const addresses = queueAreas(random);
  const areas = [0x80, 0x90, 0xa0].map((offset, i) => ({ offset, address: addresses[i]! }));
  const queue = random.pick([0, 0, 0, 1, 5]);
  return [
    ...set(0x70, 0),
    ...set(0x70, 3),
    ...[1, 0].flatMap((select) => [
      ...set(0x24, select),
      ...set(0x20, select ? 1 : random.pick([0, 0, 0x3000_0000, 0x3000_0000, 0xffff_ffff])),
    ]),
    ...set(0x70, 11),
    ...set(0x30, queue),
    ...set(0x38, random.pick([1, 4, 8, 8, 16, 256, random.below(0x1_0000)])),
    ...areas.flatMap(({ offset, address }) =>
      halves(address).flatMap((half, i) => set(offset + 4 * i, half)),
    ),
    ...set(0x44, 1),
    ...set(0x70, 15),
    ...offer(random, areas[1]!.address),
    ...set(0x50, queue),
    ...set(random.pick([0x44, 0x50, 0x64, 0x70, 0x100]), random.below(0x100)),
  ];
};

const pciQueue: Act = (random) => {
  const number = random.pick(PCI_FUNCTIONS);
  const space = ECAM + 0x8000 * number;
  const bar = BigInt(MMIO64 + 0x1_0000 * number);
  const set = (offset: number, size: 0 | 1 | 2, value: number): number[] =>
    put(bar + BigInt(offset), size, value);
  const addresses = queueAreas(random);
  const areas = [0x20, 0x28, 0x30].map((offset, i) => ({ offset, address: addresses[i]! }));
  const queue = random.below(7);
  return [
    ...put(space + 0x20, 2, Number(bar & 0xffffffffn)),
    ...put(space + 0x24, 2, Number(bar >> 32n)),
    ...put(space + 0x04, 1, 6),
    ...set(0x14, 0, 0),
    ...set(0x14, 0, 3),
    ...[1, 0].flatMap((select) => [
      ...set(0x08, 2, select),
      ...set(0x0c, 2, select ? 1 : random.pick([0, 0, 0x3000_0000, 0x3000_0000, 0xffff_ffff])),
    ]),
    ...set(0x14, 0, 11),
    ...set(0x16, 1, queue),
    ...set(0x18, 1, random.pick([1, 4, 8, 8, 64, random.below(0x1_0000)])),
    ...areas.flatMap(({ offset, address }) =>
      halves(address).flatMap((half, i) => set(offset + 4 * i, 2, half)),
    ),
    ...set(0x1c, 1, 1),
    ...set(0x14, 0, 15),
    ...offer(random, areas[1]!.address),
    ...set(0x3000 + 4 * queue, 1, queue),
    // The window on the BAR in configuration space, and wherever a BAR may point.
    ...put(
      space + random.pick([0x04, 0x10, 0x20, 0x24, 0x84 + 4, 0x84 + 8, 0x84 + 12, 0x94]),
      2,
      integerValue(random),
    ),
  ];
};

/** Well-formed descriptors at the start of the data, of buffers that lie over rings, tables and each other. */
const descriptors: Act = (random) => {
  const at = DATA + 16 * random.below(64);
  return [
    ...put(at, 3, random.chance(0.8) ? DATA + random.below(DATA_BYTES) : integerValue(random)),
    ...put(at + 8, 2, random.pick([0, 1, 8, 16, 512, 4096, 0x1_0000, 0xffff_ffff])),
    ...put(at + 12, 1, random.pick([0, 1, 2, 3, 4, 5, 0xffff])),
    ...put(at + 14, 1, random.pick([random.below(8), random.below(8), 0xffff])),
  ];
};

/** A chain of three at the start of the data, as one of the devices expects it: block write, block read, output, input. */
const request: Act = (random) => {
  const flags = random.pick([
    [1, 1, 2],
    [1, 3, 2],
    [1, 1, 0],
    [3, 3, 2],
  ]);
  const lengths = [random.pick([16, 16, 8, 20]), random.pick([0, 16, 512, 1024, 4096, 0x1_0000]), 1];
  return [
    ...flags.flatMap((flag, i) => [
      ...put(DATA + 16 * i, 3, DATA + 0x8000 + 0x1000 * i),
      ...put(DATA + 16 * i + 8, 2, lengths[i]!),
      ...put(DATA + 16 * i + 12, 2, flag | ((i + 1) << 16)),
    ]),
    ...put(DATA + 0x8000, 3, random.pick([0, 0, 1, 1, 4, 8, 11, 13, 99])),
    ...put(DATA + 0x8008, 3, random.below(64)),
  ];
};

/** A word of flash programmed, or a block erased. */
const flash: Act = (random) => {
  const at = 0x2000_0000 + 4 * random.below(2 ** 24);
  return [
    ...put(at, 2, random.pick([0x40, 0x10, 0x20, 0xe8, 0x60])),
    ...put(at, 2, random.chance(0.5) ? 0xd0 : integerValue(random)),
    ...put(at, 2, 0xff),
  ];
};

/** CSRs by random numbers; the trap vector is another act's. */
const anyCsr: Act = (random) => {
  const number = random.chance(0.6)
    ? random.pick([0x300, 0x301, 0x303, 0x304, 0x306, 0x30a, 0x320, 0x344, 0x3a0, 0x3b0, 0xb00, 0xb02, 0x100, 0x104, 0x105, 0x14d, 0x180, 0x001, 0x003]) // prettier-ignore
    : random.below(0x1000);
  if (number === CSR.mtvec) return [];
  // A locked PMP entry could end M-mode for good: that is an end's, too.
  const isPmpConfiguration = number >= 0x3a0 && number < 0x3b0;
  const value = integerValue(random) & (isPmpConfiguration ? 0x7f7f_7f7f_7f7f_7f7fn : -1n);
  return [...a.li(t0, value), a.csr(1 + random.below(3), t2, number, t0)];
};

/** Some page table entries, then a mode of translation with a root in the data or anywhere. */
const pageTables = (random: Random): number[] => {
  const root = random.chance(0.9) ? DATA : RAM_BASE + 4096 * random.below(2 ** 13);
  const mode = BigInt(random.pick([8, 8, 9, 10, random.below(16)]));
  const entry = (): bigint =>
    random.chance(0.8)
      ? ((BigInt((DATA >> 12) >>> 0) + BigInt(random.below(8))) << 10n) | BigInt(random.below(0x400))
      : integerValue(random);
  return [
    ...Array.from({ length: 4 }, () => put(DATA + 8 * random.below(4 * 512), 3, entry())).flat(),
    ...setCsr(CSR.satp, (mode << 60n) | (BigInt(random.below(0x1_0000)) << 44n) | BigInt(root / 4096)),
    ...(random.chance(0.5) ? [a.sfenceVma] : []),
  ];
};

/** An access with another mode's translation. */
const translated: Act = (random) => [
  ...pageTables(random),
  ...a.li(t1, random.pick([MPP_SUPERVISOR, 0]) + 0x2_0000 + 0x4_0000 * random.below(4)),
  ...a.li(t2, random.chance(0.7) ? random.below(2 ** 30) : integerValue(random)),
  a.csr(2, zero, CSR.mstatus, t1),
  random.chance(0.5) ? a.load(random.below(7), t2, t2) : a.store(random.below(4), t1, t2),
];

/** Sets the timer to a moment from now, so that no wait is for ever. */
const timerSoon: Act = (random) => [
  ...a.li(t0, 0x200_bff8),
  a.load(3, t1, t0),
  a.addi(t1, t1, random.below(100)),
  ...a.li(t0, 0x200_4000),
  a.store(3, t1, t0),
  ...setCsr(CSR.mie, 0x80),
];

/** Into S- or U-mode, at some code or nowhere, with or without translation; whatever traps comes back. */
const lowerMode: Act = (random) => [
  ...timerSoon(random),
  ...(random.chance(0.5) ? pageTables(random) : setCsr(CSR.satp, 0)),
  ...(random.chance(0.7) ? [...setCsr(0x3b0, -1n), ...setCsr(0x3a0, 0x1f)] : []),
  ...a.li(t1, MPP_MACHINE),
  a.csr(3, zero, CSR.mstatus, t1),
  ...a.li(t1, random.pick([MPP_SUPERVISOR, 0]) + 0x20_0000 * random.below(2)),
  a.csr(2, zero, CSR.mstatus, t1),
  // The instructions behind mret.
  a.auipc(t0, 0),
  a.addi(t0, t0, 20),
  ...(random.chance(0.2) ? a.li(t0, 0) : [a.addi(zero, zero, 0)]),
  a.csr(1, zero, CSR.mepc, t0),
  a.mret,
  random.pick([a.wfi, a.sret, a.sfenceVma, a.csr(1, t2, CSR.satp, t0), a.load(3, t2, t0), a.fenceI]),
  a.ecall,
];

/** Waits in M-mode for a timer that is about to fire. */
const wait: Act = (random) => [...timerSoon(random), a.wfi];

/** Writes an instruction where the next one is, and goes on there, with or without fence.i. */
const selfModifying: Act = (random) => [
  ...timerSoon(random),
  ...a.li(t1, random.pick([a.addi(t2, t2, 1), a.ecall, a.wfi, a.jal(zero, 0x1000), random.below(2 ** 32)])),
  a.auipc(t0, 0),
  a.store(2, t1, t0, random.chance(0.5) ? 12 : 8),
  random.chance(0.5) ? a.fenceI : a.addi(zero, zero, 0),
  a.addi(t2, t2, 2),
];

/** Bursts of console output. */
const shout: Act = (random) => [
  ...a.li(t0, 0x1000_0000),
  ...a.li(t2, 1 + random.below(500)),
  a.store(0, t2, t0),
  a.addi(t2, t2, -1),
  a.branch(1, t2, zero, -8),
];

const ACTS: readonly (readonly [weight: number, act: Act])[] = [
  [30, access],
  [12, mmioQueue],
  [12, pciQueue],
  [12, descriptors],
  [20, request],
  [3, flash],
  [12, anyCsr],
  [6, translated],
  [6, lowerMode],
  [3, wait],
  [3, selfModifying],
  [3, jump],
  [1, shout],
];

/** How the program ends when all acts are done: mostly from the start again, else in a way that never ends. */
const ENDS: readonly ((random: Random) => number[])[] = [
  // A trap vector that leads nowhere: every trap traps.
  (random) => [...setCsr(CSR.mtvec, random.pick([0, 4, 0x1000_0000, 0x7fff_fffc, -4n])), a.ecall],
  // Traps of lower modes go to a vector of theirs that leads nowhere.
  (random) => [
    ...setCsr(0x302, -1n),
    ...setCsr(0x105, random.pick([0, 4, 0x1000_0000, -4n])),
    ...lowerMode(random),
  ],
  // No memory that M-mode may use.
  () => [...setCsr(0x3b0, -1n), ...setCsr(0x3a0, 0x98)],
  // Waits for nothing.
  () => [...setCsr(CSR.mie, 0), a.wfi, a.jal(zero, -4)],
  () => [a.jal(zero, 0)],
];

const chosen = (random: Random): Act => {
  let at = random.below(ACTS.reduce((sum, [weight]) => sum + weight, 0));
  return ACTS.find(([weight]) => (at -= weight) < 0)![1];
};

/**
 * The firmware as a raw image, to be loaded at the start of RAM. s11 holds where to go on after a trap; the handler
 * puts the machine into M-mode again and goes there.
 */
export function hostileProgram(seed: number, acts = 150): Uint8Array {
  const random = new Random(seed);
  const handler = [
    a.csr(1, zero, CSR.mie, zero),
    ...a.li(t6, MPRV_TVM_TW),
    a.csr(3, zero, CSR.mstatus, t6),
    ...a.li(t6, MPP_MACHINE),
    a.csr(2, zero, CSR.mstatus, t6),
    a.csr(1, zero, CSR.mepc, s11),
    a.mret,
  ];
  const start = [
    a.auipc(t0, 0),
    a.addi(t0, t0, 16),
    a.csr(1, zero, CSR.mtvec, t0),
    a.jal(zero, 4 + 4 * handler.length),
  ];
  const prologue = [...start, ...handler];
  const body: number[] = [];
  for (let index = 0; index < acts; index++) {
    const code = chosen(random)(random);
    if (4 * (code.length + 2) > 2047) throw new RangeError('an act of more than 2 KiB');
    // Where to go on: auipc's own address plus the length of all.
    body.push(a.auipc(s11, 0), a.addi(s11, s11, 4 * (code.length + 2)), ...code);
  }
  const again = [a.auipc(t0, 0), ...a.li(a0, RAM_BASE), a.jalr(zero, a0)];
  const end = random.chance(0.7) ? again : random.pick(ENDS)(random);
  const words = [...prologue, ...body, ...end];
  const image = new Uint8Array(DATA - RAM_BASE + DATA_BYTES);
  image.set(a.assemble(words));
  for (let at = DATA - RAM_BASE; at < image.length; at += 4) {
    const value = random.chance(0.5) ? random.below(0x100) : random.below(2 ** 32);
    new DataView(image.buffer).setUint32(at, value, true);
  }
  return image;
}

/** A device's registers: writes that set up a queue, and the one that notifies. */
interface QueueRegisters {
  readonly setUp: (queue: number, size: number, areas: readonly number[]) => number[];
  readonly notify: (queue: number) => readonly [address: number, size: 1 | 2];
}

export const VIRTIO_MMIO_DISK: QueueRegisters = {
  setUp: (queue, size, areas) => {
    const set = (offset: number, value: number): number[] => put(VIRTIO_MMIO + offset, 2, value);
    return [
      ...[...set(0x70, 3), ...set(0x24, 1), ...set(0x20, 1), ...set(0x70, 11), ...set(0x30, queue)],
      ...set(0x38, size),
      ...areas.flatMap((area, i) => set(0x80 + 16 * i, area)),
      ...[...set(0x44, 1), ...set(0x70, 15)],
    ];
  },
  notify: () => [VIRTIO_MMIO + 0x50, 2],
};

const pciDevice = (number: number): QueueRegisters => {
  const space = ECAM + 0x8000 * number;
  const bar = MMIO64 + 0x1_0000 * number;
  return {
    setUp: (queue, size, areas) => {
      const set = (offset: number, width: 0 | 1 | 2, value: number): number[] =>
        put(bar + offset, width, value);
      return [
        ...[...put(space + 0x20, 2, bar % 2 ** 32), ...put(space + 0x24, 2, 4), ...put(space + 0x04, 1, 6)],
        ...[...set(0x14, 0, 3), ...set(0x08, 2, 1), ...set(0x0c, 2, 1), ...set(0x14, 0, 11)],
        ...[...set(0x16, 1, queue), ...set(0x18, 1, size)],
        ...areas.flatMap((area, i) => set(0x20 + 8 * i, 2, area)),
        ...[...set(0x1c, 1, 1), ...set(0x14, 0, 15)],
      ];
    },
    notify: (queue) => [bar + 0x3000 + 4 * queue, 1],
  };
};
export const PCI_RNG = pciDevice(1);
export const PCI_CONSOLE = pciDevice(2);

export interface Notifications {
  readonly device: QueueRegisters;
  readonly queue: number;
  /** Of the queue: so many buffers are made available before each notification, all of them the same one. */
  readonly size: number;
  readonly chain: readonly { readonly length: number; readonly write?: boolean }[];
}

/** Firmware that makes a whole queue of one and the same buffer available and notifies, for ever. Buffers begin as newlines. */
export function notifyForEver({ device, queue, size, chain }: Notifications): Uint8Array {
  const [table, driver, used, buffers] = [DATA, DATA + 0x2000, DATA + 0x4000, DATA + 0x1_0000];
  const [address, width] = device.notify(queue);
  const loop = [a.addi(t2, t2, size), a.store(1, t2, t0), a.store(width, a0, t1)];
  const words = [
    ...device.setUp(queue, size, [table, driver, used]),
    ...a.li(t0, driver + 2),
    ...a.li(t1, address),
    ...a.li(a0, queue),
    ...a.li(t2, 0),
    ...loop,
    a.jal(zero, -4 * loop.length),
  ];
  const image = new Uint8Array(buffers - RAM_BASE + 4 * 0x1_0000);
  image.set(a.assemble(words));
  image.fill(0x0a, buffers - RAM_BASE);
  const view = new DataView(image.buffer);
  chain.forEach(({ length, write = false }, i) => {
    const at = table - RAM_BASE + 16 * i;
    view.setBigUint64(at, BigInt(buffers + 0x1_0000 * i), true);
    view.setUint32(at + 8, length, true);
    view.setUint16(at + 12, (write ? 2 : 0) | (i < chain.length - 1 ? 1 : 0), true);
    view.setUint16(at + 14, i + 1, true);
  });
  // A block device reads its request here: type 0, the first sector.
  if (chain.length > 1) image.fill(0, buffers - RAM_BASE, buffers - RAM_BASE + 16);
  return image;
}
