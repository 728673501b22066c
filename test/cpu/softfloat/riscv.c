/* RISC-V's own instructions, one per operation, with the dynamic rounding mode. For a riscv64 processor or QEMU's. */
#include "records.h"

#define FLOAT_RESULT(instruction, ...)                                                             \
  {                                                                                                \
    float result;                                                                                  \
    __asm__ volatile("csrwi fflags, 0\n\tcsrw frm, %2\n\t" instruction "\n\tcsrr %1, fflags"       \
                     : "=&f"(result), "=&r"(flags) : "r"(rounding_mode), __VA_ARGS__);             \
    return (struct outcome){float_bits(result), flags};                                            \
  }
#define DOUBLE_RESULT(instruction, ...)                                                            \
  {                                                                                                \
    double result;                                                                                 \
    __asm__ volatile("csrwi fflags, 0\n\tcsrw frm, %2\n\t" instruction "\n\tcsrr %1, fflags"       \
                     : "=&f"(result), "=&r"(flags) : "r"(rounding_mode), __VA_ARGS__);             \
    return (struct outcome){double_bits(result), flags};                                           \
  }
#define INTEGER_RESULT(instruction, ...)                                                           \
  {                                                                                                \
    uint64_t result;                                                                               \
    __asm__ volatile("csrwi fflags, 0\n\tcsrw frm, %2\n\t" instruction "\n\tcsrr %1, fflags"       \
                     : "=&r"(result), "=&r"(flags) : "r"(rounding_mode), __VA_ARGS__);             \
    return (struct outcome){result, flags};                                                        \
  }

#define FLOATS "f"(as_float(x[0])), "f"(as_float(x[1])), "f"(as_float(x[2]))
#define DOUBLES "f"(as_double(x[0])), "f"(as_double(x[1])), "f"(as_double(x[2]))

#define FORMAT(f, suffix, RESULT, OPERANDS)                                                        \
  case OP_##f##_add: RESULT("fadd." suffix " %0, %3, %4", OPERANDS)                                \
  case OP_##f##_sub: RESULT("fsub." suffix " %0, %3, %4", OPERANDS)                                \
  case OP_##f##_mul: RESULT("fmul." suffix " %0, %3, %4", OPERANDS)                                \
  case OP_##f##_div: RESULT("fdiv." suffix " %0, %3, %4", OPERANDS)                                \
  case OP_##f##_sqrt: RESULT("fsqrt." suffix " %0, %3", OPERANDS)                                  \
  case OP_##f##_fma: RESULT("fmadd." suffix " %0, %3, %4, %5", OPERANDS)                           \
  case OP_##f##_min: RESULT("fmin." suffix " %0, %3, %4", OPERANDS)                                \
  case OP_##f##_max: RESULT("fmax." suffix " %0, %3, %4", OPERANDS)                                \
  case OP_##f##_eq: INTEGER_RESULT("feq." suffix " %0, %3, %4", OPERANDS)                          \
  case OP_##f##_lt: INTEGER_RESULT("flt." suffix " %0, %3, %4", OPERANDS)                          \
  case OP_##f##_le: INTEGER_RESULT("fle." suffix " %0, %3, %4", OPERANDS)                          \
  case OP_##f##_class: INTEGER_RESULT("fclass." suffix " %0, %3", OPERANDS)                        \
  case OP_##f##_to_i32: INTEGER_RESULT("fcvt.w." suffix " %0, %3", OPERANDS)                       \
  case OP_##f##_to_u32: INTEGER_RESULT("fcvt.wu." suffix " %0, %3", OPERANDS)                      \
  case OP_##f##_to_i64: INTEGER_RESULT("fcvt.l." suffix " %0, %3", OPERANDS)                       \
  case OP_##f##_to_u64: INTEGER_RESULT("fcvt.lu." suffix " %0, %3", OPERANDS)                      \
  case OP_i32_to_##f: RESULT("fcvt." suffix ".w %0, %3", "r"(x[0]))                                \
  case OP_u32_to_##f: RESULT("fcvt." suffix ".wu %0, %3", "r"(x[0]))                               \
  case OP_i64_to_##f: RESULT("fcvt." suffix ".l %0, %3", "r"(x[0]))                                \
  case OP_u64_to_##f: RESULT("fcvt." suffix ".lu %0, %3", "r"(x[0]))

static struct outcome perform(const struct trial *trial) {
  const uint64_t *x = trial->operands;
  uint64_t rounding_mode = trial->rounding_mode, flags;
  switch (trial->operation) {
    FORMAT(f32, "s", FLOAT_RESULT, FLOATS)
    FORMAT(f64, "d", DOUBLE_RESULT, DOUBLES)
    case OP_f32_to_f64: DOUBLE_RESULT("fcvt.d.s %0, %3", FLOATS)
    case OP_f64_to_f32: FLOAT_RESULT("fcvt.s.d %0, %3", DOUBLES)
  }
  return (struct outcome){0, UNSUPPORTED};
}
