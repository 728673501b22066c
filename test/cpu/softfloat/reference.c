/* IEEE 754 arithmetic by the SSE unit of an x86-64 processor, which judges tininess after rounding, as RISC-V does.
 * Inline assembly between loading and storing MXCSR, so that no compiler or library has a say. */
#include "records.h"

#define CANONICAL_FLOAT 0x7fc00000u
#define CANONICAL_DOUBLE 0x7ff8000000000000u

/* MXCSR with all exceptions masked; its rounding control counts nearest, down, up, zero. */
static uint32_t control(uint32_t rounding_mode) {
  static const uint32_t rounding_control[] = {0, 3, 1, 2};
  return 0x1f80 | rounding_control[rounding_mode] << 13;
}

/* MXCSR: invalid 1, denormal operand 2, division by zero 4, overflow 8, underflow 16, precision 32. */
static uint64_t accrued(uint32_t mxcsr) {
  return (mxcsr & 1) << 4 | (mxcsr & 4) << 1 | (mxcsr & 8) >> 1 | (mxcsr & 16) >> 3 | (mxcsr & 32) >> 5;
}

#define BINARY(instruction, type)                                                                \
  {                                                                                              \
    type a = as_##type(trial->operands[0]), b = as_##type(trial->operands[1]);                   \
    __asm__ volatile("ldmxcsr %1\n\t" instruction " %2, %0\n\tstmxcsr %1" : "+x"(a), "+m"(mxcsr) : "x"(b)); \
    return finish_##type(a, mxcsr);                                                              \
  }
#define SQUARE_ROOT(instruction, type)                                                           \
  {                                                                                              \
    type a = as_##type(trial->operands[0]), root;                                                \
    __asm__ volatile("ldmxcsr %1\n\t" instruction " %2, %0\n\tstmxcsr %1" : "=x"(root), "+m"(mxcsr) : "x"(a)); \
    return finish_##type(root, mxcsr);                                                           \
  }
#define FUSED(instruction, type)                                                                 \
  {                                                                                              \
    type a = as_##type(trial->operands[0]), b = as_##type(trial->operands[1]),                   \
         c = as_##type(trial->operands[2]);                                                      \
    if (!__builtin_cpu_supports("fma")) return (struct outcome){0, UNSUPPORTED};                 \
    __asm__ volatile("ldmxcsr %1\n\t" instruction " %2, %3, %0\n\tstmxcsr %1"                    \
                     : "+x"(c), "+m"(mxcsr) : "x"(a), "x"(b));                                   \
    return finish_##type(c, mxcsr);                                                              \
  }

static struct outcome finish_float(float value, uint32_t mxcsr) {
  return (struct outcome){value != value ? CANONICAL_FLOAT : float_bits(value), accrued(mxcsr)};
}

static struct outcome finish_double(double value, uint32_t mxcsr) {
  return (struct outcome){value != value ? CANONICAL_DOUBLE : double_bits(value), accrued(mxcsr)};
}

static struct outcome perform(const struct trial *trial) {
  uint32_t mxcsr = control(trial->rounding_mode);
  switch (trial->operation) {
    case OP_f32_add: BINARY("addss", float)
    case OP_f32_sub: BINARY("subss", float)
    case OP_f32_mul: BINARY("mulss", float)
    case OP_f32_div: BINARY("divss", float)
    case OP_f32_sqrt: SQUARE_ROOT("sqrtss", float)
    case OP_f32_fma: FUSED("vfmadd231ss", float)
    case OP_f64_add: BINARY("addsd", double)
    case OP_f64_sub: BINARY("subsd", double)
    case OP_f64_mul: BINARY("mulsd", double)
    case OP_f64_div: BINARY("divsd", double)
    case OP_f64_sqrt: SQUARE_ROOT("sqrtsd", double)
    case OP_f64_fma: FUSED("vfmadd231sd", double)
  }
  return (struct outcome){0, UNSUPPORTED};
}
