import { controlPage, regionBase, requests, startWords, vectorWords } from './layout';
import type { Target } from './target';

const range = (count: number, line: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => line(index));

/**
 * The assembly that surrounds the programs. `entry` picks the program named in
 * the control page and resets what a former one may have left; the handlers
 * step over whatever trapped. Code is mapped at its physical address, so the
 * M-mode handler can read the trapped instruction's length; after a failed
 * fetch it returns to s11 instead.
 */
export const runtimeOf = ({ extensions }: Target): readonly string[] =>
  code([
    ...cleared.flatMap(([register, reason]) =>
      extensions.some((name) => reason.test(name)) ? [`  csrw ${register}, x0`] : [],
    ),
    ...(extensions.includes('v') ? vectorReset : []),
  ]);

/** Registers that a program of these extensions may have left with anything in them. */
const cleared: readonly (readonly [register: string, reason: RegExp])[] = [
  ...['menvcfg', 'senvcfg'].map((name) => [name, /^(zicbo|svpbmt)/] as const),
  ...['mstateen0', 'mstateen1', 'mstateen2', 'mstateen3'].map((name) => [name, /^smstateen$/] as const),
];

/** t6 points to the program's region. Ends with vl = 2 and SEW = 64. */
const vectorReset: readonly string[] = [
  '  li t5, 0x6600',
  '  csrw mstatus, t5',
  '  csrw vcsr, x0',
  '  csrw vstart, x0',
  `  addi t5, t6, ${vectorWords * 8}`,
  ...range(4, (index) => `  vl8re64.v v${index * 8}, (t5)\n  addi t5, t5, 128`),
  '  vsetivli x0, 2, e64, m1, ta, ma',
];

const code = (resets: readonly string[]): readonly string[] => [
  '.option norvc',
  '.option norelax',
  '.text',
  '.globl entry',
  'entry:',
  '  li s8, 0',
  '  lla t5, machine_handler',
  '  csrw mtvec, t5',
  // No timer interrupt: mtimecmp of hart 0 (the store traps where there is no ACLINT, and the handler takes t5 and t6).
  '  li t4, 0x2004000',
  '  li t5, -1',
  '  sd t5, 0(t4)',
  '  csrw 0x14d, t5', // stimecmp
  `  li s10, ${controlPage}`,
  '  lwu t0, 0(s10)',
  '  lwu t1, 8(s10)',
  '  bgeu t0, t1, power_off',
  '  slli t0, t0, 16',
  `  li t6, ${regionBase}`,
  '  add t6, t6, t0',
  'reset:',
  // With paging the S-mode handler runs at `supervisorAlias` above its physical address.
  '  lla t5, supervisor_handler',
  `  ld t4, ${startWords.satp * 8}(t6)`,
  '  snez t4, t4',
  '  slli t4, t4, 30',
  '  add t5, t5, t4',
  '  csrw stvec, t5',
  '  li t5, -1',
  '  srli t5, t5, 10',
  '  csrw pmpaddr0, t5',
  '  li t5, 0x1f',
  '  csrw pmpcfg0, t5',
  ...['mie', 'mip', 'mcause', 'mtval', 'mscratch', 'sepc', 'scause', 'stval', 'sscratch'].map(
    (csr) => `  csrw ${csr}, x0`,
  ),
  ...['mcounteren', 'scounteren', 'pmpcfg2'].map((csr) => `  csrw ${csr}, x0`),
  ...range(15, (index) => `  csrw pmpaddr${index + 1}, x0`),
  ...(['medeleg', 'mideleg', 'satp', 'mepc'] as const).flatMap((csr) => [
    `  ld t5, ${startWords[csr] * 8}(t6)`,
    `  csrw ${csr}, t5`,
  ]),
  '  li t5, 0x6000',
  '  csrw mstatus, t5',
  '  csrw fcsr, x0',
  ...range(32, (index) => `  fld f${index}, ${(32 + index) * 8}(t6)`),
  ...resets,
  `  ld t5, ${startWords.mstatus * 8}(t6)`,
  '  csrw mstatus, t5',
  '  sfence.vma',
  ...range(31, (index) => `  ld x${index + 1}, ${(index + 1) * 8}(t6)`),
  '  mret',
  '.align 2',
  'machine_handler:',
  '  csrr t5, mcause',
  '  csrr t6, mepc',
  '  bltz t5, machine_interrupt',
  '  beqz t5, machine_fetch',
  '  addi t5, t5, -1',
  '  beqz t5, machine_fetch',
  '  addi t5, t5, -11',
  '  beqz t5, machine_fetch',
  `  li t5, ${requests.end}`,
  '  beq s8, t5, next_program',
  `  li t5, ${requests.machine}`,
  '  bne s8, t5, machine_skip',
  '  li t5, 0x1800',
  '  csrs mstatus, t5',
  'machine_skip:',
  '  lhu t5, 0(t6)',
  '  andi t5, t5, 3',
  '  addi t5, t5, -3',
  '  addi t6, t6, 2',
  '  bnez t5, 1f',
  '  addi t6, t6, 2',
  '1:',
  '  csrw mepc, t6',
  '  mret',
  'machine_fetch:',
  '  csrw mepc, s11',
  '  mret',
  'machine_interrupt:',
  '  csrw mie, x0',
  '  mret',
  'next_program:',
  `  li t5, ${controlPage}`,
  '  lwu t6, 0(t5)',
  '  addi t6, t6, 1',
  '  sw t6, 0(t5)',
  '  j entry',
  'power_off:',
  '  li t5, 0x100000',
  '  li t6, 0x5555',
  '  sw t6, 0(t5)',
  '  j power_off',
  '.align 2',
  // Programs that delegate are assembled without compressed instructions: the handler cannot read U-mode code.
  'supervisor_handler:',
  '  csrr t5, scause',
  '  csrr t6, sepc',
  '  bltz t5, supervisor_interrupt',
  '  beqz t5, supervisor_fetch',
  '  addi t5, t5, -1',
  '  beqz t5, supervisor_fetch',
  '  addi t5, t5, -11',
  '  beqz t5, supervisor_fetch',
  '  addi t6, t6, 4',
  '  csrw sepc, t6',
  '  sret',
  'supervisor_fetch:',
  '  csrw sepc, s11',
  '  sret',
  'supervisor_interrupt:',
  '  csrw sie, x0',
  '  sret',
];
