/* What every benchmark program has in common: `PROGRAM ROUNDS` marks the beginning and the end of its work on the
   console, where the peers take the time, and shows a checksum that all of them have to agree on. Without arguments it
   does nothing, for programs that execute themselves. */
#include "frame.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
  if (count < 2) return 0;
  const char *slash = strrchr(arguments[0], '/');
  const char *name = slash ? slash + 1 : arguments[0];
  printf("begin %s\n", name);
  fflush(stdout);
  uint64_t checksum = work(strtol(arguments[1], NULL, 10));
  printf("end %s %016llx\n", name, (unsigned long long)checksum);
  return 0;
}

void fail(const char *what) {
  perror(what);
  exit(1);
}
