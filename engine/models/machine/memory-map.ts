/**
 * The virtual machine's memory map: that of QEMU's `virt` (hw/riscv/virt.c and
 * docs/system/riscv/virt in QEMU's documentation name the addresses).
 *
 * A row is all there is to know of a device: where it lies, which interrupts it
 * has, how it is made, and how the device tree describes it. A new device is
 * its own file in engine/devices and a row here.
 */
import { Aclint } from '../../devices/aclint';
import { FlashBank } from '../../devices/flash';
import { GoldfishRtc } from '../../devices/goldfish-rtc';
import { PcieHost } from '../../devices/pcie';
import { Plic, PLIC_SOURCES } from '../../devices/plic';
import { FINISHER, Syscon } from '../../devices/syscon';
import { Uart16550 } from '../../devices/uart16550';
import { VirtioBlock } from '../../devices/virtio/block';
import { VirtioConsole } from '../../devices/virtio/console';
import type { VirtioDevice } from '../../devices/virtio/device';
import { VirtioMmio } from '../../devices/virtio/mmio';
import { VirtioPci } from '../../devices/virtio/pci';
import { VirtioRng } from '../../devices/virtio/rng';
import { FlashContents } from '../../backends/flash-contents';
import { cells, reference, type Cells, type DeviceTreeNode } from '../../devicetree/node';
import type { Device } from '../../devices/device';
import type { AddressRange, BoardRow, MachineContext, Part, Terminal } from './board';

export const RAM_BASE = 0x8000_0000;

/** Where the serial console is in the device tree, for `stdout-path`. */
export const CONSOLE_PATH = '/soc/serial@10000000';

/** Labels of nodes that others refer to. */
export const LABEL = {
  interruptController: 'plic',
  syscon: 'test',
  hart: (hart: number): string => `cpu${hart}`,
  hartInterruptController: (hart: number): string => `cpu${hart}-intc`,
};

/** Interrupt causes of a hart, Privileged ISA manual, table "mcause". */
const CAUSE = { machineSoftware: 3, machineTimer: 7, supervisorExternal: 9, machineExternal: 11 };

const FLASH_BANK_SIZE = 32 * 1024 * 1024;
const MMIO_SLOTS = 8;
const PCI = {
  ecam: { base: 0x3000_0000, size: 0x1000_0000 },
  pio: { base: 0x0300_0000, size: 0x1_0000 },
  mmio32: { base: 0x4000_0000, size: 0x4000_0000 },
  mmio64: { base: 0x4_0000_0000, size: 0x4_0000_0000 },
} satisfies Record<string, AddressRange>;

const hex = (address: number): string => address.toString(16);
const reg = (...ranges: readonly AddressRange[]): Cells =>
  cells(...ranges.flatMap(({ base, size }) => [BigInt(base), BigInt(size)]));

/** A part that is one device behind one window. */
const single = <D extends Device>(device: D, more: Omit<Part, 'state' | 'windows'> = {}): Part => ({
  state: device,
  windows: [device],
  ...more,
});

/** The properties of a device with one window and, perhaps, one interrupt of the PLIC. */
const plainNode = (
  type: string,
  row: BoardRow,
  properties: DeviceTreeNode['properties'],
): DeviceTreeNode => ({
  name: `${type}@${hex(row.windows[0]!.base)}`,
  properties: {
    ...properties,
    reg: reg(...row.windows),
    ...(row.interrupts && {
      interrupts: cells(row.interrupts.first),
      'interrupt-parent': cells(reference(LABEL.interruptController)),
    }),
  },
});

/** Causes of every hart, in the order in which a core-local controller's outputs reach it. */
const toHarts = (machine: MachineContext, ...causes: readonly number[]): Cells =>
  cells(
    ...machine.harts.flatMap((_, hart) =>
      causes.flatMap((cause) => [reference(LABEL.hartInterruptController(hart)), cause]),
    ),
  );

const testFinisher: BoardRow = {
  name: 'test',
  windows: [{ base: 0x10_0000, size: 0x1000 }],
  create: ({ onHalt }) => single(new Syscon({ onHalt })),
  nodes: (row) => {
    const action = (name: string, value: number): DeviceTreeNode => ({
      name,
      properties: {
        compatible: `syscon-${name}`,
        regmap: cells(reference(LABEL.syscon)),
        offset: cells(0),
        value: cells(value),
      },
    });
    return {
      soc: {
        ...plainNode('test', row, { compatible: ['sifive,test1', 'sifive,test0', 'syscon'] }),
        label: LABEL.syscon,
      },
      root: [action('poweroff', FINISHER.powerOff), action('reboot', FINISHER.reset)],
    };
  },
};

