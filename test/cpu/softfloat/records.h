/* The loop of the reference programs: trials in on standard input, outcomes out, as many. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "operations.h"

struct trial {
  uint32_t operation;
  uint32_t rounding_mode; /* as in frm */
  uint64_t operands[3];
};

struct outcome {
  uint64_t result;
  uint64_t flags; /* as in fflags, or UNSUPPORTED */
};

#define UNSUPPORTED UINT64_MAX

static struct outcome perform(const struct trial *trial);

static float as_float(uint64_t bits) {
  uint32_t low = (uint32_t)bits;
  float value;
  memcpy(&value, &low, sizeof value);
  return value;
}

static double as_double(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t float_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static uint64_t double_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

int main(void) {
  static struct trial trials[4096];
  static struct outcome outcomes[4096];
  size_t count;
  while ((count = fread(trials, sizeof *trials, 4096, stdin)) > 0) {
    for (size_t i = 0; i < count; i++) outcomes[i] = perform(&trials[i]);
    if (fwrite(outcomes, sizeof *outcomes, count, stdout) != count) return 1;
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
