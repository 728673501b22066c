// The operations of isa/zicsr.ts, as AssemblyScript sees them.
export const CsrOperation_read: u32 = 0;
export const CsrOperation_write: u32 = 1;
export const CsrOperation_set: u32 = 2;
