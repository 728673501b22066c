/* What Linux says of the hart, and whether it is true: riscv_hwprobe(2), /proc/cpuinfo, and cbo.zero where it is there. */
#include <signal.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pair {
  int64_t key;
  uint64_t value;
};

static sigjmp_buf out;
static void on_illegal(int signal) { siglongjmp(out, signal); }

int main(void) {
  struct pair pairs[] = {{3, 0}, {4, 0}, {6, 0}, {1000, 0}};
  long status = syscall(258, pairs, 4L, 0L, 0L, 0L);
  printf("hwprobe %ld base %llx extensions %llx block %llu unknown %lld\n", status, (unsigned long long)pairs[0].value,
         (unsigned long long)pairs[1].value, (unsigned long long)pairs[2].value, (long long)pairs[3].key);

  char line[4096];
  FILE *info = fopen("/proc/cpuinfo", "r");
  while (info && fgets(line, sizeof line, info))
    if (strncmp(line, "isa", 3) == 0) fputs(line, stdout);

  static unsigned char block[192] __attribute__((aligned(64)));
  memset(block, 0xff, sizeof block);
  struct sigaction action = {.sa_handler = on_illegal};
  sigaction(SIGILL, &action, NULL);
  if (sigsetjmp(out, 1) == 0) {
    register unsigned char *at __asm__("a0") = block + 100;
    __asm__ volatile(".insn i 0x0f, 2, x0, %0, 4" : : "r"(at) : "memory");
    unsigned zeroes = 0;
    for (unsigned i = 0; i < sizeof block; i++) zeroes += block[i] == 0;
    printf("cbo.zero %u bytes, the first of them %d\n", zeroes, block[64] == 0 && block[63] == 0xff);
  } else {
    puts("cbo.zero is illegal");
  }
  return 0;
}
