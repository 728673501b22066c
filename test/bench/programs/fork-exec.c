/* Starts this program again and again, as a shell does: fork, exec, exit, wait. */
#include "frame.h"
#include <sys/wait.h>
#include <unistd.h>

uint64_t work(long rounds) {
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      char *arguments[] = {"fork-exec", 0};
      execv("/proc/self/exe", arguments);
      _exit(127);
    }
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    checksum = mix(checksum, (uint64_t)status);
  }
  return checksum;
}
