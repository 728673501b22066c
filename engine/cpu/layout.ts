/**
 * Where everything lies in the one linear memory of a guest. Byte offsets.
 *
 * TypeScript and AssemblyScript both compile this file (AssemblyScript types
 * the literals as i32), so that there is one truth.
 *
 *   0x000400  constants of the helper module
 *   0x001000  hart state: saved with a checkpoint (hart-state.ts)
 *   0x002000  hart cache: rebuilt after a restore
 *   0x003000  CSR row index, one byte a CSR number
 *   0x004000  CSR rows
 *   0x010000  decode table, one byte for every low half of an instruction word
 *   0x020000  TLBs: the small ones that generated code looks into
 *   0x050000  TLB: the large one behind them
 *   0x080000  translated code: jump cache, hotness, code pages, candidates
 *   0x100000  page flags, one byte a page of RAM
 *   0x200000  guest RAM
 */

// --- Hart state (saved). 64-bit cells unless noted.
export const X = 0x1000; // x0 to x31
export const F = 0x1100; // f0 to f31, NaN-boxed
export const PC = 0x1200;
export const PRIVILEGE = 0x1208; // 0 U, 1 S, 3 M
export const WAITING = 0x1210; // WAITING_*
export const WAITING_INTERRUPT = 1; // after wfi
export const WAITING_STOPPED = 2; // until another hart starts it: it does not run at all
/** Instructions begun since power-on, those that trapped included. Time and budgets count these. */
export const STEPS = 0x1218;
/** Those of them that trapped: minstret = steps - trapped + what the guest wrote. */
export const TRAPPED_STEPS = 0x1220;
/** mtime = TIME_OFFSET + (STEPS + STEPS_ELSEWHERE) / STEPS_PER_TICK: one clock for all harts. */
export const TIME_OFFSET = 0x1228;
export const MTIMECMP = 0x1230;
/** Interrupt lines into the hart, in the bit positions of mip. */
export const LINES = 0x1238;
export const RESERVATION = 0x1240; // physical address, or -1
export const RESERVED_VALUE = 0x1248;
/** All superpages in the TLB lie between these: sfence.vma of one address there flushes all. */
export const SUPERPAGE_LOW = 0x1260;
export const SUPERPAGE_HIGH = 0x1268;
/** How many instructions make a tick of mtime: fixed for deterministic guests, else what this worker achieves. */
export const STEPS_PER_TICK = 0x1270;
export const HART_ID = 0x1278;
/** Steps of the machine's other harts; see harts.ts. */
export const STEPS_ELSEWHERE = 0x1280;
/** CSR cells: csr.ts gives each stored CSR its place from here on. */
export const CSRS = 0x1300;

// CSRs that the helpers name.
export const MSTATUS = 0x1300;
export const MEDELEG = 0x1308;
export const MIDELEG = 0x1310;
export const MIE = 0x1318;
export const MIP = 0x1320; // the bits that software holds; LINES has the rest
export const MTVEC = 0x1328;
export const MEPC = 0x1330;
export const MCAUSE = 0x1338;
export const MTVAL = 0x1340;
export const STVEC = 0x1348;
export const SEPC = 0x1350;
export const SCAUSE = 0x1358;
export const STVAL = 0x1360;
export const SATP = 0x1368;
export const STIMECMP = 0x1370;
export const MENVCFG = 0x1378;
export const MCOUNTEREN = 0x1380;
export const SCOUNTEREN = 0x1388;
export const MCOUNTINHIBIT = 0x1390;
export const FFLAGS = 0x1398;
export const FRM = 0x13a0;
export const PMPCFG = 0x13a8; // 16 bytes
export const PMPADDR = 0x13b8; // 16 cells, to 0x1438
export const SENVCFG = 0x1440;
export const MSECCFG = 0x1448;
export const MSTATEEN = 0x1450; // 4 cells, to 0x1470
/** Counters, as sets of bits: those beyond their wrap for good, with a mode filter, and that may raise an overflow. */
export const COUNTERS_WRAPPED = 0x1470;
export const COUNTERS_FILTERED = 0x1478;
export const COUNTERS_WATCHED = 0x1480;
export const TSELECT = 0x1488;
export const TDATA1 = 0x1490; // 2 cells
export const TDATA2 = 0x14a0; // 2 cells
/** Triggers that are on, as a set of bits. */
export const TRIGGERS_ARMED = 0x14b0;
/** Further stored CSRs (mscratch, sscratch, ...), handed out by csr.ts. */
export const CSRS_FREE = 0x1500;
/** By number of the counter, 32 cells each. A counter that runs holds its distance from what it counts. */
export const MHPMCOUNTER = 0x1600; // 0 mcycle, 2 minstret
export const MHPMEVENT = 0x1700; // 0 mcyclecfg, 2 minstretcfg

