/**
 * How a CSR behaves, beyond being a cell with masks. Compiled by TypeScript
 * and AssemblyScript alike: csr.ts has the rows, assembly/csr.ts the behaviour.
 */
export const ABSENT = 0;
/** A cell with a read mask, a write mask and constant bits. */
export const PLAIN = 1;
export const STATUS = 2; // mstatus, and sstatus as a view of it
export const INTERRUPT_ENABLE = 3; // mie, and sie through mideleg
export const INTERRUPT_PENDING = 4; // mip, and sip through mideleg
export const ADDRESS_TRANSLATION = 5; // satp
export const TRAP_VECTOR = 6; // mtvec, stvec
export const DELEGATION = 7; // mideleg: plain, then polled
export const TIMER_COMPARE = 8; // stimecmp
export const TIME = 9;
export const COUNTER = 10; // mcycle, minstret, mhpmcounter3 and up, and what user mode sees of them
export const FLOAT_FLAGS = 13; // fflags
export const FLOAT_ROUNDING = 14; // frm
export const FLOAT_STATUS = 15; // fcsr
export const PMP_CONFIGURATION = 16;
export const PMP_ADDRESS = 17;
export const ENVIRONMENT = 24; // menvcfg, senvcfg
export const STATE_ENABLE = 25; // mstateen0 to 3, sstateen0 to 3
export const COUNTER_INHIBIT = 26; // mcountinhibit
export const COUNTER_EVENT = 27; // mhpmevent3 and up, mcyclecfg, minstretcfg
export const COUNTER_OVERFLOW = 28; // scountovf
export const SECURITY = 29; // mseccfg
export const TRIGGER_SELECT = 30; // tselect
export const TRIGGER_DATA = 31; // tdata1, tdata2
export const VECTOR = 48; // vstart, vxsat, vxrm, vl, vtype, vlenb: plain, while mstatus.VS is on
export const VECTOR_STATUS = 49; // vcsr

// A row in memory, CSR_ROW_SIZE bytes.
export const ROW_KIND = 0; // u8
export const ROW_CELL = 4; // u32: address of the cell
export const ROW_READ = 8; // u64
export const ROW_WRITE = 16; // u64
export const ROW_CONSTANT = 24; // u64
