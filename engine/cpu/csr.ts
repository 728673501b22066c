/**
 * Control and status registers as rows. What a row's kind does beyond its
 * masks is assembly/csr.ts. Section names are those of the privileged ISA
 * manual unless noted.
 */
import { baseNames } from '../isa/extensions';
import * as kinds from './csr-kinds';
import * as at from './layout';

export interface CsrRow {
  readonly number: number;
  readonly name: string;
  readonly kind: number;
  /** Address of the cell; 0 for registers that have none of their own. */
  readonly cell: number;
  readonly read: bigint;
  readonly write: bigint;
  readonly constant: bigint;
  readonly section: string;
}

const ALL = (1n << 64n) - 1n;
const SSTATUS_FIELDS = 0xc6122n; // SIE SPIE SPP FS SUM MXR
const MSTATUS_FIELDS = 0x7e79aan; // and MIE MPIE MPP MPRV TVM TW TSR
const UXL_64 = 2n << 32n;
const SXL_64 = 2n << 34n;
const MXL_64 = 2n << 62n;
/** Letters that stand for several extensions: "B Extension for Bit Manipulation". */
const misaLetters: ReadonlyMap<string, readonly string[]> = new Map([['b', ['zba', 'zbb', 'zbs']]]);
const FIOM = 1n;
const DELEGABLE_EXCEPTIONS = 0xb3ffn;
const SUPERVISOR_INTERRUPTS = 0x222n;
/** Cycle, instret and the programmable ones: "mcountinhibit"; time cannot be stopped. */
const COUNTERS = 0xffffffffn;
const TIME = 1n << 1n;
/** Selectors of mhpmevent: 1 cycles, 2 instructions retired, as QEMU's `virt` numbers them. */
const EVENTS = 3n;
const SINH_UINH_MINH = 7n << 60n;
const OF = 1n << 63n;
const LCOFI = 1n << 13n;
const VS = 3n << 9n;
const ADUE = 1n << 61n;
const SE = 1n << 63n;
const ENVCFG = 1n << 62n;

/** Fields that an extension adds to registers that are there without it. */
const optionalFields: readonly (readonly [register: string, extension: string, bits: bigint])[] = [
  ['mstatus', 'zve32x', VS],
  ['sstatus', 'zve32x', VS],
  ['menvcfg', 'sstc', 1n << 63n], // STCE
  ['menvcfg', 'svpbmt', 1n << 62n], // PBMTE
  ['menvcfg', 'svadu', ADUE],
  ...['mie', 'mip', 'sip', 'mideleg'].map((name) => [name, 'sscofpmf', LCOFI] as const),
  ...range(29, (i) => [`mhpmevent${i + 3}`, 'sscofpmf', OF | SINH_UINH_MINH] as const),
  ...['menvcfg', 'senvcfg'].flatMap((register): [string, string, bigint][] => [
    [register, 'zicbom', 7n << 4n], // CBIE and CBCFE
    [register, 'zicboz', 1n << 7n], // CBZE
  ]),
];

interface Behaviour {
  kind?: number;
  cell?: number;
  read?: bigint;
  write?: bigint;
  constant?: bigint;
}

let free = at.CSRS_FREE;

function row(number: number, name: string, section: string, behaviour: Behaviour = {}): CsrRow {
  const { kind = kinds.PLAIN, read = ALL, write = ALL, constant = 0n } = behaviour;
  const cell = behaviour.cell ?? (kind === kinds.PLAIN && write !== 0n ? (free += 8) - 8 : 0);
  return { number, name, kind, cell, read, write, constant, section };
}

/** A register that always reads as `value`. */
const fixed = (number: number, name: string, section: string, value = 0n): CsrRow =>
  row(number, name, section, { read: 0n, write: 0n, constant: value });

function range<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

const userRows: readonly CsrRow[] = [
  row(0x001, 'fflags', 'unprivileged: "F"', { kind: kinds.FLOAT_FLAGS, cell: at.FFLAGS }),
  row(0x002, 'frm', 'unprivileged: "F"', { kind: kinds.FLOAT_ROUNDING, cell: at.FRM }),
  row(0x003, 'fcsr', 'unprivileged: "F"', { kind: kinds.FLOAT_STATUS }),
  row(0xc00, 'cycle', 'unprivileged: "Zicntr"', { kind: kinds.COUNTER }),
  row(0xc01, 'time', 'unprivileged: "Zicntr"', { kind: kinds.TIME }),
  row(0xc02, 'instret', 'unprivileged: "Zicntr"', { kind: kinds.COUNTER }),
  ...range(29, (i) => row(0xc03 + i, `hpmcounter${i + 3}`, 'unprivileged: "Zihpm"', { kind: kinds.COUNTER })),
];

