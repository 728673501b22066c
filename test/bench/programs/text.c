/* Writes so many MiB of made-up text to stdout: what the compressors work on. */
#include <stdio.h>
#include <stdlib.h>

#include "frame.h"

static const char *const words[] = {"the ",   "guest ",  "memory ", "page ",    "of ",   "a ",     "worker ", "and\n",
                                    "slice ", "commit ", "to ",     "restore ", "run, ", "trap. ", "in ",     "kernel "};

int main(int count, char **arguments) {
  uint64_t seed = 11, left = (uint64_t)(count > 1 ? atoi(arguments[1]) : 1) << 20;
  while (left > 0) {
    uint64_t random = next(&seed) >> 32;
    char number[16];
    const char *word = words[random & 15];
    if (random >> 4 & 1) {
      snprintf(number, sizeof number, "%x ", (unsigned)(random >> 5 & 0xffff));
      word = number;
    }
    for (; *word && left > 0; word++, left--) putchar(*word);
  }
  return 0;
}