export const realTimeClock: BoardRow = {
  name: 'rtc',
  windows: [{ base: 0x10_1000, size: 0x1000 }],
  interrupts: { first: 11, count: 1 },
  create: ({ clock }, wiring) => {
    const rtc = new GoldfishRtc({ clock, interrupt: wiring.interrupt() });
    return single(rtc, { alarm: rtc });
  },
  nodes: (row) => ({ soc: plainNode('rtc', row, { compatible: 'google,goldfish-rtc' }) }),
};

const coreLocalInterruptor: BoardRow = {
  name: 'clint',
  windows: [{ base: 0x200_0000, size: 0x1_0000 }],
  create: ({ harts, timer, clock }) =>
    single(
      new Aclint({ harts: harts.length, software: (hart) => harts[hart]!.machineSoftware, timer, clock }),
    ),
  nodes: (row, machine) => ({
    soc: plainNode('clint', row, {
      compatible: ['sifive,clint0', 'riscv,clint0'],
      'interrupts-extended': toHarts(machine, CAUSE.machineSoftware, CAUSE.machineTimer),
    }),
  }),
};

/** Modes that the interrupt controller has contexts for, in their order within a hart. */
const CONTEXTS = {
  machine: { cause: CAUSE.machineExternal, line: 'machineExternal' },
  supervisor: { cause: CAUSE.supervisorExternal, line: 'supervisorExternal' },
} as const;

export const interruptController = (...modes: readonly (keyof typeof CONTEXTS)[]): BoardRow => ({
  name: 'plic',
  windows: [{ base: 0xc00_0000, size: 0x60_0000 }],
  create: ({ harts }) => {
    const contexts = harts.flatMap((hart) => modes.map((mode) => hart[CONTEXTS[mode].line]));
    const plic = new Plic({ contexts });
    return single(plic, { interruptController: plic });
  },
  nodes: (row, machine) => ({
    soc: {
      ...plainNode('plic', row, {
        compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
        '#interrupt-cells': cells(1),
        '#address-cells': cells(0),
        'interrupt-controller': true,
        'interrupts-extended': toHarts(machine, ...modes.map((mode) => CONTEXTS[mode].cause)),
        'riscv,ndev': cells(PLIC_SOURCES),
      }),
      label: LABEL.interruptController,
    },
  }),
});

const serial: BoardRow = {
  name: 'serial',
  windows: [{ base: 0x1000_0000, size: 0x100 }],
  interrupts: { first: 10, count: 1 },
  create: ({ onConsoleOutput }, wiring) => {
    const uart = new Uart16550({ interrupt: wiring.interrupt(), onOutput: onConsoleOutput });
    return single(uart, { terminal: uart });
  },
  nodes: (row) => ({
    soc: plainNode('serial', row, { compatible: 'ns16550a', 'clock-frequency': cells(3_686_400) }),
  }),
};

const virtioMmio = (slot: number): BoardRow => ({
  name: `virtio-mmio${slot}`,
  windows: [{ base: 0x1000_1000 + slot * 0x1000, size: 0x1000 }],
  interrupts: { first: 1 + slot, count: 1 },
  create: ({ disks, memory }, wiring) => {
    const disk = disks[slot];
    const device = disk && new VirtioBlock({ disk });
    return single(new VirtioMmio({ device, memory, interrupt: wiring.interrupt() }));
  },
  nodes: (row) => ({ soc: plainNode('virtio_mmio', row, { compatible: 'virtio,mmio' }) }),
});

/** Both banks are one device for Linux, described with the first. */
const flashBank = (bank: 0 | 1): BoardRow => {
  const range = (index: number): AddressRange => ({
    base: 0x2000_0000 + index * FLASH_BANK_SIZE,
    size: FLASH_BANK_SIZE,
  });
  return {
    name: `flash${bank}`,
    windows: [range(bank)],
    create: ({ flash }) => {
      const { size } = range(bank);
      const contents = new FlashContents({ name: `flash${bank}`, size, image: flash?.[bank] });
      return single(new FlashBank({ contents }), { spaces: [contents] });
    },
    nodes: () => {
      const properties = { compatible: 'cfi-flash', reg: reg(range(0), range(1)), 'bank-width': cells(4) };
      return bank === 0 ? { root: [{ name: `flash@${hex(range(0).base)}`, properties }] } : {};
    },
  };
};

