/* The cheapest system call, and one that copies: getppid, and a write of 64 bytes to /dev/null. */
#include "frame.h"
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t work(long rounds) {
  int null = open("/dev/null", O_WRONLY);
  if (null < 0) fail("/dev/null");
  char text[64] = "";
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++) {
    for (int count = 0; count < 900; count++) syscall(SYS_getppid);
    for (int count = 0; count < 100; count++) checksum += (uint64_t)write(null, text, sizeof text);
  }
  return checksum;
}
