// Copies to and from programs' memory. arch/riscv/lib/uaccess.S.
import type { Rule } from './rule';

export const userCopies: readonly Rule[] = [
  {
    name: 'copy to and from user',
    symbols: ['fallback_scalar_usercopy_sum_enabled'],
    reason: 'copies whole pages natively; what faults is reported to the byte',
    variants: [
      {
        // arch/riscv/lib/uaccess.S. The hypercall stands where the byte loop's load did, which the exception table knows.
        shape: {
          entry: [
            'add t5, a0, a2',
            'add t0, a0, a2',
            'addi a3, zero, 71',
            'short: bltu a2, a3, {tail}',
            'addi t1, a0, 7',
          ],
          tail: [
            'bgeu a0, t0, {out}',
            'copy: lb a5, 0(a1)',
            'next: c.addi a1, 1',
            'sb a5, 0(a0)',
            'c.addi a0, 1',
            'bltu a0, t0, {copy}',
          ],
          out: ['c.li a0, 0', 'c.jr ra', 'fixup: sub a0, t5, a0', 'c.jr ra'],
        },
        replace: {
          short: ['jal zero, {tail}'],
          copy: ['hv.copy a0, a1, a2'],
          next: ['c.j {out}'],
        },
        faults: { copy: 'fixup' },
      },
    ],
  },
  {
    name: '__clear_user',
    symbols: ['__clear_user'],
    reason: 'clears whole pages natively; what faults is reported to the byte',
    variants: [
      {
        // arch/riscv/lib/uaccess.S
        shape: {
          entry: [
            'lui t6, 262144',
            'csrrs zero, 0x100, t6',
            'add a3, a0, a1',
            'align: addi t0, a0, 7',
            'andi t1, a3, -8',
            'andi t0, t0, -8',
            'bgeu t0, t1, *',
            'bltu a0, t0, *',
            'clear: sd zero, 0(a0)',
            'next: c.addi a0, 8',
            'bltu a0, t1, {clear}',
            'bltu a0, a3, *',
            'out: csrrc zero, 0x100, t6',
            'c.li a0, 0',
            'c.jr ra',
            'sb zero, 0(a0)',
            'c.addi a0, 1',
            'bltu a0, t0, *',
            'c.j {clear}',
            'sb zero, 0(a0)',
            'c.addi a0, 1',
            'bltu a0, a3, *',
            'c.j {out}',
            'fixup: csrrc zero, 0x100, t6',
            'sub a0, a3, a0',
            'c.jr ra',
          ],
        },
        replace: {
          align: ['jal zero, {clear}'],
          clear: ['hv.fill a0, zero, a1'],
          next: ['c.j {out}'],
        },
        faults: { clear: 'fixup' },
      },
    ],
  },
];