/** Slots 1 and 2 hold what every machine has; disks beyond the mmio slots follow. */
const FIRST_DISK_SLOT = 3;

export interface PciHostOptions {
  /** Disks that sit elsewhere: the first this many. */
  readonly disksElsewhere: number;
  /** Whether the virtio console is what the guest's user types on. */
  readonly terminal: boolean;
}

export const pciHost = ({ disksElsewhere, terminal }: PciHostOptions): BoardRow => ({
  name: 'pci',
  windows: [PCI.ecam, PCI.pio, PCI.mmio32, PCI.mmio64],
  interrupts: { first: 0x20, count: 4 },
  create: (machine, wiring) => {
    const { memory, random, ports = [], onPortOutput, disks } = machine;
    const host = new PcieHost({
      interrupts: [wiring.interrupt(0), wiring.interrupt(1), wiring.interrupt(2), wiring.interrupt(3)],
      mmio64Base: PCI.mmio64.base,
    });
    const console = new VirtioConsole({
      ports,
      onOutput: (port, written) => onPortOutput(ports[port - 1], written),
    });
    const functions: readonly VirtioDevice[] = [
      new VirtioRng(random),
      console,
      ...disks.slice(disksElsewhere).map((disk) => new VirtioBlock({ disk })),
    ];
    functions.forEach((device, index) => host.attach(1 + index, new VirtioPci({ device, memory })));
    return {
      state: host.ecam,
      windows: [host.ecam, host.pio, host.mmio32, host.mmio64],
      ports: {
        send: (name, sent) => {
          const port = console.portNamed(name);
          if (port === undefined)
            throw new RangeError(`no console port is named ${name}; there are: ${ports.join(', ')}`);
          console.receive(port, sent);
        },
      },
      ...(terminal && { terminal: consoleTerminal(console) }),
    };
  },
  nodes: (row) => ({ soc: pciNode(row.interrupts!.first) }),
});

const consoleTerminal = (console: VirtioConsole): Terminal => ({
  receive: (typed) => console.receive(0, typed),
  get unread() {
    return console.waiting(0);
  },
});

/** "pci-host-ecam-generic"; cells of addresses as in the Open Firmware PCI binding, section 2.2.1.1. */
function pciNode(firstInterrupt: number): DeviceTreeNode {
  const SPACE = { io: 0x0100_0000, memory32: 0x0200_0000, memory64: 0x0300_0000 };
  // Four slots repeat for all 32, and a slot's pins are turned by its number.
  const interruptMap = [0, 1, 2, 3].flatMap((slot) =>
    [0, 1, 2, 3].flatMap((pin) => [
      ...[slot << 11, 0, 0, pin + 1],
      reference(LABEL.interruptController),
      firstInterrupt + ((slot + pin) % 4),
    ]),
  );
  return {
    name: `pci@${hex(PCI.ecam.base)}`,
    properties: {
      compatible: 'pci-host-ecam-generic',
      device_type: 'pci',
      '#address-cells': cells(3),
      '#size-cells': cells(2),
      '#interrupt-cells': cells(1),
      'linux,pci-domain': cells(0),
      'bus-range': cells(0, 0xff),
      'dma-coherent': true,
      reg: reg(PCI.ecam),
      ranges: cells(
        ...[SPACE.io, 0n, BigInt(PCI.pio.base), BigInt(PCI.pio.size)],
        ...[SPACE.memory32, BigInt(PCI.mmio32.base), BigInt(PCI.mmio32.base), BigInt(PCI.mmio32.size)],
        ...[SPACE.memory64, BigInt(PCI.mmio64.base), BigInt(PCI.mmio64.base), BigInt(PCI.mmio64.size)],
      ),
      'interrupt-map': cells(...interruptMap),
      'interrupt-map-mask': cells(0x1800, 0, 0, 7),
    },
  };
}

/** The whole machine. The order is that of saved state and of the device tree. */
export const VIRT: readonly BoardRow[] = [
  testFinisher,
  realTimeClock,
  coreLocalInterruptor,
  interruptController('machine', 'supervisor'),
  serial,
  ...Array.from({ length: MMIO_SLOTS }, (_, slot) => virtioMmio(slot)),
  flashBank(0),
  flashBank(1),
  pciHost({ disksElsewhere: MMIO_SLOTS, terminal: false }),
];

/** Disks that a machine can have. */
export const MAX_PCI_DISKS = 32 - FIRST_DISK_SLOT;
export const MAX_DISKS = MMIO_SLOTS + MAX_PCI_DISKS;
