import { fieldIndex } from './architectural-state';
import type { ReferenceName } from './references';

/**
 * Where QEMU and the engine may differ, with the reason. Nothing else is ever
 * masked. `bits` of a field are ignored always; `after` ignores the field from
 * an instruction that matches until the two sides agree on it again.
 */
export interface Masked {
  readonly field: string;
  readonly bits: bigint;
  readonly after?: RegExp;
  /** Only with this one; default: any. */
  readonly reference?: ReferenceName;
  readonly reason: string;
}

export const masked: readonly Masked[] = [
  {
    field: 'mip',
    bits: 0x888n,
    reason:
      'MSIP, MTIP and MEIP are wires from the ACLINT and the PLIC, which the hart under test may not have',
  },
  {
    field: 'mstatus',
    bits: 0x8000000000006000n,
    after: /^(c\.fsd|f(s[wd] |cvt\.(w|wu|l|lu)\.|eq|lt|le|class|mv\.x))/,
    reason:
      'FS may become Dirty by any floating-point instruction; in QEMU stores and those with an integer result leave it',
  },
  {
    field: 'mstatus',
    bits: 0x8000000000006000n,
    after: /^(vf|vmf|\.word)/,
    reason: 'the same, of vectors: QEMU makes FS Dirty with the first exception that is new',
  },
  {
    field: 'mstatus',
    bits: 0x8000000000000600n,
    after: /^(v(first|cpop|l|s)|\.word)/,
    reason:
      'VS may become Dirty by any vector instruction; in QEMU those that trap or have an integer result leave it',
  },
  {
    field: 'mstatus',
    bits: 0x8000000000006000n,
    after: /^csrr[sc] x\d+,(fflags|frm|fcsr),x/,
    reason:
      'with a register that holds 0 a write too ("Zicsr"), and FS may become Dirty by any; QEMU looks at the value',
  },
  ...(['mtval', 'stval'] as const).map((field) => ({
    field,
    bits: ~0n,
    after: /ebreak$/,
    reason: 'a breakpoint gives its address or zero; QEMU 7.2 gives zero',
  })),
];

/** What the streams never generate, because the manuals leave it open or QEMU 7.2 differs from them. */
export const notGenerated: readonly { readonly what: string; readonly reason: string }[] = [
  {
    what: 'reads of cycle, time, instret and their machine twins',
    reason: 'QEMU counts host time unless told to count instructions',
  },
  {
    what: 'misa, mvendorid, marchid, mimpid',
    reason: 'identity of the implementation; QEMU reports its own version',
  },
  { what: 'UXL and SXL of mstatus', reason: 'WARL: QEMU 7.2 accepts 32-bit modes, the engine is RV64 only' },
  {
    what: 'a store between LR and SC',
    reason: "QEMU's SC compares values instead of tracking stores; both are allowed",
  },
  { what: 'SC of another width or address than its LR', reason: 'the manual lets it succeed or fail' },
  { what: 'a misaligned SC', reason: 'QEMU fails it without a trap when there is no reservation' },
  { what: 'CTZW of a zero low word', reason: 'QEMU 7.2 counts on into the high word; the manual says 32' },
  {
    what: 'bits 3..63 of mcounteren and scounteren',
    reason: 'WARL; QEMU 7.2 stores 64 bits of a 32-bit register',
  },
  {
    what: "hypervisor's and overflow bits of mie and mideleg",
    reason: 'QEMU 7.2 keeps them without those extensions',
  },
  { what: 'the ASID field of satp', reason: 'WARL: how many bits there are is free' },
  { what: 'bits 54..63 of pmpaddr', reason: 'WARL; QEMU 7.2 stores them though no address has so many bits' },
  { what: 'bit 0 of mepc and sepc', reason: 'always zero says the manual; QEMU 7.2 keeps it' },
  {
    what: 'bits of medeleg for ecall from M-mode and for guests',
    reason: 'QEMU 7.2 keeps them without the hypervisor extension',
  },
  { what: 'the reserved mode 2 in MPP', reason: 'WARL; QEMU 7.2 stores it' },
  {
    what: 'misaligned accesses where there is no memory',
    reason: 'QEMU splits them and reports the aligned half in mtval',
  },
  {
    what: 'misaligned accesses near PMP borders',
    reason: 'how they are split is free, and QEMU 7.2 checks the whole page-crossing access',
  },
  {
    what: 'page tables where there is no memory',
    reason: 'an access fault says the manual; QEMU 7.2 raises a page fault',
  },
  {
    what: 'CSRRS and CSRRC of a read-only CSR with a register that holds 0',
    reason: 'a write, so illegal, says the manual; QEMU 7.2 looks at the value',
  },
  {
    what: 'S-mode fetches from U pages',
    reason: 'QEMU 7.2 allows them once a load under SUM has filled its TLB',
  },
  {
    what: 'WRS.NTO below M-mode under mstatus.TW',
    reason:
      'how long it may wait is free; QEMU traps even when there is no reservation to wait for, and leaves mtval zero',
  },
  { what: 'WFI outside M-mode with nothing pending', reason: 'it may wait for ever' },
  { what: 'locked PMP entries', reason: 'they outlive the program; nothing but a reset removes them' },
  { what: 'a changed page-table entry before SFENCE.VMA', reason: 'the TLB may or may not hold the old one' },
  {
    what: 'vector registers read with two widths: a mask compressed by, v0 compared, carried or stored under itself, an index register that is data of a segment too',
    reason: 'reserved, so illegal here; QEMU 11 refuses it in most instructions, not in these',
  },
  {
    what: 'whole-register loads and stores that lie across pages but for every 16 bytes, or begin behind their end',
    reason: 'QEMU 11 leaves in vstart the first element of 16 bytes, and fails an assertion',
  },
  {
    what: 'fault-only-first loads where there is no memory, or with a first segment in two pages',
    reason: 'QEMU 11 shortens vl before it traps; how much of a segment is loaded before a trap is free',
  },
  {
    what: 'a reserved size of a NAPOT page, and A clear',
    reason: 'QEMU sets A before it looks at the size, and faults then',
  },
  { what: 'mstateen0 bits for state that the hart has not', reason: 'WARL; QEMU keeps some of them' },
  { what: 'stores to code', reason: 'without FENCE.I the result is open; programs keep to their data' },
];

for (const { field } of masked)
  if (!fieldIndex.has(field)) throw new Error(`legal difference in ${field}, which is not compared`);