// --- Hart cache (rebuilt). 32-bit cells.
/** Instructions left in this burst when a helper was last called; see CHUNK. */
export const COUNTDOWN = 0x2000;
/** What COUNTDOWN began with: steps now = STEPS + CHUNK - COUNTDOWN. */
export const CHUNK = 0x2004;
/** 1 when a helper trapped: pc and mode are set for the handler. */
export const TRAPPED = 0x2008;
/** TLB of this mode's loads (stores are TLB_KIND further on) and fetches. */
export const DATA_TLB = 0x200c;
export const FETCH_TLB = 0x2010;
/** Why `poll` ended the run; see EXIT_*. */
export const EXIT = 0x2014;
/** Set by the embedder when an MMIO access hit nothing. */
export const MMIO_FAULT = 0x2018;
/** How many of the small TLBs' entries are listed in FILLED; FILLED_MOST when the list does not have them all. */
export const FILLED_COUNT = 0x201c;
/** Number of the present address space; 0 where satp translates nothing. */
export const SPACE = 0x2020;
/** Instructions of this run after the current chunk (64-bit). */
export const REMAINING = 0x2030;
/** Bytes of guest RAM (64-bit). */
export const RAM_SIZE = 0x2038;
/** Bit mask of options (32-bit), set by the embedder: OPTION_*. */
export const OPTIONS = 0x2040;
/** Bit mask of what the hart's extensions switch on besides CSRs (32-bit), set by the embedder: FEATURE_*. */
export const FEATURES = 0x2044;
/** Arrivals at a place that the jump cache does not know before it becomes a candidate for translation (32-bit). */
export const HOT_THRESHOLD = 0x2100;
/** Candidates in the list, and how many of them make a batch (32-bit). */
export const CANDIDATE_COUNT = 0x2104;
export const CANDIDATE_BATCH = 0x2108;
/** The page of RAM that EXIT_PAGE is about. */
export const WANTED_PAGE = 0x2048;
/** Room for the operands of arithmetic on large numbers: 2 KiB, of no meaning between two instructions. */
export const SCRATCH = 0x2800;
/** Counters of exits by cause (64-bit each); saved, so that a restored guest goes on counting. */
export const COUNTERS = 0x1800;
export const COUNTER_EXCEPTIONS = 0x1800; // 16 cells, by cause
export const COUNTER_INTERRUPTS = 0x1880; // 16 cells, by cause
export const COUNTER_MMIO_READS = 0x1900;
export const COUNTER_MMIO_WRITES = 0x1908;
export const COUNTER_PAGE_WALKS = 0x1910;
export const COUNTER_FLUSHES = 0x1918;
export const COUNTER_WFI = 0x1920;
export const COUNTERS_END = 0x1928;

// --- Vector state (saved). VLEN is 128 bits: v0 to v31, 16 bytes each, then the vector CSRs.
export const V = 0x1a00;
export const VSTART = 0x1c00;
export const VXSAT = 0x1c08;
export const VXRM = 0x1c10;
export const VL = 0x1c18;
export const VTYPE = 0x1c20;
/** VLEN in bytes. */
export const VLENB = 16;

// --- Address spaces that the TLB knows (saved); see assembly/tlb.ts.
/** Values of satp, and beside each the number that marks its entries; 0 where there is none. */
export const SPACES = 0x1c80; // 8 cells
export const SPACE_NUMBERS = 0x1cc0; // 8 cells
export const SPACES_MOST = 8;
/** The number that an address space gets next, and the place that is given away next. */
export const NEXT_SPACE = 0x1d00;
export const NEXT_PLACE = 0x1d08;
/** Entries made since the TLB was empty. */
export const TLB_MADE = 0x1d10;
export const SPACES_END = 0x1d18;
export const HART_STATE_END = 0x2000;

/**
 * No M-mode: what is not delegated ends the run with EXIT_TRAP. MCAUSE and
 * MTVAL say what it was; pc and mode are those of the trapped instruction.
 */
export const OPTION_MONITOR = 1;
/** There are other harts: `pause` ends the turn. */
export const OPTION_HARTS = 2;

export const FEATURE_SVADE = 1;
export const FEATURE_SVADU = 2;
export const FEATURE_SVNAPOT = 4;
export const FEATURE_SV48 = 8;
export const FEATURE_SV57 = 16;
export const FEATURE_SSCOFPMF = 32;
export const FEATURE_SMSTATEEN = 64;
// What vector elements may be beyond integers of 32 bits.
export const FEATURE_VECTOR_64 = 128;
export const FEATURE_VECTOR_SINGLE = 256;
export const FEATURE_VECTOR_DOUBLE = 512;
/** Half precision: conversions to and from single, and all of it. */
export const FEATURE_VECTOR_HALF_CONVERSION = 1024;
export const FEATURE_VECTOR_HALF = 2048;

