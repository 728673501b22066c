import { Syscon, type Halt } from '../../engine/devices/syscon';
import { deviceContract } from '../contract/device';

function syscon() {
  const halts: Halt[] = [];
  return { device: new Syscon({ onHalt: (halt) => halts.push(halt) }), halts };
}

deviceContract('syscon', () => ({
  ...syscon(),
  size: 0x1000,
  offsets: [0],
  values: [0x5555, 0x7777, 0x13333],
  lines: [],
}));

describe('syscon', () => {
  test.each([
    [0x5555, 4, { how: 'power-off', code: 0 }],
    [0x7777, 4, { how: 'reset', code: 0 }],
    [0x2a3333, 4, { how: 'failure', code: 42 }],
    [0x5555, 2, { how: 'power-off', code: 0 }],
  ] as const)('0x%s halts', (value, size, halt) => {
    const { device, halts } = syscon();
    device.write(0, size, value);
    expect(halts).toEqual([halt]);
  });

  test('other values, other offsets and single bytes do nothing', () => {
    const { device, halts } = syscon();
    device.write(0, 4, 0x1234);
    device.write(4, 4, 0x5555);
    device.write(0, 1, 0x55);
    expect(halts).toEqual([]);
  });
});