const supervisorRows: readonly CsrRow[] = [
  row(0x100, 'sstatus', 'Supervisor Status', {
    kind: kinds.STATUS, cell: at.MSTATUS, read: SSTATUS_FIELDS, write: SSTATUS_FIELDS, constant: UXL_64,
  }), // prettier-ignore
  row(0x104, 'sie', 'Supervisor Interrupt', { kind: kinds.INTERRUPT_ENABLE }),
  row(0x105, 'stvec', 'Supervisor Trap Vector Base Address', { kind: kinds.TRAP_VECTOR, cell: at.STVEC }),
  row(0x106, 'scounteren', 'Counter-Enable', { cell: at.SCOUNTEREN, write: 0xffffffffn }),
  row(0x10a, 'senvcfg', 'Supervisor Environment Configuration', {
    kind: kinds.ENVIRONMENT,
    cell: at.SENVCFG,
    write: FIOM,
  }),
  row(0x140, 'sscratch', 'Supervisor Scratch'),
  row(0x141, 'sepc', 'Supervisor Exception Program Counter', { cell: at.SEPC, write: ALL - 1n }),
  row(0x142, 'scause', 'Supervisor Cause', { cell: at.SCAUSE }),
  row(0x143, 'stval', 'Supervisor Trap Value', { cell: at.STVAL }),
  row(0x144, 'sip', 'Supervisor Interrupt', { kind: kinds.INTERRUPT_PENDING, write: 1n << 1n }),
  row(0x180, 'satp', 'Supervisor Address Translation and Protection', {
    kind: kinds.ADDRESS_TRANSLATION,
    cell: at.SATP,
  }),
];

const sstcRows: readonly CsrRow[] = [
  row(0x14d, 'stimecmp', '"Sstc"', { kind: kinds.TIMER_COMPARE, cell: at.STIMECMP }),
];

const machineRows: readonly CsrRow[] = [
  fixed(0xf11, 'mvendorid', 'Machine Vendor ID'),
  fixed(0xf12, 'marchid', 'Machine Architecture ID'),
  fixed(0xf13, 'mimpid', 'Machine Implementation ID'),
  row(0xf14, 'mhartid', 'Hart ID', { cell: at.HART_ID, write: 0n }),
  fixed(0xf15, 'mconfigptr', 'Machine Configuration Pointer'),
  row(0x300, 'mstatus', 'Machine Status', {
    kind: kinds.STATUS, cell: at.MSTATUS, read: MSTATUS_FIELDS, write: MSTATUS_FIELDS, constant: UXL_64 | SXL_64,
  }), // prettier-ignore
  fixed(0x301, 'misa', 'Machine ISA'),
  row(0x302, 'medeleg', 'Machine Trap Delegation', { cell: at.MEDELEG, write: DELEGABLE_EXCEPTIONS }),
  row(0x303, 'mideleg', 'Machine Trap Delegation', {
    kind: kinds.DELEGATION,
    cell: at.MIDELEG,
    write: SUPERVISOR_INTERRUPTS,
  }),
  row(0x304, 'mie', 'Machine Interrupt', { kind: kinds.INTERRUPT_ENABLE, cell: at.MIE, write: 0xaaan }),
  row(0x305, 'mtvec', 'Machine Trap-Vector Base-Address', { kind: kinds.TRAP_VECTOR, cell: at.MTVEC }),
  row(0x306, 'mcounteren', 'Machine Counter-Enable', { cell: at.MCOUNTEREN, write: 0xffffffffn }),
  row(0x30a, 'menvcfg', 'Machine Environment Configuration', {
    kind: kinds.ENVIRONMENT,
    cell: at.MENVCFG,
    write: FIOM,
  }),
  row(0x320, 'mcountinhibit', 'Machine Counter-Inhibit', {
    kind: kinds.COUNTER_INHIBIT,
    cell: at.MCOUNTINHIBIT,
    write: COUNTERS & ~TIME,
  }),
  ...range(29, (i) =>
    row(0x323 + i, `mhpmevent${i + 3}`, 'Hardware Performance Monitor', {
      kind: kinds.COUNTER_EVENT,
      cell: at.MHPMEVENT + 8 * (i + 3),
      write: EVENTS,
    }),
  ),
  row(0x340, 'mscratch', 'Machine Scratch'),
  row(0x341, 'mepc', 'Machine Exception Program Counter', { cell: at.MEPC, write: ALL - 1n }),
  row(0x342, 'mcause', 'Machine Cause', { cell: at.MCAUSE }),
  row(0x343, 'mtval', 'Machine Trap Value', { cell: at.MTVAL }),
  row(0x344, 'mip', 'Machine Interrupt', { kind: kinds.INTERRUPT_PENDING, write: SUPERVISOR_INTERRUPTS }),
  // RV64 has the even ones only, eight entries each.
  row(0x3a0, 'pmpcfg0', 'Physical Memory Protection', { kind: kinds.PMP_CONFIGURATION }),
  row(0x3a2, 'pmpcfg2', 'Physical Memory Protection', { kind: kinds.PMP_CONFIGURATION }),
  ...range(16, (i) =>
    row(0x3b0 + i, `pmpaddr${i}`, 'Physical Memory Protection', { kind: kinds.PMP_ADDRESS }),
  ),
  row(0xb00, 'mcycle', 'Hardware Performance Monitor', { kind: kinds.COUNTER }),
  row(0xb02, 'minstret', 'Hardware Performance Monitor', { kind: kinds.COUNTER }),
  ...range(29, (i) =>
    row(0xb03 + i, `mhpmcounter${i + 3}`, 'Hardware Performance Monitor', { kind: kinds.COUNTER }),
  ),
];

