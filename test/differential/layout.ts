/**
 * Where a batch of programs lies in guest-physical memory, and which registers
 * the programs leave alone.
 *
 *   0x80000000  code: entry, trap handlers, reset, program bodies
 *   0x80200000  2 MiB of patterns, never written: what superpages map
 *   0x80400000  control page: index of the program to run, number of programs
 *   0x80410000  one region of 64 KiB a program
 */
export const codeBase = 0x80000000n;
export const patternBase = 0x80200000n;
export const controlPage = 0x80400000n;
export const regionBase = 0x80410000n;
export const regionSize = 0x10000n;
/** RAM that both machines must have from `codeBase` on, in MiB. */
export const memoryMebibytes = 64;

/** Offsets inside a program's region. */
export const region = {
  /** Start values: x0..x31, f0..f31, then `startWords`. Never written by the program. */
  start: 0n,
  /** s10 points here, at a page boundary: loads and stores reach 2 KiB on both sides. */
  data: 0x2000n,
  /** Data words are initialised in [dataStart, dataEnd). */
  dataStart: 0x1800n,
  dataEnd: 0x2800n,
  rootTable: 0x4000n,
  middleTable: 0x5000n,
  leafTable: 0x6000n,
  /** Filled with `jr s11`; mapped executable, never writable. */
  executableFrame: 0x7000n,
  /** Six data frames that random leaf entries point to. */
  frames: 0x8000n,
  /** Roots above `rootTable` for Sv48 and Sv57. */
  root48: 0xe000n,
  root57: 0xf000n,
} as const;

/** Indices, in 8-byte words from the region's start, of what `reset` loads besides the registers. */
export const startWords = { mstatus: 64, medeleg: 65, mideleg: 66, satp: 67, mepc: 68 } as const;

/** Index of v0's first word there. */
export const vectorWords = 80;

export const regionOf = (index: number): bigint => regionBase + BigInt(index) * regionSize;

/** Values of s8 by which an `ecall` talks to the M-mode handler. */
export const requests = {
  /** The program is over; go to the next. */
  end: 0x2e0,
  /** Return from the trap in M-mode. */
  machine: 0x2e1,
} as const;

/** Where S-mode sees the code with U=0, whatever the identity mapping says: the S-mode handler runs here. */
export const supervisorAlias = 0x40000000n;

/** Registers that a random instruction may write; s8..s11, t5 and t6 belong to the rig. */
export const freeRegisters: readonly number[] = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 28, 29,
]; // prettier-ignore
