import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { buildDeviceTreeBlob } from '../../engine/devicetree/blob';
import { cells, DeviceTreeError, reference, type DeviceTreeNode } from '../../engine/devicetree/node';
import { asCells, asStrings, find, readDeviceTree, type ReadNode } from './reader';

const dtc = spawnSync('dtc', ['--version']).status === 0;
const withDtc = dtc ? test : test.skip;
if (!dtc) console.log('skipped: comparison with dtc, which is not installed (package device-tree-compiler)');

const tree: DeviceTreeNode = {
  name: '',
  properties: {
    '#address-cells': cells(2),
    '#size-cells': cells(2),
    compatible: ['a,b', 'c'],
    model: 'test',
  },
  children: [
    {
      name: 'pic@1000',
      label: 'pic',
      properties: { 'interrupt-controller': true, '#interrupt-cells': cells(1), reg: cells(0x1000n, 0x10n) },
    },
    { name: 'unused', label: 'unused' },
    {
      name: 'uart@2000',
      label: 'uart',
      properties: {
        'interrupts-extended': cells(reference('pic'), 5),
        seed: Uint8Array.of(1, 2, 3),
        reg: cells(0x1_2345_6789_abcdn, 1n),
        absent: undefined,
      },
    },
    { name: 'aliases', properties: { peer: cells(reference('uart'), reference('pic')) } },
  ],
};

describe('device tree blob', () => {
  test('an independent reader finds what was put in', () => {
    const blob = buildDeviceTreeBlob(tree, {
      reservations: [{ address: 0x8000_0000n, size: 0x1000n }],
      bootCpu: 3,
    });
    const { root, reservations, bootCpu } = readDeviceTree(blob);
    expect(bootCpu).toBe(3);
    expect(reservations).toEqual([[0x8000_0000n, 0x1000n]]);
    expect(asStrings(root.properties['compatible']!)).toEqual(['a,b', 'c']);
    const pic = find(root, 'pic@1000');
    const uart = find(root, 'uart@2000');
    expect(pic.properties['interrupt-controller']).toHaveLength(0);
    const phandle = (node: ReadNode) => asCells(node.properties['phandle']!)[0]!;
    expect(asCells(uart.properties['interrupts-extended']!)).toEqual([phandle(pic), 5]);
    expect(asCells(find(root, 'aliases').properties['peer']!)).toEqual([phandle(uart), phandle(pic)]);
    expect(phandle(uart)).not.toBe(phandle(pic));
    expect([...uart.properties['seed']!]).toEqual([1, 2, 3]);
    expect(asCells(uart.properties['reg']!)).toEqual([0x12345, 0x6789abcd, 0, 1]);
    expect(uart.properties).not.toHaveProperty('absent');
    expect(find(root, 'unused').properties).toEqual({});
  });

  test('any tree survives, whatever its shape', () => {
    const property = fc.oneof(
      fc.constant(true as const),
      fc.string({ unit: fc.constantFrom('a', 'é', ' ', '0') }),
      fc.array(fc.string({ unit: 'grapheme-ascii' }), { minLength: 1, maxLength: 3 }),
      fc.uint8Array({ maxLength: 9 }),
      fc
        .array(fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })))
        .map((list) => cells(...list)),
    );
    const nodeOf = (depth: number): fc.Arbitrary<DeviceTreeNode> =>
      fc.record({
        name: fc.stringMatching(/^[a-z][a-z0-9,_-]{0,8}(@[0-9a-f]{1,8})?$/),
        properties: fc.dictionary(fc.stringMatching(/^[a-z#][a-z0-9,-]{0,10}$/), property, { maxKeys: 4 }),
        children:
          depth === 0
            ? fc.constant([])
            : fc.uniqueArray(nodeOf(depth - 1), { maxLength: 3, selector: (child) => child.name }),
      });
    const expected = ({ name, properties = {}, children = [] }: DeviceTreeNode): ReadNode => ({
      name,
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, value]) => {
          if (value === true || value === undefined) return [key, new Uint8Array(0)];
          if (value instanceof Uint8Array) return [key, value];
          if (typeof value === 'object' && 'cells' in value) {
            const hex = (value.cells as number[]).map((cell) => cell.toString(16).padStart(8, '0')).join('');
            return [key, Uint8Array.from(Buffer.from(hex, 'hex'))];
          }
          const strings = (typeof value === 'string' ? [value] : value)
            .map((string) => `${string}\0`)
            .join('');
          return [key, new TextEncoder().encode(strings)];
        }),
      ),
      children: children.map(expected),
    });
    fc.assert(
      fc.property(nodeOf(3), (generated) => {
        const root = { ...generated, name: '' };
        expect(readDeviceTree(buildDeviceTreeBlob(root)).root).toEqual(expected(root));
      }),
    );
  });

  withDtc('dtc reads it and, compiling its own listing, arrives at an equal tree', () => {
    const blob = buildDeviceTreeBlob(tree, { reservations: [{ address: 0x8000_0000n, size: 0x1000n }] });
    const listing = spawnSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts'], { input: blob });
    expect(listing.status).toBe(0);
    const again = spawnSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb'], { input: listing.stdout });
    expect(readDeviceTree(new Uint8Array(again.stdout))).toEqual(readDeviceTree(blob));
  });

  test.each<[string, DeviceTreeNode, RegExp]>([
    [
      'a reference to nothing',
      { name: '', properties: { x: cells(reference('nowhere')) } },
      /no node is labelled "nowhere"/,
    ],
    [
      'a label twice',
      {
        name: '',
        children: [
          { name: 'a', label: 'l' },
          { name: 'b', label: 'l' },
        ],
      },
      /two nodes are labelled "l"/,
    ],
    ['a name twice', { name: '', children: [{ name: 'a' }, { name: 'a' }] }, /two nodes are named "a"/],
    ['a bad node name', { name: '', children: [{ name: 'a/b' }] }, /"a\/b" is no name for a node/],
    ['a bad property name', { name: '', properties: { 'a b': true } }, /"a b" is no name for a property/],
    ['a NUL in a string', { name: '', properties: { bootargs: 'a\0b' } }, /bootargs.*NUL.*remove it/],
    ['a named root', { name: 'root' }, /root node/],
  ])('%s is refused', (_name, root, message) => {
    expect(() => buildDeviceTreeBlob(root)).toThrow(DeviceTreeError);
    expect(() => buildDeviceTreeBlob(root)).toThrow(message);
  });

  test('cells refuse what does not fit', () => {
    for (const value of [-1, 2 ** 32, 1.5, Number.NaN, -1n, 2n ** 64n])
      expect(() => cells(value)).toThrow(RangeError);
  });
});