const sscofpmfRows: readonly CsrRow[] = [
  row(0xda0, 'scountovf', '"Sscofpmf"', { kind: kinds.COUNTER_OVERFLOW }),
];

const smcntrpmfRows: readonly CsrRow[] = [
  row(0x321, 'mcyclecfg', '"Smcntrpmf"', {
    kind: kinds.COUNTER_EVENT, cell: at.MHPMEVENT, write: SINH_UINH_MINH,
  }), // prettier-ignore
  row(0x322, 'minstretcfg', '"Smcntrpmf"', {
    kind: kinds.COUNTER_EVENT, cell: at.MHPMEVENT + 16, write: SINH_UINH_MINH,
  }), // prettier-ignore
];

/** What sstateen could grant is state that these harts have not: all of it reads as zero, but it may be out of reach. */
const ssstateenRows: readonly CsrRow[] = range(4, (i) =>
  row(0x10c + i, `sstateen${i}`, '"Ssstateen"', { kind: kinds.STATE_ENABLE, write: 0n }),
);

const smstateenRows: readonly CsrRow[] = range(4, (i) =>
  row(0x30c + i, `mstateen${i}`, '"Smstateen"', {
    kind: kinds.STATE_ENABLE,
    cell: at.MSTATEEN + 8 * i,
    write: i === 0 ? SE | ENVCFG : SE,
  }),
);

const smepmpRows: readonly CsrRow[] = [
  row(0x747, 'mseccfg', '"Smepmp"', { kind: kinds.SECURITY, cell: at.MSECCFG, write: 7n }),
];

/** The debug specification, "Sdtrig": address matches (mcontrol6), and nothing else. */
const sdtrigRows: readonly CsrRow[] = [
  row(0x7a0, 'tselect', 'debug: "Sdtrig"', { kind: kinds.TRIGGER_SELECT, cell: at.TSELECT }),
  row(0x7a1, 'tdata1', 'debug: "Sdtrig"', { kind: kinds.TRIGGER_DATA, cell: at.TDATA1 }),
  row(0x7a2, 'tdata2', 'debug: "Sdtrig"', { kind: kinds.TRIGGER_DATA, cell: at.TDATA2 }),
  fixed(0x7a3, 'tdata3', 'debug: "Sdtrig"'),
  // Version 1; types 6 (mcontrol6) and 15 (disabled).
  fixed(0x7a4, 'tinfo', 'debug: "Sdtrig"', (1n << 24n) | (1n << 15n) | (1n << 6n)),
];

/** "Vector Extension Programmer's Model" of the unprivileged manual. vl and vtype are written by vsetvl and its kin. */
const vectorRows: readonly CsrRow[] = [
  row(0x008, 'vstart', 'unprivileged: "V"', { kind: kinds.VECTOR, cell: at.VSTART, write: 0x7fn }),
  row(0x009, 'vxsat', 'unprivileged: "V"', { kind: kinds.VECTOR, cell: at.VXSAT, write: 1n }),
  row(0x00a, 'vxrm', 'unprivileged: "V"', { kind: kinds.VECTOR, cell: at.VXRM, write: 3n }),
  row(0x00f, 'vcsr', 'unprivileged: "V"', { kind: kinds.VECTOR_STATUS }),
  row(0xc20, 'vl', 'unprivileged: "V"', { kind: kinds.VECTOR, cell: at.VL, write: 0n }),
  row(0xc21, 'vtype', 'unprivileged: "V"', { kind: kinds.VECTOR, cell: at.VTYPE, write: 0n }),
  row(0xc22, 'vlenb', 'unprivileged: "V"', {
    kind: kinds.VECTOR,
    read: 0n,
    write: 0n,
    constant: BigInt(at.VLENB),
  }),
];
/** Registers that only an extension has. */
const optionalRows: ReadonlyMap<string, readonly CsrRow[]> = new Map([
  ['sstc', sstcRows],
  ['sscofpmf', sscofpmfRows],
  ['smcntrpmf', smcntrpmfRows],
  ['ssstateen', ssstateenRows],
  ['smstateen', smstateenRows],
  ['smepmp', smepmpRows],
  ['sdtrig', sdtrigRows],
  ['zve32x', vectorRows],
]);

