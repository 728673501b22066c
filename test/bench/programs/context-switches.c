/* A byte goes to and fro between two processes over pipes: two switches of address space a turn. */
#include "frame.h"
#include <sys/wait.h>
#include <unistd.h>

static void echo(int from, int to) {
  unsigned char byte;
  while (read(from, &byte, 1) == 1) {
    byte = (unsigned char)(byte * 5 + 1);
    if (write(to, &byte, 1) != 1) break;
  }
  _exit(0);
}

uint64_t work(long rounds) {
  int there[2], back[2];
  if (pipe(there) || pipe(back)) fail("pipe");
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    close(there[1]);
    close(back[0]);
    echo(there[0], back[1]);
  }
  unsigned char byte = 1;
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++)
    for (int count = 0; count < 100; count++) {
      if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) fail("pipe");
      checksum = mix(checksum, byte);
    }
  close(there[1]);
  waitpid(child, 0, 0);
  return checksum;
}
