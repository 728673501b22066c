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
/* binary16 goes through integer registers: compilers of the day need not have the type. A result that is not boxed shows. */
#define HALF_RESULT(instruction, ...)                                                              \
  {                                                                                                \
    uint64_t result;                                                                               \
    __asm__ volatile(".option push\n\t.option arch, +zfh\n\t"                                     \
                     "fmv.h.x ft0, %3\n\tfmv.h.x ft1, %4\n\tfmv.h.x ft2, %5\n\t"                 \
                     "csrwi fflags, 0\n\tcsrw frm, %2\n\t" instruction "\n\tcsrr %1, fflags\n\t" \
                     "fmv.x.d %0, ft3\n\t.option pop"                                              \
                     : "=&r"(result), "=&r"(flags) : "r"(rounding_mode), __VA_ARGS__               \
                     : "ft0", "ft1", "ft2", "ft3");                                                \
    return (struct outcome){result ^ 0xffffffffffff0000, flags};                                   \
  }
#define HALF_TO_INTEGER(instruction)                                                               \
  {                                                                                                \
    uint64_t result;                                                                               \
    __asm__ volatile(".option push\n\t.option arch, +zfh\n\t"                                     \
                     "fmv.h.x ft0, %3\n\tfmv.h.x ft1, %4\n\t"                                     \
                     "csrwi fflags, 0\n\tcsrw frm, %2\n\t" instruction "\n\tcsrr %1, fflags\n\t.option pop" \
                     : "=&r"(result), "=&r"(flags) : "r"(rounding_mode), "r"(x[0]), "r"(x[1])      \
                     : "ft0", "ft1");                                                              \
    return (struct outcome){result, flags};                                                        \
  }
#define HALVES "r"(x[0]), "r"(x[1]), "r"(x[2])

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
    case OP_f16_add: HALF_RESULT("fadd.h ft3, ft0, ft1", HALVES)
    case OP_f16_sub: HALF_RESULT("fsub.h ft3, ft0, ft1", HALVES)
    case OP_f16_mul: HALF_RESULT("fmul.h ft3, ft0, ft1", HALVES)
    case OP_f16_div: HALF_RESULT("fdiv.h ft3, ft0, ft1", HALVES)
    case OP_f16_sqrt: HALF_RESULT("fsqrt.h ft3, ft0", HALVES)
    case OP_f16_fma: HALF_RESULT("fmadd.h ft3, ft0, ft1, ft2", HALVES)
    case OP_f16_min: HALF_RESULT("fmin.h ft3, ft0, ft1", HALVES)
    case OP_f16_max: HALF_RESULT("fmax.h ft3, ft0, ft1", HALVES)
    case OP_f16_eq: HALF_TO_INTEGER("feq.h %0, ft0, ft1")
    case OP_f16_lt: HALF_TO_INTEGER("flt.h %0, ft0, ft1")
    case OP_f16_le: HALF_TO_INTEGER("fle.h %0, ft0, ft1")
    case OP_f16_class: HALF_TO_INTEGER("fclass.h %0, ft0")
    case OP_f16_to_i32: HALF_TO_INTEGER("fcvt.w.h %0, ft0")
    case OP_f16_to_u32: HALF_TO_INTEGER("fcvt.wu.h %0, ft0")
    case OP_f16_to_i64: HALF_TO_INTEGER("fcvt.l.h %0, ft0")
    case OP_f16_to_u64: HALF_TO_INTEGER("fcvt.lu.h %0, ft0")
    case OP_i32_to_f16: HALF_RESULT("fcvt.h.w ft3, %3", HALVES)
    case OP_u32_to_f16: HALF_RESULT("fcvt.h.wu ft3, %3", HALVES)
    case OP_i64_to_f16: HALF_RESULT("fcvt.h.l ft3, %3", HALVES)
    case OP_u64_to_f16: HALF_RESULT("fcvt.h.lu ft3, %3", HALVES)
    case OP_f16_to_f32: HALF_TO_INTEGER("fcvt.s.h ft0, ft0\n\tfmv.x.w %0, ft0\n\tslli %0, %0, 32\n\tsrli %0, %0, 32")
    case OP_f16_to_f64: HALF_TO_INTEGER("fcvt.d.h ft0, ft0\n\tfmv.x.d %0, ft0")
    case OP_f32_to_f16: HALF_RESULT("fmv.w.x ft0, %3\n\tfcvt.h.s ft3, ft0", HALVES)
    case OP_f64_to_f16: HALF_RESULT("fmv.d.x ft0, %3\n\tfcvt.h.d ft3, ft0", HALVES)
    case OP_f32_to_f64: DOUBLE_RESULT("fcvt.d.s %0, %3", FLOATS)
    case OP_f64_to_f32: FLOAT_RESULT("fcvt.s.d %0, %3", DOUBLES)
  }
  return (struct outcome){0, UNSUPPORTED};
}
