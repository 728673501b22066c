import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Board } from '../../../engine/models/machine/board';
import { machineDeviceTreeBlob, type DeviceTreeOptions } from '../../../engine/models/machine/devicetree';
import { isaString } from '../../../engine/isa/isa-string';
import { VIRT } from '../../../engine/models/machine/memory-map';
import { asCells, asStrings, find, readDeviceTree, type ReadNode } from '../../devicetree/reader';
import { testMachine } from './context';

const cpu: DeviceTreeOptions['cpu'] = {
  extensions: ['m', 'a', 'f', 'd', 'c', 'zicsr', 'sstc', 'zba'],
  mmu: 'sv48',
};

function blob(harts: number, options: Partial<DeviceTreeOptions> = {}): Uint8Array {
  return machineDeviceTreeBlob(new Board(VIRT, testMachine(harts).context), { cpu, ...options });
}
const tree = (harts: number, options: Partial<DeviceTreeOptions> = {}): ReadNode =>
  readDeviceTree(blob(harts, options)).root;

/** Paths of all nodes, with phandles in properties replaced by the paths that they stand for, so that trees compare. */
function resolved(root: ReadNode): Map<string, Record<string, string>> {
  const byHandle = new Map<number, string>();
  const nodes: [string, ReadNode][] = [];
  const walk = (node: ReadNode, path: string): void => {
    nodes.push([path, node]);
    const handle = node.properties['phandle'];
    if (handle) byHandle.set(asCells(handle)[0]!, path);
    node.children.forEach((child) => walk(child, `${path}/${child.name}`));
  };
  walk(root, '');
  // Which cells of which property are phandles: every n-th, from the k-th on.
  const references: Record<string, [period: number, at: number]> = {
    'interrupt-parent': [1, 0],
    'interrupts-extended': [2, 0],
    'interrupt-map': [6, 4],
    regmap: [1, 0],
    cpu: [1, 0],
  };
  return new Map(
    nodes.map(([path, { properties }]) => [
      path,
      Object.fromEntries(
        Object.entries(properties)
          .filter(([name]) => name !== 'phandle')
          .map(([name, bytes]) => {
            const reference = references[name];
            if (reference === undefined) return [name, Buffer.from(bytes).toString('hex')];
            const [period, at] = reference;
            return [
              name,
              asCells(bytes)
                .map((cell, index) => (index % period === at ? byHandle.get(cell) : cell))
                .join(' '),
            ];
          }),
      ),
    ]),
  );
}

const dtc = spawnSync('dtc', ['--version']).status === 0;
const qemu = spawnSync('qemu-system-riscv64', ['--version']).status === 0;
if (!dtc) console.log('skipped: checks by dtc, which is not installed (package device-tree-compiler)');
if (!qemu) console.log('skipped: comparison with QEMU, which is not installed (package qemu-system-misc)');

describe('device tree of the machine', () => {
  (qemu ? test : test.skip)('describes every device as QEMU’s does', () => {
    const folder = mkdtempSync(join(tmpdir(), 'device-tree-'));
    try {
      const file = join(folder, 'virt.dtb');
      expect(
        spawnSync('qemu-system-riscv64', ['-M', `virt,dumpdtb=${file}`, '-smp', '2', '-m', '16M']).status,
      ).toBe(0);
      const dump = new Uint8Array(readFileSync(file)); // QEMU may leave room behind the tree
      const theirs = resolved(readDeviceTree(dump.slice(0, asCells(dump.slice(4, 8))[0])).root);
      const ours = resolved(tree(2));
      // QEMU's own extras, and what depends on its CPU and version.
      const only = /^\/(fw-cfg@|platform-bus@|pmu$|aliases$)/;
      const free = new Set(['riscv,isa', 'riscv,isa-base', 'riscv,isa-extensions', 'rng-seed', 'mmu-type']);
      const common = (nodes: typeof ours) =>
        Object.fromEntries(
          [...nodes]
            .filter(([path]) => !only.test(path))
            .map(([path, properties]) => [
              path,
              Object.fromEntries(Object.entries(properties).filter(([name]) => !free.has(name))),
            ]),
        );
      expect(common(ours)).toEqual(common(theirs));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  (dtc ? test : test.skip)('passes dtc’s checks', () => {
    const result = spawnSync('dtc', ['-I', 'dtb', '-O', 'dts'], {
      input: blob(8, { commandLine: 'quiet' }),
      encoding: 'utf8',
    });
    expect(result.status).toBe(0);
    // These QEMU's tree has as well: a hart's interrupt controller needs no #address-cells.
    expect(
      result.stderr
        .split('\n')
        .filter((line) => line !== '' && !/interrupt-controller: Missing #address-cells/.test(line)),
    ).toEqual([]);
  });

  test('the boot loader’s part stands in /chosen', () => {
    const rngSeed = Uint8Array.from({ length: 32 }, (_, index) => index);
    const root = tree(1, {
      commandLine: 'console=ttyS0 quiet',
      initrd: { start: 0x8400_0000, end: 0x1_0000_0001 },
      rngSeed,
    });
    const { properties } = find(root, 'chosen');
    expect(asStrings(properties['bootargs']!)).toEqual(['console=ttyS0 quiet']);
    expect(asCells(properties['linux,initrd-start']!)).toEqual([0, 0x8400_0000]);
    expect(asCells(properties['linux,initrd-end']!)).toEqual([1, 1]);
    expect(properties['rng-seed']).toEqual(rngSeed);
    const [path] = asStrings(properties['stdout-path']!);
    expect(asStrings(find(root, path!).properties['compatible']!)).toEqual(['ns16550a']);
    expect(Object.keys(find(tree(1), 'chosen').properties)).toEqual(['stdout-path']);
  });

  test('describes the CPU in both ways that kernels read', () => {
    const { properties } = find(tree(3), 'cpus/cpu@2');
    expect(asStrings(properties['riscv,isa']!)).toEqual(['rv64imafdc_zicsr_zba_sstc']);
    expect(asStrings(properties['riscv,isa-base']!)).toEqual(['rv64i']);
    expect(asStrings(properties['riscv,isa-extensions']!)).toEqual([
      'i',
      'm',
      'a',
      'f',
      'd',
      'c',
      'zicsr',
      'zba',
      'sstc',
    ]);
    expect(asStrings(properties['mmu-type']!)).toEqual(['riscv,sv48']);
  });

  test('the size of cache blocks stands where there are operations on them', () => {
    const sizes = (...extensions: string[]): string[] =>
      Object.entries(find(tree(1, { cpu: { extensions, mmu: 'sv39' } }), 'cpus/cpu@0').properties)
        .filter(([name]) => name.endsWith('block-size'))
        .map(([name, bytes]) => `${name}=${asCells(bytes).join()}`);
    expect(sizes('zicsr')).toEqual([]);
    expect(sizes('zicboz')).toEqual(['riscv,cboz-block-size=64']);
    expect(sizes('zicbom', 'zicbop')).toEqual(['riscv,cbom-block-size=64', 'riscv,cbop-block-size=64']);
  });

  test('the ISA string is canonical whatever the order of the extensions', () => {
    const names = ['sstc', 'svinval', 'zba', 'zifencei', 'zicsr', 'c', 'd', 'f', 'a', 'm', 'v', 'zbb', 'm'];
    expect(isaString(names)).toBe('rv64imafdcv_zicsr_zifencei_zba_zbb_sstc_svinval');
    expect(isaString([...names].reverse())).toBe(isaString(names));
  });
});
