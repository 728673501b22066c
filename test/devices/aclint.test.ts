import fc from 'fast-check';
import { Aclint } from '../../engine/devices/aclint';
import { StateError } from '../../engine/snapshot/errors';
import { deviceContract, RecordingLine, type DeviceUnderTest } from '../contract/device';

function aclint(harts = 2) {
  const lines = Array.from({ length: harts }, () => new RecordingLine());
  const compares = new Array<bigint>(harts).fill(0n);
  const clock = { now: 0x1_2345_6789n, ticks: () => clock.now, wallNanoseconds: () => clock.now * 100n };
  const device = new Aclint({
    harts,
    software: (hart) => lines[hart]!,
    timer: { compare: (hart) => compares[hart]!, setCompare: (hart, ticks) => (compares[hart] = ticks) },
    clock,
  });
  return {
    device,
    lines,
    compares,
    clock,
    get: (offset: number) => device.read(offset, 4),
    put: (offset: number, value: number) => device.write(offset, 4, value),
  };
}

deviceContract('aclint', () => {
  const { device, lines, compares, clock } = aclint(3);
  return {
    device,
    compares,
    clock,
    size: 0x10000,
    offsets: [0, 4, 8, 12, 28, 0x4000, 0x4004, 0x4008, 0x4014, 0x4018, 0x403c, 0xbff8, 0xbffc],
    lines,
    stimuli: [(value: number) => (clock.now += BigInt(value) << 26n)],
    adopt: (other: DeviceUnderTest & { compares: bigint[]; clock: { now: bigint } }) => {
      compares.splice(0, compares.length, ...other.compares);
      clock.now = other.clock.now;
    },
  };
});

describe('aclint', () => {
  test('msip drives the software interrupt of its hart; only bit 0 counts', () => {
    const { get, put, lines } = aclint();
    put(4, 0xffffffff);
    expect(lines.map((line) => line.asserted)).toEqual([false, true]);
    expect([get(0), get(4), get(8)]).toEqual([0, 1, 0]);
    put(4, 0xfffffffe);
    expect(lines[1]!.asserted).toBe(false);
  });

  test('mtimecmp takes halves in either order', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.boolean(),
        fc.nat(1),
        (ticks, lowFirst, hart) => {
          const { get, put, compares } = aclint();
          const at = 0x4000 + 8 * hart;
          const halves = [
            [at, Number(ticks & 0xffffffffn)],
            [at + 4, Number(ticks >> 32n)],
          ] as const;
          for (const [offset, value] of lowFirst ? halves : [...halves].reverse()) put(offset, value);
          expect(compares[hart]).toBe(ticks);
          expect((BigInt(get(at + 4)) << 32n) | BigInt(get(at))).toBe(ticks);
        },
      ),
    );
  });

  test('a 64-bit read of mtime is not torn by a carry between its halves', () => {
    const { get, clock } = aclint();
    clock.now = 0x1_ffff_ffffn;
    const low = get(0xbff8);
    clock.now += 1n;
    expect([low, get(0xbffc)]).toEqual([0xffffffff, 1]);
    expect(get(0xbffc)).toBe(2);
  });

  test('mtime cannot be set', () => {
    const { get, put, clock } = aclint();
    put(0xbff8, 5);
    put(0xbffc, 5);
    expect((BigInt(get(0xbffc)) << 32n) | BigInt(get(0xbff8))).toBe(clock.now);
  });

  test('state of another number of harts is refused', () => {
    expect(() => aclint(2).device.restore(aclint(1).device.save())).toThrow(StateError);
    expect(() => aclint(9)).toThrow(RangeError);
  });
});
