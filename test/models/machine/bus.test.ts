import fc from 'fast-check';
import type { AccessSize } from '../../../engine/devices/device';
import { Bus, type BusWindow } from '../../../engine/models/machine/bus';

/** A window that answers with the offset it was asked for, and notes writes. */
function window(name: string, base: number, size: number, writes: unknown[] = []): BusWindow {
  return {
    name,
    base,
    size,
    registers: {
      read: (offset) => offset,
      write: (offset, width, value) => writes.push([name, offset, width, value]),
    },
  };
}

describe('bus', () => {
  test('finds for any access what a search through all windows finds', () => {
    const gaps = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 20 })), {
      minLength: 1,
      maxLength: 8,
    });
    const accesses = fc.array(fc.tuple(fc.nat(400), fc.constantFrom<AccessSize>(1, 2, 4)), { maxLength: 40 });
    fc.assert(
      fc.property(gaps, accesses, fc.constantFrom(0, 0x4_0000_0000), (layout, list, origin) => {
        let next = origin;
        const windows = layout.map(([gap, size], index) => {
          const made = window(`w${index}`, next + gap, size);
          next += gap + size;
          return made;
        });
        const bus = new Bus([...windows].reverse());
        for (const [at, size] of list) {
          const address = origin + at;
          const owner = windows.find(
            ({ base, size: length }) => address >= base && address + size <= base + length,
          );
          expect(bus.read(address, size)).toBe(owner && address - owner.base);
          expect(bus.write(address, size, 1)).toBe(owner !== undefined);
        }
      }),
    );
  });

  test('an access over a border of two windows is nobody’s', () => {
    const writes: unknown[] = [];
    const bus = new Bus([window('a', 0x1000, 0x100, writes), window('b', 0x1100, 0x100, writes)]);
    expect(bus.read(0x10fe, 4)).toBeUndefined();
    expect(bus.write(0x10fe, 4, 0)).toBe(false);
    expect(bus.write(0x10fe, 2, 7)).toBe(true);
    expect(bus.write(0x1100, 4, 8)).toBe(true);
    expect(writes).toEqual([['a', 0xfe, 2, 7], ['b', 0, 4, 8]]); // prettier-ignore
  });

  test('overlapping windows are refused by name', () => {
    expect(() => new Bus([window('a', 0, 0x11), window('b', 0x10, 1)])).toThrow(/a and b overlap/);
  });

  test('an empty bus answers nothing', () => {
    expect(new Bus([]).read(0, 4)).toBeUndefined();
  });
});
