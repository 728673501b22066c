/* An interpreter of a small stack machine by way of a table of functions: one indirect call an operation, whose target
   changes each time. */
#include "frame.h"

typedef uint64_t operation(uint64_t left, uint64_t right);

static uint64_t add(uint64_t a, uint64_t b) { return a + b; }
static uint64_t subtract(uint64_t a, uint64_t b) { return a - b; }
static uint64_t multiply(uint64_t a, uint64_t b) { return a * (b | 1); }
static uint64_t exclusive_or(uint64_t a, uint64_t b) { return a ^ b; }
static uint64_t rotate(uint64_t a, uint64_t b) { return a << (b & 31) | a >> (64 - (b & 31)) % 64; }
static uint64_t choose(uint64_t a, uint64_t b) { return a & 4 ? a + 1 : b + 3; }
static uint64_t shift(uint64_t a, uint64_t b) { return (a >> 3) + (b << 2); }
static uint64_t negate(uint64_t a, uint64_t b) { return ~a + (b >> 7); }

/* Volatile, so that no call of it is resolved when it is compiled. */
static operation *volatile table[] = {add, subtract, multiply, exclusive_or, rotate, choose, shift, negate};

uint64_t work(long rounds) {
  enum { LENGTH = 1024 };
  static uint8_t program[LENGTH];
  uint64_t seed = 7, checksum = 0, top = 1, second = 2;
  for (int i = 0; i < LENGTH; i++) program[i] = next(&seed) >> 61;
  for (long round = 0; round < rounds; round++) {
    for (int i = 0; i < LENGTH; i++) {
      uint64_t result = table[program[i]](top, second);
      second = top;
      top = result;
    }
    checksum = mix(checksum, top);
  }
  return checksum;
}
