/** Exception codes of `mcause` and `scause`. Privileged ISA manual, table "mcause values after trap". */
export const Cause = {
  instructionAccessFault: 1,
  illegalInstruction: 2,
  breakpoint: 3,
  loadAddressMisaligned: 4,
  loadAccessFault: 5,
  storeAddressMisaligned: 6,
  storeAccessFault: 7,
  environmentCallFromU: 8,
  environmentCallFromS: 9,
  environmentCallFromM: 11,
  instructionPageFault: 12,
  loadPageFault: 13,
  storePageFault: 15,
} as const;
