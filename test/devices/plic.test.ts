import fc from 'fast-check';
import { Plic } from '../../engine/devices/plic';
import { deviceContract, RecordingLine } from '../contract/device';

const priority = (source: number) => 4 * source;
const enable = (context: number, source: number) => 0x2000 + 0x80 * context + 4 * (source >> 5);
const threshold = (context: number) => 0x200000 + 0x1000 * context;
const claim = (context: number) => 0x200004 + 0x1000 * context;

function plic(contexts = 2) {
  const lines = Array.from({ length: contexts }, () => new RecordingLine());
  const device = new Plic({ contexts: lines });
  return {
    device,
    lines,
    get: (offset: number) => device.read(offset, 4),
    put: (offset: number, value: number) => device.write(offset, 4, value),
    enable: (context: number, ...sources: number[]) => {
      for (const source of sources) {
        const at = enable(context, source);
        device.write(at, 4, (device.read(at, 4) | (1 << (source & 31))) >>> 0);
      }
    },
  };
}

deviceContract('plic', () => {
  const { device, lines } = plic(4);
  return {
    device,
    size: 0x600000,
    offsets: [
      0, 4, 40, 0x180, 0x1000, 0x100c, 0x2000, 0x2004, 0x200c, 0x2080, 0x200000, 0x200004, 0x201004, 0x203000,
      0x204004, 0x20f004,
    ],
    values: [10, 96, 97, 7],
    lines,
    stimuli: [
      (value) => device.input((value % 96) + 1).set(true),
      (value) => device.input((value % 96) + 1).set(false),
    ],
  };
});

describe('plic', () => {
  test('delivers a source only when enabled, with a priority above the threshold', () => {
    const { device, lines, put, enable } = plic();
    device.input(10).set(true);
    expect(lines[1]!.asserted).toBe(false);
    put(priority(10), 3);
    expect(lines[1]!.asserted).toBe(false);
    enable(1, 10);
    expect(lines.map((line) => line.asserted)).toEqual([false, true]);
    put(threshold(1), 3);
    expect(lines[1]!.asserted).toBe(false);
    put(threshold(1), 2);
    expect(lines[1]!.asserted).toBe(true);
  });

  test('claims come by priority, then by number; a claim hides the source until its completion', () => {
    const { device, lines, get, put, enable } = plic();
    for (const [source, level] of [
      [5, 1],
      [33, 7],
      [64, 7],
      [96, 2],
    ] as const) {
      // prettier-ignore
      put(priority(source), level);
      enable(0, source);
      device.input(source).set(true);
    }
    expect([1, 2, 3, 4, 5].map(() => get(claim(0)))).toEqual([33, 64, 96, 5, 0]);
    expect(lines[0]!.asserted).toBe(false);
    put(claim(0), 64); // still high: pending again
    expect(get(claim(0))).toBe(64);
    device.input(64).set(false);
    put(claim(0), 64);
    expect(get(claim(0))).toBe(0);
  });

  test('a request stays pending when its source falls before the claim', () => {
    const { device, get, put, enable } = plic();
    put(priority(7), 1);
    enable(0, 7);
    device.input(7).set(true);
    device.input(7).set(false);
    expect(get(0x1000)).toBe(1 << 7);
    expect(get(claim(0))).toBe(7);
    put(claim(0), 7);
    expect(get(0x1000)).toBe(0);
  });

  test('a claim does not heed the threshold; a completion of a disabled source is ignored', () => {
    const { device, get, put, enable } = plic();
    put(priority(7), 1);
    put(threshold(0), 7);
    enable(0, 7);
    device.input(7).set(true);
    expect(get(claim(0))).toBe(7);
    put(enable_(0), 0);
    put(claim(0), 7);
    expect(get(0x1000)).toBe(0); // still being served
    enable(0, 7);
    put(claim(0), 7);
    expect(get(0x1000)).toBe(1 << 7);
  });
  const enable_ = (context: number) => enable(context, 0);

  test('source 0 and sources above the last do not exist', () => {
    const { get, put, device } = plic();
    for (const word of [0, 1, 2, 3, 4]) put(0x2000 + 4 * word, 0xffffffff);
    put(0, 7);
    expect([0, 1, 2, 3, 4].map((word) => get(0x2000 + 4 * word))).toEqual([
      0xfffffffe, 0xffffffff, 0xffffffff, 1, 0,
    ]);
    expect(get(0)).toBe(0);
    expect(() => device.input(0)).toThrow(RangeError);
    expect(() => device.input(97)).toThrow(RangeError);
  });

  test('contexts that no hart has read as zero', () => {
    const { get, put } = plic(2);
    put(0x2000 + 2 * 0x80, 2);
    put(threshold(2), 3);
    expect([get(0x2000 + 2 * 0x80), get(threshold(2)), get(claim(2))]).toEqual([0, 0, 0]);
  });

  test('a serving loop meets every raised source exactly once, in any order of raising', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 96 })),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 97, maxLength: 97 }),
        (sources, levels) => {
          const { device, get, put, lines } = plic(1);
          for (let source = 1; source <= 96; source++) put(priority(source), levels[source]!);
          for (let word = 0; word < 4; word++) put(0x2000 + 4 * word, 0xffffffff);
          for (const source of sources) device.input(source).set(true);
          const served: number[] = [];
          while (lines[0]!.asserted) {
            const source = get(claim(0));
            served.push(source);
            device.input(source).set(false);
            put(claim(0), source);
          }
          const expected = [...sources].sort((a, b) => levels[b]! - levels[a]! || a - b);
          expect(served).toEqual(expected);
        },
      ),
    );
  });
});
