/**
 * Goldfish real-time clock ("google,goldfish-rtc"): nanoseconds since the
 * Unix epoch, and one alarm.
 *
 * Reference: "Goldfish virtual hardware", section XI, in the Android
 * emulator's documentation. 64-bit values are read low half first, which
 * latches the high half, and written high half first.
 */
import { bool, record, u32, u64, type StateOf } from '../snapshot/codec';
import type { AccessSize, GuestClock, InterruptLine } from './device';
import { DeclaredDevice, RegisterMap } from './registers';

export interface GoldfishRtcOptions {
  readonly clock: GuestClock;
  readonly interrupt: InterruptLine;
}

const layout = record('goldfish-rtc', 1, {
  /** What the guest's settings of the time have added to the clock, modulo 2^64. */
  offset: u64,
  timeHigh: u32,
  alarm: u64,
  armed: bool,
  pending: bool,
  interruptEnabled: bool,
});
type State = StateOf<typeof layout>;

const withLow = (value: bigint, half: number): bigint => (value & 0xffffffff_00000000n) | BigInt(half);
const withHigh = (value: bigint, half: number): bigint => (BigInt(half) << 32n) | (value & 0xffffffffn);
const low = (value: bigint): number => Number(value & 0xffffffffn);
const high = (value: bigint): number => Number(value >> 32n);

export class GoldfishRtc extends DeclaredDevice<State> {
  private static readonly registers = new RegisterMap<GoldfishRtc>(4, [
    {
      offset: 0x00,
      name: 'TIME_LOW',
      read: (d) => d.readTime(),
      write: (d, value) => d.setTime(withLow(d.now(), value)),
    },
    {
      offset: 0x04,
      name: 'TIME_HIGH',
      read: (d) => d.state.timeHigh,
      write: (d, value) => d.setTime(withHigh(d.now(), value)),
    },
    {
      offset: 0x08,
      name: 'ALARM_LOW',
      read: (d) => low(d.state.alarm),
      write: (d, value) => d.arm(withLow(d.state.alarm, value)),
    },
    {
      offset: 0x0c,
      name: 'ALARM_HIGH',
      read: (d) => high(d.state.alarm),
      write: (d, value) => (d.state.alarm = withHigh(d.state.alarm, value)),
    },
    {
      offset: 0x10,
      name: 'IRQ_ENABLED',
      read: (d) => (d.state.interruptEnabled ? 1 : 0),
      write: (d, value) => d.enableInterrupt((value & 1) === 1),
    },
    { offset: 0x14, name: 'CLEAR_ALARM', write: (d) => (d.state.armed = false) },
    { offset: 0x18, name: 'ALARM_STATUS', read: (d) => (d.state.armed ? 1 : 0) },
    { offset: 0x1c, name: 'CLEAR_INTERRUPT', write: (d) => d.clearInterrupt() },
  ]);

  constructor(private readonly options: GoldfishRtcOptions) {
    super(layout, () => ({
      offset: 0n,
      timeHigh: 0,
      alarm: 0n,
      armed: false,
      pending: false,
      interruptEnabled: false,
    }));
  }

  read(offset: number, size: AccessSize): number {
    return GoldfishRtc.registers.read(this, offset, size);
  }
  write(offset: number, size: AccessSize, value: number): void {
    GoldfishRtc.registers.write(this, offset, size, value);
  }

  /** When the alarm is due, in nanoseconds of the clock's wall time; undefined when none is armed. */
  nextAlarm(): bigint | undefined {
    if (!this.state.armed) return undefined;
    const remaining = this.state.alarm - this.now();
    return this.options.clock.wallNanoseconds() + (remaining > 0n ? remaining : 0n);
  }

  /** To be called when `nextAlarm()` may have passed. */
  tick(): void {
    if (!this.state.armed || this.state.alarm > this.now()) return;
    this.state.armed = false;
    this.state.pending = true;
    this.update();
  }

  private now(): bigint {
    return BigInt.asUintN(64, this.options.clock.wallNanoseconds() + this.state.offset);
  }
  private readTime(): number {
    const now = this.now();
    this.state.timeHigh = high(now);
    return low(now);
  }
  private setTime(time: bigint): void {
    this.state.offset = BigInt.asUintN(64, time - this.options.clock.wallNanoseconds());
    this.tick();
  }
  private arm(alarm: bigint): void {
    this.state.alarm = alarm;
    this.state.armed = true;
    this.tick();
  }
  private enableInterrupt(enabled: boolean): void {
    this.state.interruptEnabled = enabled;
    this.update();
  }
  private clearInterrupt(): void {
    this.state.pending = false;
    this.update();
  }

  protected override update(): void {
    this.options.interrupt.set(this.state.pending && this.state.interruptEnabled);
  }
}