// --- Tables.
export const CSR_INDEX = 0x3000;
export const CSR_ROWS = 0x4000;
export const CSR_ROW_SIZE = 32;
export const DECODE = 0x10000;

// --- Small TLBs: [context][kind][entry]; an entry is {tag i64, addend i32, unused i32}. The tag is the virtual page, or
// all ones. What is in them is in the large one too, or needs no translation; and the page is marked as used, for
// stores as dirty. So they can be emptied at any time, and are not saved.
export const TLB = 0x20000;
export const TLB_ENTRIES = 1024;
export const TLB_ENTRY = 16;
export const TLB_KIND = 0x4000; // read, write, fetch
export const TLB_WRITE = 0x4000;
export const TLB_FETCH = 0x8000;
export const TLB_CONTEXT = 0xc000;
export const TLB_CONTEXTS = 4; // U, S, S with SUM, M
export const TLB_END = 0x50000;

// --- The large TLB. It is saved (tlb-state.ts): what a translation read from memory when it was made is state of the
// hart, and a run must not depend on where it was cut. An entry is 64 bits, by address space and virtual page:
//   0 R  1 W, the page's D bit being set  2 X  3 U | 4-23 page of RAM | 24-31 space | 32-62 tag
export const STLB = 0x50000;
export const STLB_ENTRIES = 0x4000;
export const STLB_ENTRY = 8;
export const STLB_END = 0x70000;
/** Entries of the small TLBs that are not empty, by number (16 bits each), M-mode's left out: so emptying is quick. */
export const FILLED = 0x70000;
export const FILLED_MOST = 0xfff;
export const FILLED_END = 0x72000;

// --- Translated code (cpu/translator/).
/** Where translated code begins: {place in this memory, slot in the table}, 32 bits each; see `jumpCacheLine`. */
export const JUMP_CACHE = 0x80000;
export const JUMP_CACHE_MASK = 0x1fff8; // 16,384 lines of 8 bytes
/** 16-bit counters of arrivals, by the low bits of the place. */
export const HOT_COUNTERS = 0xa0000;
export const HOT_COUNTERS_MASK = 0xfffe;
/** A bit a page of RAM: set where translated code was made from it. The small TLBs hold no such page for stores. */
export const CODE_PAGES = 0xb0000;
/** What is to be translated: {pc i64, satp i64, place i32, privilege i32, unused i64}. */
export const CANDIDATES = 0xd0000;
export const CANDIDATE_SIZE = 32;
export const CANDIDATES_MOST = 1024;
/** Ring of indirect jumps that left a region: {place of the jump, place of its target}, 32 bits each. */
export const JUMPS = 0xf0000;
export const JUMPS_MASK = 0xff8; // 512 of them
/** While a guest is profiled: exits from translated code, and instructions executed by it (64-bit each). */
export const TRANSLATED_EXITS = 0xf1000;
export const TRANSLATED_STEPS = 0xf1008;
/** How many bytes were written to the ring, ever (32-bit). */
export const JUMPS_NEXT = 0x210c;

/** One byte a page of RAM: a set of PAGE_*. */
export const PAGE_FLAGS = 0x100000;
/** Written to since the last checkpoint. */
export const PAGE_DIRTY = 1;
/** Has held something once. Pages without it are zero, and cost the host nothing. */
export const PAGE_TOUCHED = 2;
/** Its bytes have not been fetched: whoever wants them has to wait. */
export const PAGE_ABSENT = 4;
/** Read or written since the last checkpoint. */
export const PAGE_USED = 8;

export const RAM = 0x200000;

/** Of ten million ticks a second: a nominal hundred million instructions a second. */
export const NOMINAL_STEPS_PER_TICK = 10;

// --- Why a run ended.
export const EXIT_NONE = 0;
export const EXIT_BUDGET = 1;
export const EXIT_IDLE = 2;
/** The embedder asked for it (LINES of a halted machine, output ready). */
export const EXIT_REQUESTED = 3;
/** A trap for the monitor; see OPTION_MONITOR. */
export const EXIT_TRAP = 4;
/** The hart gives up the rest of its turn; see OPTION_HARTS. */
export const EXIT_YIELD = 5;
/** WANTED_PAGE is absent. The instruction that needs it has not begun, and is executed when the run goes on. */
export const EXIT_PAGE = 8;
