import fc from 'fast-check';
import { GoldfishRtc } from '../../engine/devices/goldfish-rtc';
import { deviceContract, RecordingLine, type DeviceUnderTest } from '../contract/device';

const START = 1_800_000_000_123_456_789n;

function rtc() {
  const line = new RecordingLine();
  const clock = { now: START, ticks: () => clock.now / 100n, wallNanoseconds: () => clock.now };
  const device = new GoldfishRtc({ clock, interrupt: line });
  const put = (offset: number, value: number) => device.write(offset, 4, value);
  return {
    device,
    clock,
    line,
    put,
    get: (offset: number) => device.read(offset, 4),
    /** As the Linux driver does. */
    now: () => BigInt(device.read(0, 4)) | (BigInt(device.read(4, 4)) << 32n),
    set: (offset: number, value: bigint) => {
      put(offset + 4, Number(value >> 32n));
      put(offset, Number(value & 0xffffffffn));
    },
  };
}

deviceContract('goldfish-rtc', () => {
  const { device, line, clock } = rtc();
  return {
    device,
    clock,
    size: 0x1000,
    offsets: [0, 4, 8, 12, 16, 20, 24, 28],
    lines: [line],
    stimuli: [(value: number) => (clock.now += BigInt(value) << 30n), () => device.tick()],
    adopt: (other: DeviceUnderTest & { clock: { now: bigint } }) => (clock.now = other.clock.now),
  };
});

describe('goldfish-rtc', () => {
  test('reading the low half latches the high half', () => {
    const { get, clock } = rtc();
    clock.now = 0x1_ffff_ffffn;
    expect(get(0)).toBe(0xffffffff);
    clock.now += 1n;
    expect(get(4)).toBe(1);
  });

  test('a time that was set goes on with the clock', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 63n }),
        fc.bigInt({ min: 0n, max: 2n ** 60n }),
        (time, passed) => {
          const { now, set, clock } = rtc();
          set(0, time);
          expect(now()).toBe(time);
          clock.now += passed;
          expect(now()).toBe(time + passed);
        },
      ),
    );
  });

  test('the alarm raises the line when it is due, once, and only when enabled', () => {
    const { device, set, put, get, line, clock } = rtc();
    put(0x10, 1);
    set(8, START + 1000n);
    expect(device.nextAlarm()).toBe(START + 1000n);
    expect(get(0x18)).toBe(1);
    clock.now += 999n;
    device.tick();
    expect(line.asserted).toBe(false);
    clock.now += 1n;
    device.tick();
    expect(line.asserted).toBe(true);
    expect([get(0x18), device.nextAlarm()]).toEqual([0, undefined]);
    put(0x1c, 1);
    expect(line.asserted).toBe(false);
    device.tick();
    expect(line.asserted).toBe(false);
  });

  test('an alarm in the past is due at once; disabling the interrupt hides it', () => {
    const { set, put, line } = rtc();
    set(8, START - 1n);
    expect(line.asserted).toBe(false);
    put(0x10, 1);
    expect(line.asserted).toBe(true);
    put(0x10, 0);
    expect(line.asserted).toBe(false);
  });

  test('a cleared alarm never comes; the next alarm heeds the time that was set', () => {
    const { device, set, put, clock } = rtc();
    set(8, START + 10n);
    put(0x14, 1);
    expect(device.nextAlarm()).toBeUndefined();
    set(0, 5_000n);
    set(8, 6_000n);
    expect(device.nextAlarm()).toBe(clock.now + 1_000n);
  });
});
