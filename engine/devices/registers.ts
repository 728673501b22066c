/**
 * Registers as rows instead of a switch, and the saved state behind them.
 *
 * What a guest may do wrong is settled here once for every device: an offset
 * without a register, or a register without that direction, reads as zero and
 * ignores writes, as the buses of most real systems do.
 */
import type { Layout } from '../snapshot/codec';
import { StateError } from '../snapshot/errors';
import type { AccessSize, Device } from './device';

/** One register, or `count` equal registers `stride` bytes apart. */
export interface Register<D> {
  readonly offset: number;
  /** As the device's data sheet calls it. */
  readonly name: string;
  readonly count?: number;
  /** Bytes from one to the next; the map's width when absent. */
  readonly stride?: number;
  readonly read?: (device: D, index: number) => number;
  readonly write?: (device: D, value: number, index: number) => void;
}

/**
 * The registers of one kind of device, all `width` bytes wide.
 *
 * An access wider than a register touches only the register at its offset. A
 * narrower read gets its part of the register; a narrower write is ignored,
 * because a device cannot know the bytes that are not there.
 */
export class RegisterMap<D> {
  private readonly at = new Map<number, { register: Register<D>; index: number }>();

  constructor(
    private readonly width: 1 | 4,
    registers: readonly Register<D>[],
  ) {
    for (const register of registers) {
      for (let index = 0; index < (register.count ?? 1); index++) {
        const offset = register.offset + index * (register.stride ?? width);
        if (this.at.has(offset))
          throw new TypeError(`two registers at 0x${offset.toString(16)}: ${register.name}`);
        this.at.set(offset, { register, index });
      }
    }
  }

  read(device: D, offset: number, size: AccessSize): number {
    const lane = size < this.width ? offset % this.width : 0;
    const found = this.at.get(offset - lane);
    if (found?.register.read === undefined) return 0;
    const value = found.register.read(device, found.index) >>> (8 * lane);
    return size === 4 ? value >>> 0 : value & (2 ** (8 * size) - 1);
  }

  write(device: D, offset: number, size: AccessSize, value: number): void {
    if (size < this.width) return;
    const found = this.at.get(offset);
    found?.register.write?.(device, this.width === 1 ? value & 0xff : value >>> 0, found.index);
  }
}

/** What all devices with declared state have in common. */
export abstract class DeclaredDevice<State extends object> implements Device {
  readonly kind: string;
  protected state: State;

  /** @param powerOn fresh state as after power-on; called again at each reset */
  constructor(
    private readonly layout: Layout<State>,
    private readonly powerOn: () => State,
  ) {
    this.kind = layout.name;
    this.state = powerOn();
  }

  abstract read(offset: number, size: AccessSize): number;
  abstract write(offset: number, size: AccessSize, value: number): void;

  reset(): void {
    this.state = this.powerOn();
    this.update();
  }
  save(): Uint8Array {
    return this.layout.encode(this.state);
  }
  restore(payload: Uint8Array): void {
    const state = this.layout.decode(payload);
    const problem = this.problem(state);
    if (problem !== undefined) throw new StateError(`${this.kind}: ${problem}`);
    this.state = state;
  }

  /** Drives the interrupt lines from the state. */
  protected update(): void {}
  /** What is wrong with a well-formed state, beyond what its fields can say. */
  protected problem(_state: State): string | undefined {
    return undefined;
  }
}
