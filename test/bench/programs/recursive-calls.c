/* Recursion, shallow and wide (Fibonacci) and deep (Takeuchi's function). */
#include "frame.h"

static __attribute__((noinline)) uint64_t fibonacci(unsigned n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static __attribute__((noinline)) int takeuchi(int x, int y, int z) {
  return y >= x ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

uint64_t work(long rounds) {
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++) {
    checksum = mix(checksum, fibonacci(18 + round % 3));
    checksum = mix(checksum, (uint64_t)takeuchi(12, 8, (int)(round % 4)));
  }
  return checksum;
}
