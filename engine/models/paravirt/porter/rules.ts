/**
 * The porting rules, as data: which functions, what their code must look like,
 * what takes its place, and why.
 *
 * A shape is blocks of assembly lines, as the disassembler prints them. In a line
 *
 * - `name:` in front gives the line's place a name;
 * - `{name}` instead of a displacement gives the place where it leads a name, or must lead to the place of that name;
 * - `*` stands for any operand;
 * - `call SYMBOL` and `tail SYMBOL` are `auipc` and `jalr` to that function.
 *
 * Blocks are matched in their order; `entry` is where the symbol points, each
 * other block begins at a place named before. Only bytes that a block has
 * verified are replaced, in place: no code moves, and nothing that the kernel
 * refers to changes its address.
 */

export interface Variant {
  readonly shape: Readonly<Record<string, readonly string[]>>;
  readonly replace: Readonly<Record<string, readonly string[]>>;
  /**
   * Places of instructions that may fault on a user's pointer, and where the
   * kernel has to go on then: its exception table must already say so.
   */
  readonly faults?: Readonly<Record<string, string>>;
}

export interface Rule {
  /** As the report calls it. */
  readonly name: string;
  /** Symbols of the function; the first that the kernel has is looked at. */
  readonly symbols: readonly string[];
  /** What is gained, for the report. */
  readonly reason: string;
  /** What it means that the kernel has none of the symbols. */
  readonly absent?: string;
  /** For the kernels that are known; the first that fits is used. */
  readonly variants: readonly Variant[];
}

/** Functions that C compilers make begin with room for ftrace, which the kernel fills itself. */
const ftrace = ['c.addi zero, 0', 'c.addi zero, 0', 'c.addi zero, 0', 'c.addi zero, 0'];

export const rules: readonly Rule[] = [
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
  {
    name: 'vli_mult',
    symbols: ['vli_mult'],
    reason: 'multiplies large numbers natively: checks of signatures, and self-tests at boot',
    variants: [
      {
        // crypto/ecc.c: result a0, factors a1 and a2, 64-bit digits a3
        shape: {
          entry: [
            ...ftrace,
            'start: c.addi16sp sp, -48',
            'c.sdsp s2, 16(sp)',
            'c.li t2, 1',
            'slli s2, a3, 1',
            'c.sdsp s0, 32(sp)',
            'c.sdsp s1, 24(sp)',
            'c.sdsp ra, 40(sp)',
            'c.sdsp s3, 8(sp)',
            'c.addi4spn s0, sp, 48',
            'c.mv s1, a1',
            'c.addiw s2, -1',
            'c.mv a1, a0',
            'subw t2, t2, a3',
            'c.li t4, 0',
            'c.li t0, 0',
            'c.li t6, 0',
            'bltu t6, a3, {first}',
          ],
          first: ['c.li t3, 0', 'c.j {column}'],
          column: [
            'slli a5, t3, 32',
            'srli t5, a5, 29',
            'c.mv t1, t4',
            'c.add t5, s1',
            'c.mv t4, t0',
            'c.li t0, 0',
            'subw a5, t6, t3',
            'slli a4, a5, 32',
            'srli a5, a4, 29',
            'c.add a5, a2',
            'ld a6, 0(a5)',
            'ld s3, 0(t5)',
            'c.addiw t3, 1',
            'c.mv a5, t4',
            'mul a4, a6, s3',
          ],
        },
        replace: { start: ['hv.multiply a0, a1, a2, a3', 'c.jr ra'] },
      },
    ],
  },
  {
    name: 'vli_mmod_fast',
    symbols: ['vli_mmod_fast', 'vli_mmod_fast.isra.0'],
    reason: 'reduces large numbers natively: checks of signatures, and self-tests at boot',
    variants: [
      {
        // crypto/ecc.c: result a0, product a1, curve a2; the modulus is at 40 of the curve, its digits at 32
        shape: {
          entry: [
            ...ftrace,
            'start: c.addi16sp sp, -208',
            'c.sdsp s0, 192(sp)',
            'c.sdsp s1, 184(sp)',
            'c.sdsp s2, 176(sp)',
            'c.sdsp s3, 168(sp)',
            'c.sdsp s4, 160(sp)',
            'c.addi4spn s0, sp, 208',
            'c.sdsp ra, 200(sp)',
            'c.mv s4, a2',
            'addi a2, zero, 144',
            'c.mv s2, a0',
            'c.mv s3, a1',
            'addi a0, s0, -200',
            'c.li a1, 0',
            'ld a5, *(tp)',
            'sd a5, -56(s0)',
            'c.li a5, 0',
            'call memset',
            'ld a0, 0(s4)',
            'c.li a2, 5',
            'auipc a1, *',
            'addi a1, a1, *',
            'ld s1, 40(s4)',
            'lbu s4, 32(s4)',
            'call strncmp',
          ],
        },
        replace: {
          start: ['ld a3, 40(a2)', 'lbu a4, 32(a2)', 'hv.reduce a0, a1, a3, a4', 'c.li a0, 1', 'c.jr ra'],
        },
      },
    ],
  },
  {
    name: 'vli_mod_square_fast',
    symbols: ['vli_mod_square_fast'],
    reason: 'squares large numbers natively: checks of signatures, and self-tests at boot',
    variants: [
      {
        // crypto/ecc.c, with vli_square inlined: a0 is the product's room, s1 the number, a5 its digits
        shape: {
          entry: [
            ...ftrace,
            'c.addi16sp sp, -208',
            'c.sdsp s0, 192(sp)',
            'c.sdsp s1, 184(sp)',
            'c.sdsp s2, 176(sp)',
            'c.sdsp s3, 168(sp)',
            'c.addi4spn s0, sp, 208',
            'c.sdsp ra, 200(sp)',
            'c.mv s2, a2',
            'c.mv s3, a0',
            'ld a5, *(tp)',
            'sd a5, -56(s0)',
            'c.li a5, 0',
            'c.mv s1, a1',
            'addi a0, s0, -200',
            'addi a2, zero, 144',
            'c.li a1, 0',
            'call memset',
            'lbu a5, 32(s2)',
            'square: c.li t4, 1',
            'c.mv a7, a0',
            'slli t1, a5, 1',
            'c.li a0, 0',
            'addiw t3, a5, 0',
            'c.addiw t1, -1',
            'subw t4, t4, a5',
            'c.li a3, 0',
            'c.li a6, 0',
            'bltu a6, t3, *',
            'addw a2, t4, a6',
            'blt a6, a2, *',
            'c.mv t6, a3',
            'subw a1, a6, a2',
            'c.mv a3, a0',
            'c.li a0, 0',
            'blt a1, a2, {store}',
          ],
          store: [
            'slli a5, a6, 3',
            'c.add a5, a7',
            'sd t6, 0(a5)',
            'c.addiw a6, 1',
            'bltu a6, t1, *',
            'slli a4, t1, 32',
            'srli a5, a4, 29',
            'c.add a5, a7',
            'c.sd a3, 0(a5)',
            'reduce: c.mv a2, s2',
            'c.mv a1, a7',
            'c.mv a0, s3',
            'call vli_mmod_fast.isra.0',
          ],
        },
        replace: { square: ['c.mv a7, a0', 'hv.multiply a0, s1, s1, a5', 'jal zero, {reduce}'] },
      },
    ],
  },
];
