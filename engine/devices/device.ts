/**
 * The contract between a device and the machine that holds it.
 *
 * A device is a register file seen from the guest, a piece of declared state
 * and, where it has one, a back end. It imports no model and no CPU.
 *
 * Lifecycle: `reset()` puts the state into its power-on values; `save()` may
 * be called only between two runs of the guest and returns canonical bytes
 * (equal states give equal bytes); `restore()` takes what `save()` gave, in
 * the same or a newer build, and must leave interrupt lines as they were.
 */

export { BusError, type BusMemory } from '../memory/bus-memory';
export { PageWanted } from '../memory/page-space';

/** Width of one register access in bytes. 64-bit accesses reach a device as two halves, low first. */
export type AccessSize = 1 | 2 | 4;

/** Anything with state that a checkpoint must hold. */
export interface Stateful {
  /** Kind and version of the payload, e.g. `uart16550@1`. */
  readonly kind: string;
  save(): Uint8Array;
  /** @throws StateError when the payload is not of this kind and version, or malformed. */
  restore(payload: Uint8Array): void;
}

/** A device behind memory-mapped registers. */
export interface Device extends Stateful {
  reset(): void;
  /** `offset` is relative to the device's window and lies inside it. Returns an unsigned 32-bit value. */
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

/** One input of an interrupt controller. Level-triggered; `set` is idempotent. */
export interface InterruptLine {
  set(asserted: boolean): void;
}

/** Guest time. Deterministic guests derive it from retired instructions, others from the caller's clock. */
export interface GuestClock {
  /** Ticks of the timebase (10 MHz on `virt`) since power-on. */
  ticks(): bigint;
  /** Wall time of the guest in nanoseconds since the Unix epoch. */
  wallNanoseconds(): bigint;
}

/** Source of random bytes; seeded in deterministic mode. Its state is saved by its owner. */
export interface RandomSource {
  fill(bytes: Uint8Array): void;
}
