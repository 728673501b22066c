/** Exits from guest code by cause, as rows: counter cell, name. Causes: privileged ISA manual, "Machine Cause". */
import * as at from './layout';

const exceptions = [
  'instruction-misaligned', 'instruction-access-fault', 'illegal-instruction', 'breakpoint',
  'load-misaligned', 'load-access-fault', 'store-misaligned', 'store-access-fault',
  'ecall-user', 'ecall-supervisor', '', 'ecall-machine',
  'instruction-page-fault', 'load-page-fault', '', 'store-page-fault',
]; // prettier-ignore

const interrupts: Readonly<Record<number, string>> = {
  1: 'supervisor-software-interrupt',
  3: 'machine-software-interrupt',
  5: 'supervisor-timer-interrupt',
  7: 'machine-timer-interrupt',
  9: 'supervisor-external-interrupt',
  11: 'machine-external-interrupt',
};

export const exitCounters: readonly (readonly [cell: number, name: string])[] = [
  ...exceptions.map((name, cause) => [at.COUNTER_EXCEPTIONS + 8 * cause, name] as const),
  ...Object.entries(interrupts).map(
    ([cause, name]) => [at.COUNTER_INTERRUPTS + 8 * Number(cause), name] as const,
  ),
  [at.COUNTER_MMIO_READS, 'mmio-read'] as const,
  [at.COUNTER_MMIO_WRITES, 'mmio-write'] as const,
  [at.COUNTER_PAGE_WALKS, 'page-walk'] as const,
  [at.COUNTER_FLUSHES, 'tlb-flush'] as const,
  [at.COUNTER_WFI, 'wfi'] as const,
].filter(([, name]) => name !== '');
