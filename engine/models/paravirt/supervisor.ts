/**
 * The monitor in M-mode's place: the hart as firmware would leave it to a
 * kernel, and the SBI.
 */
import type { Hart } from '../../cpu/hart';
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

/** Puts the hart at a kernel's entry: S-mode, no translation, a0 the hart and a1 the device tree. */
export function enterKernel(hart: Hart, entry: bigint, deviceTree: bigint): void {
  const cells: readonly (readonly [cell: number, value: bigint])[] = [
    [at.MEDELEG, DELEGATED_EXCEPTIONS],
    [at.MIDELEG, DELEGATED_INTERRUPTS],
    [at.MCOUNTEREN, COUNTERS],
    [at.MENVCFG, hart.cell(at.MENVCFG) | STCE],
    [at.STIMECMP, NEVER],
    [at.PMPCFG, PMP_ALL.configuration],
    [at.PMPADDR, PMP_ALL.address],
  ];
  for (const [cell, value] of cells) hart.setCell(cell, value);
  hart.privilege = 1;
  hart.pc = entry;
  hart.setX(A0, 0n);
  hart.setX(A1, deviceTree);
  hart.restoreState(hart.saveState()); // what is derived from PMP is made anew
}

/** What the SBI does to a guest of one hart. */
export class Supervisor implements SbiMachine {
  readonly harts = 1;

  constructor(
    private readonly hart: Hart,
    private readonly ram: Ram,
    readonly writeConsole: (bytes: Uint8Array) => void,
    readonly end: (how: 'power-off' | 'reset' | 'failure', code: number) => void,
  ) {}

  /** Answers the `ecall` that the hart stands at, and goes on behind it. @throws PageWanted, and nothing has happened */
  call(): void {
    const { hart } = this;
    const args = [0, 1, 2, 3, 4, 5].map((index) => hart.x(A0 + index));
    const { error, value = 0n } = sbiCall(this, hart.x(A7), hart.x(A6), args);
    hart.pc += 4n;
    hart.setX(A0, error);
    hart.setX(A1, value);
  }

  setTimer(ticks: bigint): void {
    this.hart.setCell(at.STIMECMP, ticks);
  }
  raiseSoftwareInterrupt(): void {
    this.hart.setCell(at.MIP, this.hart.cell(at.MIP) | SSIP);
  }
  fence(): void {
    this.hart.flushTranslations();
  }
  wait(): void {
    this.hart.setCell(at.WAITING, 1n);
  }
  memory(address: bigint, length: bigint): Uint8Array | undefined {
    const from = Number(address);
    const bytes = Number(length);
    return Number.isSafeInteger(from) && this.ram.contains(from, bytes)
      ? this.ram.view(from, bytes)
      : undefined;
  }
}
