// The idle loop. arch/riscv/kernel/process.c.
import type { Rule } from './rule';

export const idle: readonly Rule[] = [
  {
    name: 'idle',
    symbols: ['arch_cpu_idle', 'default_idle', 'cpu_do_idle'],
    reason: 'yields to the monitor at once',
    variants: [
      {
        // arch/riscv/kernel/process.c
        shape: {
          entry: [
            'start: c.addi sp, -16',
            'c.sdsp s0, 0(sp)',
            'c.sdsp ra, 8(sp)',
            'c.addi4spn s0, sp, 16',
            'fence 15, 15',
            'wfi',
            'c.ldsp ra, 8(sp)',
            'c.ldsp s0, 0(sp)',
            'c.addi sp, 16',
            'c.jr ra',
          ],
        },
        replace: { start: ['wfi', 'c.jr ra'] },
      },
    ],
  },
];
