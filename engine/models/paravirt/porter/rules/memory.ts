// Copying, filling and clearing of the kernel's own memory. arch/riscv/lib.
import type { Rule } from './rule';

export const memory: readonly Rule[] = [
  {
    name: 'memcpy',
    symbols: ['__memcpy', 'memcpy'],
    reason: 'copies whole pages natively',
    variants: [
      {
        // arch/riscv/lib/memcpy.S
        shape: {
          entry: [
            'start: c.mv t6, a0',
            'sltiu a3, a2, 128',
            'c.bnez a3, {tail}',
            'andi a3, t6, 7',
            'andi a4, a1, 7',
            'bne a3, a4, {tail}',
          ],
          tail: ['c.beqz a2, {out}', 'add a3, a1, a2', 'or a5, a1, t6', 'c.or a5, a3', 'c.andi a5, 3'],
          out: ['c.jr ra'],
        },
        replace: { start: ['c.mv t6, a0', 'hv.copy t6, a1, a2', 'c.jr ra'] },
      },
    ],
  },
  {
    name: 'memmove',
    symbols: ['__memmove', 'memmove'],
    reason: 'moves whole pages natively, overlaps included',
    variants: [
      {
        // arch/riscv/lib/memmove.S
        shape: {
          entry: [
            'beq a0, a1, {out}',
            'beq a2, zero, {out}',
            'start: c.mv t3, a0',
            'add t4, a0, a2',
            'add a4, a1, a2',
            'andi t0, a2, -16',
          ],
          out: ['c.jr ra'],
        },
        replace: { start: ['c.mv t3, a0', 'hv.move t3, a1, a2', 'c.jr ra'] },
      },
    ],
  },
  {
    name: 'memset',
    symbols: ['__memset', 'memset'],
    reason: 'fills whole pages natively',
    variants: [
      {
        // arch/riscv/lib/memset.S
        shape: {
          entry: [
            'start: c.mv t0, a0',
            'sltiu a3, a2, 16',
            'c.bnez a3, {tail}',
            'addi a3, t0, 7',
            'c.andi a3, -8',
          ],
          tail: [
            'c.beqz a2, {out}',
            'add a3, t0, a2',
            'sb a1, 0(t0)',
            'c.addi t0, 1',
            'bltu t0, a3, *',
            'c.jr ra',
          ],
        },
        replace: { start: ['c.mv t0, a0', 'hv.fill t0, a1, a2', 'c.jr ra'] },
      },
    ],
  },
  {
    name: 'clear_page',
    symbols: ['clear_page'],
    reason: 'clears a page by one hypercall; the way for CPUs with Zicboz stays',
    variants: [
      {
        // arch/riscv/lib/clear_page.S: the kernel itself may turn the jump into a nop, so what it leads to is replaced.
        shape: {
          entry: ['c.lui a2, 4096', 'jal zero, {plain}'],
          plain: ['c.li a1, 0', 'tail __memset'],
        },
        replace: { plain: ['c.li a1, 0', 'hv.fill a0, a1, a2', 'c.jr ra'] },
      },
    ],
  },
  {
    name: 'copy_page',
    symbols: ['copy_page'],
    reason: 'copies a page by one hypercall',
    absent: 'RISC-V kernels copy pages by memcpy',
    variants: [],
  },
];