/** "Machine ISA (misa) Register": MXL, the modes S and U, and a bit a letter. */
function misa(names: ReadonlySet<string>): bigint {
  const letters = [...names].filter((name) => name.length === 1);
  const groups = [...misaLetters].filter(([, members]) => members.every((name) => names.has(name)));
  return ['u', ...letters, ...groups.map(([letter]) => letter)].reduce(
    (bits, letter) => bits | (1n << BigInt(letter.charCodeAt(0) - 97)),
    MXL_64,
  );
}

/** The registers of a hart with the named extensions, besides what every hart has. */
export function csrRows(extensions: readonly string[]): readonly CsrRow[] {
  const names = new Set([...baseNames, 's', ...extensions]);
  const optional = [...optionalRows].flatMap(([name, rows]) => (names.has(name) ? rows : []));
  const added = new Map<string, bigint>();
  for (const [register, extension, bits] of optionalFields)
    if (names.has(extension)) added.set(register, (added.get(register) ?? 0n) | bits);
  return [...userRows, ...supervisorRows, ...machineRows, ...optional].map((r) => ({
    ...r,
    read: r.read | (added.get(r.name) ?? 0n),
    write: r.write | (added.get(r.name) ?? 0n),
    ...(r.name === 'misa' && { constant: misa(names) }),
  }));
}

/** What extensions switch on that is no register: bits of FEATURES. */
const features: readonly (readonly [extension: string, feature: number])[] = [
  ['svade', at.FEATURE_SVADE],
  ['svadu', at.FEATURE_SVADU],
  ['svnapot', at.FEATURE_SVNAPOT],
  ['sv48', at.FEATURE_SV48],
  ['sv57', at.FEATURE_SV57],
  ['sscofpmf', at.FEATURE_SSCOFPMF],
  ['smstateen', at.FEATURE_SMSTATEEN],
  ['zve64x', at.FEATURE_VECTOR_64],
  ['zve32f', at.FEATURE_VECTOR_SINGLE],
  ['zve64d', at.FEATURE_VECTOR_DOUBLE],
  ['zvfhmin', at.FEATURE_VECTOR_HALF_CONVERSION],
  ['zvfh', at.FEATURE_VECTOR_HALF],
];

export function featuresOf(extensions: readonly string[]): number {
  return features.reduce((bits, [name, feature]) => (extensions.includes(name) ? bits | feature : bits), 0);
}

const updatesFromStart = (extensions: readonly string[]): boolean =>
  extensions.includes('svadu') && !extensions.includes('svade');

/**
 * menvcfg after reset. Where Svadu alone is named, the hart updates A and D bits from the start; where Svade is named
 * too, it does so once it is told to. Devicetree binding riscv/extensions.yaml, "svade", "svadu".
 */
export const environmentAtReset = (extensions: readonly string[]): bigint =>
  updatesFromStart(extensions) ? ADUE : 0n;

/** menvcfg as firmware leaves it to a kernel: whatever the hart has is there to be used. */
export function environmentForKernel(extensions: readonly string[]): bigint {
  const fields = csrRows(extensions).find(({ name }) => name === 'menvcfg')?.write ?? 0n;
  return (fields & ~FIOM & ~ADUE) | environmentAtReset(extensions);
}

/** Writes the rows where assembly/csr.ts reads them. Row 0 stands for every absent register. */
export function writeCsrRows(memory: DataView, rows: readonly CsrRow[]): void {
  rows.forEach((r, i) => {
    memory.setUint8(at.CSR_INDEX + r.number, i + 1);
    const base = at.CSR_ROWS + (i + 1) * at.CSR_ROW_SIZE;
    memory.setUint8(base + kinds.ROW_KIND, r.kind);
    // Registers without a cell read one that is always zero: x0.
    memory.setUint32(base + kinds.ROW_CELL, r.cell || at.X, true);
    memory.setBigUint64(base + kinds.ROW_READ, r.read, true);
    memory.setBigUint64(base + kinds.ROW_WRITE, r.write, true);
    memory.setBigUint64(base + kinds.ROW_CONSTANT, r.constant, true);
  });
}
