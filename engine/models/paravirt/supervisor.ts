/**
 * The monitor in M-mode's place: harts as firmware would leave them to a
 * kernel, and the SBI.
 */
import type { Harts } from '../../cpu/harts';
import * as at from '../../cpu/layout';
import type { Ram } from '../../memory/ram';
import { type SbiMachine, sbiCall } from './sbi';

/** Argument registers. */
const A0 = 10;
const A1 = 11;
const A6 = 16;
const A7 = 17;

export const ECALL_FROM_SUPERVISOR = 9;
/** Every exception but the SBI's own call is the guest's to handle. Privileged ISA manual, "medeleg". */
const DELEGATED_EXCEPTIONS = 0xb1ffn;
/** SSI, STI, SEI. */
const DELEGATED_INTERRUPTS = 0x222n;
const SSIP = 1n << 1n;
/** stimecmp decides about the timer interrupt, whether S-mode may write it or asks by SBI. */
const STCE = 1n << 63n;
/** cycle, time, instret. */
const COUNTERS = 7n;
/** One NAPOT entry over all addresses, RWX. "Physical Memory Protection". */
const PMP_ALL = { configuration: 0x1fn, address: (1n << 54n) - 1n };
const NEVER = (1n << 64n) - 1n;

/**
 * Puts a hart that is as at power-on into a kernel: S-mode, no translation, a0 the hart and a1 `argument`, which is
 * the device tree for the first one. SBI 3.0, "Function: HART start".
 */
export function enterKernel(harts: Harts, hart: number, entry: bigint, argument: bigint): void {
  const cells: readonly (readonly [cell: number, value: bigint])[] = [
    [at.MEDELEG, DELEGATED_EXCEPTIONS],
    [at.MIDELEG, DELEGATED_INTERRUPTS],
    [at.MCOUNTEREN, COUNTERS],
    [at.MENVCFG, harts.cell(hart, at.MENVCFG) | STCE],
    [at.STIMECMP, NEVER],
    [at.PMPCFG, PMP_ALL.configuration],
    [at.PMPADDR, PMP_ALL.address],
    [at.PRIVILEGE, 1n],
    [at.PC, entry],
    [at.X + 8 * A0, BigInt(hart)],
    [at.X + 8 * A1, argument],
  ];
  for (const [cell, value] of cells) harts.setCell(hart, cell, value);
  // What is derived from PMP and mode is made anew.
  if (hart === harts.current) harts.hart.restoreState(harts.hart.saveState());
}

/** What the SBI does to a guest. Calls come from the loaded hart. */
export class Supervisor implements SbiMachine {
  constructor(
    private readonly all: Harts,
    private readonly ram: Ram,
    readonly writeConsole: (bytes: Uint8Array) => void,
    readonly end: (how: 'power-off' | 'reset' | 'failure', code: number) => void,
  ) {}

  /** Answers the `ecall` that the hart stands at, and goes on behind it. @throws PageWanted, and nothing has happened */
  call(): void {
    const { hart } = this.all;
    const args = [0, 1, 2, 3, 4, 5].map((index) => hart.x(A0 + index));
    const { error, value = 0n } = sbiCall(this, hart.x(A7), hart.x(A6), args);
    hart.pc += 4n;
    hart.setX(A0, error);
    hart.setX(A1, value);
  }

  get harts(): number {
    return this.all.count;
  }
  setTimer(ticks: bigint): void {
    this.all.hart.setCell(at.STIMECMP, ticks);
  }
  raiseSoftwareInterrupt(hart: number): void {
    this.all.setPending(hart, SSIP);
  }
  fence(hart: number): void {
    // A parked hart has no translations.
    if (hart === this.all.current) this.all.hart.flushTranslations();
  }
  wait(): void {
    this.all.hart.setCell(at.WAITING, BigInt(at.WAITING_INTERRUPT));
  }
  isStopped(hart: number): boolean {
    return this.all.isStopped(hart);
  }
  start(hart: number, entry: bigint, argument: bigint): void {
    this.all.reset(hart);
    enterKernel(this.all, hart, entry, argument);
  }
  stop(): void {
    this.all.stop(this.all.current);
  }
  memory(address: bigint, length: bigint): Uint8Array | undefined {
    const from = Number(address);
    const bytes = Number(length);
    return Number.isSafeInteger(from) && this.ram.contains(from, bytes)
      ? this.ram.view(from, bytes)
      : undefined;
  }
}
