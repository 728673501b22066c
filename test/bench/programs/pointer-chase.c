/* One cycle through 64 MiB in random order, a pointer a cache line: each load waits for the one before it. */
#include "frame.h"
#include <stdlib.h>

enum { LINE = 64, LINES = (64 << 20) / LINE };
struct line {
  struct line *next;
  uint64_t value;
  char rest[LINE - 16];
};

uint64_t work(long rounds) {
  struct line *lines = malloc((size_t)LINES * LINE);
  uint32_t *order = malloc((size_t)LINES * sizeof *order);
  if (!lines || !order) fail("malloc");
  uint64_t seed = 3;
  for (uint32_t i = 0; i < LINES; i++) order[i] = i;
  for (uint32_t i = LINES - 1; i > 0; i--) {
    uint32_t j = (uint32_t)((next(&seed) >> 33) % (i + 1)), swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
  for (uint32_t i = 0; i < LINES; i++) {
    lines[order[i]].next = &lines[order[(i + 1) % LINES]];
    lines[order[i]].value = i;
  }
  uint64_t checksum = 0;
  const struct line *at = lines;
  for (long round = 0; round < rounds; round++) {
    for (int count = 0; count < 100000; count++) at = at->next;
    checksum = mix(checksum, at->value);
  }
  return checksum;
}
