#include <stdint.h>

/** The work itself. Returns a checksum of its results, the same for the same number of rounds everywhere. */
uint64_t work(long rounds);

/** Ends the program with what errno says. */
void fail(const char *what) __attribute__((noreturn));

/** A step of a 64-bit linear congruential generator (Knuth, MMIX). */
static inline uint64_t next(uint64_t *state) {
  return *state = *state * 6364136223846793005u + 1442695040888963407u;
}

/** Mixes a value into a checksum (FNV-1a, a word at a time). */
static inline uint64_t mix(uint64_t checksum, uint64_t value) { return (checksum ^ value) * 0x100000001b3u; }
