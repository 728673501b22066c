// Rounding modes and accrued exceptions, numbered as in fcsr. Unprivileged ISA manual, "F", section
// "Floating-Point Control and Status Register".

/** Round to nearest, ties to even. */
export const RNE: u32 = 0;
/** Round towards zero. */
export const RTZ: u32 = 1;
/** Round down, towards minus infinity. */
export const RDN: u32 = 2;
/** Round up, towards plus infinity. */
export const RUP: u32 = 3;
/** Round to nearest, ties away from zero. */
export const RMM: u32 = 4;

/** Inexact. */
export const NX: u32 = 1;
/** Underflow: tiny after rounding, and inexact. */
export const UF: u32 = 2;
/** Overflow. */
export const OF: u32 = 4;
/** Division of a finite number by zero. */
export const DZ: u32 = 8;
/** Invalid operation. */
export const NV: u32 = 16;

/**
 * Exceptions accrued since the caller last cleared them. Operations only ever set bits. They are cheaper once NX is
 * set, because then whether a result is exact need not be found out: the caller gains by leaving it set.
 */
export let flags: u32 = 0;

export function raise(exceptions: u32): void {
  flags |= exceptions;
}

/** Puts a caller's flags in place, e.g. after a write to fflags or a restore. */
export function setFlags(exceptions: u32): void {
  flags = exceptions;
}
