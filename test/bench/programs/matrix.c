/* Multiplication of two matrices of doubles, 96 x 96, in the plain order of loops. */
#include "frame.h"
#include <string.h>

enum { SIZE = 96 };
static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

uint64_t work(long rounds) {
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = (i * 31 + j * 17) % 101 / 101.0;
      b[i][j] = (i * 13 + j * 47) % 97 / 97.0;
    }
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++) {
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) {
        double sum = 0;
        for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    a[round % SIZE][7] = 1 / (1 + c[round % SIZE][3]);
    uint64_t bits;
    memcpy(&bits, &c[round % SIZE][round % 89], sizeof bits);
    checksum = mix(checksum, bits);
  }
  return checksum;
}
