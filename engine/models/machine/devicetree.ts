/**
 * The device tree of a virtual machine: what the rows of the memory map say of
 * themselves, and around it the CPUs, the memory and what the boot loader adds.
 *
 * Bindings: Documentation/devicetree/bindings/riscv in Linux (cpus.yaml,
 * extensions.yaml), Devicetree Specification 0.4, chapter 3.
 */
import { buildDeviceTreeBlob } from '../../devicetree/blob';
import { cells, reference, type DeviceTreeNode } from '../../devicetree/node';
import { canonicalOrder, isaString } from '../../isa/isa-string';
import type { Board } from './board';
import { TIMEBASE_FREQUENCY } from '../guest-time';
import { CONSOLE_PATH, LABEL, RAM_BASE } from './memory-map';

export { TIMEBASE_FREQUENCY };

/** What software has to know of a hart. All harts are alike. */
export interface CpuDescription {
  /** Lower-case names without the base: `['m', 'a', 'f', 'd', 'c', 'zicsr', 'sstc']`; order does not matter. */
  readonly extensions: readonly string[];
  /** The largest address translation that `satp` takes. */
  readonly mmu: 'sv39' | 'sv48' | 'sv57';
}

/** Of a hart's extensions: translation schemes have a property of their own, and no place among the others. */
export function describeCpu(extensions: readonly string[]): CpuDescription {
  const schemes = ['sv57', 'sv48'] as const;
  return {
    extensions: extensions.filter((name) => !/^sv(bare|\d+)$/.test(name)),
    mmu: schemes.find((name) => extensions.includes(name)) ?? 'sv39',
  };
}

/** What a machine says it is. Guests match on it. */
export interface Identity {
  readonly compatible: string;
  readonly model: string;
  /** Where the console is in the tree, when it is there. */
  readonly consolePath?: string;
}

/** What QEMU says. */
const QEMU_VIRT: Identity = {
  compatible: 'riscv-virtio',
  model: 'riscv-virtio,qemu',
  consolePath: CONSOLE_PATH,
};

export interface DeviceTreeOptions {
  /** Default: QEMU's `virt`. */
  readonly identity?: Identity;
  readonly cpu: CpuDescription;
  readonly commandLine?: string | undefined;
  /** Where the initrd lies in guest-physical memory; `end` is the first byte behind it. */
  readonly initrd?: { readonly start: number; readonly end: number } | undefined;
  /** Entropy for the kernel's early random numbers, usually 32 bytes. */
  readonly rngSeed?: Uint8Array | undefined;
}

/** Sizes that come with cache-block operations. */
const blockSizes = [
  ['zicbom', 'riscv,cbom-block-size'],
  ['zicbop', 'riscv,cbop-block-size'],
  ['zicboz', 'riscv,cboz-block-size'],
] as const;
const BLOCK_SIZE = 64;

function cpusNode(harts: number, { extensions, mmu }: CpuDescription): DeviceTreeNode {
  const cpus = Array.from({ length: harts }, (_, hart): DeviceTreeNode => ({
    name: `cpu@${hart.toString(16)}`,
    label: LABEL.hart(hart),
    properties: {
      device_type: 'cpu',
      reg: cells(hart),
      status: 'okay',
      compatible: 'riscv',
      'riscv,isa': isaString(extensions),
      'riscv,isa-base': 'rv64i',
      'riscv,isa-extensions': canonicalOrder(extensions),
      ...Object.fromEntries(
        blockSizes
          .filter(([name]) => extensions.includes(name))
          .map(([, property]) => [property, cells(BLOCK_SIZE)]),
      ),
      'mmu-type': `riscv,${mmu}`,
    },
    children: [
      {
        name: 'interrupt-controller',
        label: LABEL.hartInterruptController(hart),
        properties: {
          '#interrupt-cells': cells(1),
          'interrupt-controller': true,
          compatible: 'riscv,cpu-intc',
        },
      },
    ],
  }));
  const cores = cpus.map((_, hart) => ({
    name: `core${hart}`,
    properties: { cpu: cells(reference(LABEL.hart(hart))) },
  }));
  return {
    name: 'cpus',
    properties: {
      '#address-cells': cells(1),
      '#size-cells': cells(0),
      'timebase-frequency': cells(TIMEBASE_FREQUENCY),
    },
    children: [...cpus, { name: 'cpu-map', children: [{ name: 'cluster0', children: cores }] }],
  };
}

/**
 * Which counters take which events: SBI's numbers are the selectors of mhpmevent too. OpenSBI's docs/pmu_support.md,
 * "riscv,event-to-mhpmcounters": first event, last event, counters as bits.
 */
function pmuNode({ extensions }: CpuDescription): DeviceTreeNode[] {
  if (!extensions.includes('sscofpmf')) return [];
  const programmable = 0xfffffff8;
  const [cycles, instructions] = [1, 2];
  const fixed = { [cycles]: 1 << 0, [instructions]: 1 << 2 };
  const properties = {
    compatible: 'riscv,pmu',
    'riscv,event-to-mhpmcounters': cells(
      ...[cycles, instructions].flatMap((event) => [event, event, (programmable | fixed[event]!) >>> 0]),
    ),
  };
  return [{ name: 'pmu', properties }];
}

/** The tree as data. */
export function machineDeviceTree(board: Board, options: DeviceTreeOptions): DeviceTreeNode {
  const { machine, rows } = board;
  const { cpu, commandLine, initrd, rngSeed, identity = QEMU_VIRT } = options;
  const nodes = rows.map((row) => row.nodes?.(row, machine) ?? {});
  return {
    name: '',
    properties: {
      '#address-cells': cells(2),
      '#size-cells': cells(2),
      compatible: identity.compatible,
      model: identity.model,
    },
    children: [
      {
        name: 'chosen',
        properties: {
          'stdout-path': identity.consolePath,
          bootargs: commandLine,
          'linux,initrd-start': initrd && cells(BigInt(initrd.start)),
          'linux,initrd-end': initrd && cells(BigInt(initrd.end)),
          'rng-seed': rngSeed,
        },
      },
      ...(identity.consolePath === undefined
        ? []
        : [{ name: 'aliases', properties: { serial0: identity.consolePath } }]),
      {
        name: `memory@${RAM_BASE.toString(16)}`,
        properties: { device_type: 'memory', reg: cells(BigInt(RAM_BASE), BigInt(machine.ramSize)) },
      },
      cpusNode(machine.harts.length, cpu),
      ...pmuNode(cpu),
      {
        name: 'soc',
        properties: {
          '#address-cells': cells(2),
          '#size-cells': cells(2),
          compatible: 'simple-bus',
          ranges: true,
        },
        children: nodes.flatMap(({ soc }) => (soc === undefined ? [] : [soc])),
      },
      ...nodes.flatMap(({ root }) => root ?? []),
    ],
  };
}

/**
 * The flattened tree that firmware and kernel get.
 * @throws DeviceTreeError when the command line contains a NUL character
 */
export function machineDeviceTreeBlob(board: Board, options: DeviceTreeOptions): Uint8Array {
  return buildDeviceTreeBlob(machineDeviceTree(board, options));
}
