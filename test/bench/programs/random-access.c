/* Reads, changes and writes words anywhere in 64 MiB, independent of each other. */
#include "frame.h"
#include <stdlib.h>

enum { WORDS = (64 << 20) / 8 };

uint64_t work(long rounds) {
  uint64_t *words = malloc((size_t)WORDS * 8);
  if (!words) fail("malloc");
  for (uint64_t i = 0; i < WORDS; i++) words[i] = i;
  uint64_t seed = 5, checksum = 0;
  for (long round = 0; round < rounds; round++) {
    for (int count = 0; count < 100000; count++) {
      uint64_t value = next(&seed);
      words[value >> 41] ^= value;
    }
    checksum = mix(checksum, words[next(&seed) >> 41]);
  }
  return checksum;
}
