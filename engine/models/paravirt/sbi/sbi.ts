/**
 * The supervisor binary interface: how an `ecall` from S-mode reaches the
 * function it names. RISC-V SBI Specification 3.0. One extension a file.
 */

/** "Standard SBI Errors". */
export const SbiError = {
  success: 0n,
  failed: -1n,
  notSupported: -2n,
  invalidParameter: -3n,
  denied: -4n,
  invalidAddress: -5n,
  alreadyAvailable: -6n,
} as const;

export interface SbiResult {
  readonly error: bigint;
  readonly value?: bigint;
}

/** What the functions do to the guest. Harts are numbered from 0. */
export interface SbiMachine {
  readonly harts: number;
  /** Interrupts S-mode when `time` reaches `ticks`; a past time interrupts at once. */
  setTimer(ticks: bigint): void;
  raiseSoftwareInterrupt(hart: number): void;
  /** Forgets the hart's address translations, and instructions that it fetched ahead. */
  fence(hart: number): void;
  /** The calling hart waits for an interrupt that is enabled. */
  wait(): void;
  isStopped(hart: number): boolean;
  /** A stopped hart enters S-mode at `entry`, with `argument` in a1. */
  start(hart: number, entry: bigint, argument: bigint): void;
  /** The calling hart stops, until another one starts it. */
  stop(): void;
  end(how: 'power-off' | 'reset' | 'failure', code: number): void;
  /** Bytes of guest RAM, or undefined when any of them is not RAM. The view is read at once. */
  memory(address: bigint, length: bigint): Uint8Array | undefined;
  writeConsole(bytes: Uint8Array): void;
}

/** Arguments a0 to a5, unsigned. */
export type SbiArguments = readonly bigint[];
export type SbiFunction = (machine: SbiMachine, args: SbiArguments) => SbiResult;

export interface SbiExtension {
  readonly name: string;
  readonly id: bigint;
  /** By function id. */
  readonly functions: readonly SbiFunction[];
}

export const ok = (value = 0n): SbiResult => ({ error: SbiError.success, value });
export const fail = (error: bigint): SbiResult => ({ error, value: 0n });

const ALL_HARTS = (1n << 64n) - 1n;

/**
 * Calls `each` for the harts of a mask ("Hart list parameter").
 * Nothing is done when the mask names a hart that is not there.
 */
export function forHarts(
  machine: SbiMachine,
  mask: bigint,
  base: bigint,
  each: (hart: number) => void,
): SbiResult {
  const chosen: number[] = [];
  for (let bit = 0n; bit < 64n; bit++) {
    if (base === ALL_HARTS) {
      if (bit < BigInt(machine.harts)) chosen.push(Number(bit));
    } else if ((mask >> bit) & 1n) {
      if (base + bit >= BigInt(machine.harts)) return fail(SbiError.invalidParameter);
      chosen.push(Number(base + bit));
    }
  }
  chosen.forEach(each);
  return ok();
}
