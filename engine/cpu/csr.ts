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
const DELEGABLE_EXCEPTIONS = 0xb3ffn;
const SUPERVISOR_INTERRUPTS = 0x222n;

/** Fields of menvcfg and senvcfg, and the extension that each belongs to. "Machine Environment Configuration". */
const environmentFields: readonly (readonly [
  register: 'menvcfg' | 'senvcfg',
  extension: string,
  field: bigint,
])[] = [
  ['menvcfg', 's', 1n], // FIOM
  ['senvcfg', 's', 1n],
  ['menvcfg', 'sstc', 1n << 63n], // STCE
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

const range = (count: number, make: (index: number) => CsrRow): CsrRow[] =>
  Array.from({ length: count }, (_, i) => make(i));

const userRows: readonly CsrRow[] = [
  row(0x001, 'fflags', 'unprivileged: "F"', { kind: kinds.FLOAT_FLAGS, cell: at.FFLAGS }),
  row(0x002, 'frm', 'unprivileged: "F"', { kind: kinds.FLOAT_ROUNDING, cell: at.FRM }),
  row(0x003, 'fcsr', 'unprivileged: "F"', { kind: kinds.FLOAT_STATUS }),
  row(0xc00, 'cycle', 'unprivileged: "Zicntr"', { kind: kinds.CYCLE, write: 0n }),
  row(0xc01, 'time', 'unprivileged: "Zicntr"', { kind: kinds.TIME, write: 0n }),
  row(0xc02, 'instret', 'unprivileged: "Zicntr"', { kind: kinds.INSTRET, write: 0n }),
  ...range(29, (i) =>
    row(0xc03 + i, `hpmcounter${i + 3}`, 'unprivileged: "Zihpm"', {
      kind: kinds.HARDWARE_COUNTER,
      write: 0n,
    }),
  ),
];

const supervisorRows: readonly CsrRow[] = [
  row(0x100, 'sstatus', 'Supervisor Status', {
    kind: kinds.STATUS, cell: at.MSTATUS, read: SSTATUS_FIELDS, write: SSTATUS_FIELDS, constant: UXL_64,
  }), // prettier-ignore
  row(0x104, 'sie', 'Supervisor Interrupt', { kind: kinds.INTERRUPT_ENABLE }),
  row(0x105, 'stvec', 'Supervisor Trap Vector Base Address', { kind: kinds.TRAP_VECTOR, cell: at.STVEC }),
  row(0x106, 'scounteren', 'Counter-Enable', { cell: at.SCOUNTEREN, write: 0xffffffffn }),
  row(0x10a, 'senvcfg', 'Supervisor Environment Configuration'),
  row(0x140, 'sscratch', 'Supervisor Scratch'),
  row(0x141, 'sepc', 'Supervisor Exception Program Counter', { cell: at.SEPC, write: ALL - 1n }),
  row(0x142, 'scause', 'Supervisor Cause', { cell: at.SCAUSE }),
  row(0x143, 'stval', 'Supervisor Trap Value', { cell: at.STVAL }),
  row(0x144, 'sip', 'Supervisor Interrupt', { kind: kinds.INTERRUPT_PENDING }),
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
  fixed(0xf14, 'mhartid', 'Hart ID'),
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
    kind: kinds.DELEGATION,
    cell: at.MENVCFG,
  }),
  fixed(0x320, 'mcountinhibit', 'Machine Counter-Inhibit'),
  ...range(29, (i) => fixed(0x323 + i, `mhpmevent${i + 3}`, 'Hardware Performance Monitor')),
  row(0x340, 'mscratch', 'Machine Scratch'),
  row(0x341, 'mepc', 'Machine Exception Program Counter', { cell: at.MEPC, write: ALL - 1n }),
  row(0x342, 'mcause', 'Machine Cause', { cell: at.MCAUSE }),
  row(0x343, 'mtval', 'Machine Trap Value', { cell: at.MTVAL }),
  row(0x344, 'mip', 'Machine Interrupt', { kind: kinds.INTERRUPT_PENDING }),
  // RV64 has the even ones only, eight entries each.
  row(0x3a0, 'pmpcfg0', 'Physical Memory Protection', { kind: kinds.PMP_CONFIGURATION }),
  row(0x3a2, 'pmpcfg2', 'Physical Memory Protection', { kind: kinds.PMP_CONFIGURATION }),
  ...range(16, (i) =>
    row(0x3b0 + i, `pmpaddr${i}`, 'Physical Memory Protection', { kind: kinds.PMP_ADDRESS }),
  ),
  row(0xb00, 'mcycle', 'Hardware Performance Monitor', { kind: kinds.CYCLE }),
  row(0xb02, 'minstret', 'Hardware Performance Monitor', { kind: kinds.INSTRET }),
  ...range(29, (i) => fixed(0xb03 + i, `mhpmcounter${i + 3}`, 'Hardware Performance Monitor')),
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
/** The state of the vector unit in the status registers. */
const VS = 0x600n;

/** Registers that only an extension has. */
const optionalRows: ReadonlyMap<string, readonly CsrRow[]> = new Map([
  ['sstc', sstcRows],
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
  const fields = (register: string): bigint =>
    environmentFields
      .filter(([owner, extension]) => owner === register && names.has(extension))
      .reduce((mask, [, , field]) => mask | field, 0n);
  const status = (fields: bigint): Partial<CsrRow> => {
    const all = names.has('zve32x') ? fields | VS : fields;
    return { read: all, write: all };
  };
  const changes: Readonly<Record<string, Partial<CsrRow>>> = {
    misa: { constant: misa(names) },
    mstatus: status(MSTATUS_FIELDS),
    sstatus: status(SSTATUS_FIELDS),
    menvcfg: { write: fields('menvcfg') },
    senvcfg: { write: fields('senvcfg') },
  };
  const optional = [...optionalRows].flatMap(([name, rows]) => (names.has(name) ? rows : []));
  return [...userRows, ...supervisorRows, ...machineRows, ...optional].map((r) => ({
    ...r,
    ...changes[r.name],
  }));
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
