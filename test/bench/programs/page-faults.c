/* Maps 1 MiB, touches each page, and gives it back. */
#include "frame.h"
#include <sys/mman.h>

enum { SIZE = 1 << 20, PAGE = 4096 };

uint64_t work(long rounds) {
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++) {
    volatile unsigned char *memory = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    for (int offset = 0; offset < SIZE; offset += PAGE) {
      checksum += memory[offset];
      memory[offset + 1] = (unsigned char)round;
    }
    checksum = mix(checksum, memory[SIZE - PAGE + 1]);
    munmap((void *)memory, SIZE);
  }
  return checksum;
}
