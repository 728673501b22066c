/* Rows of the Mandelbrot set: a tight loop of multiplications and additions with a comparison that ends it. */
#include "frame.h"

enum { WIDTH = 256, LIMIT = 200 };

uint64_t work(long rounds) {
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++) {
    double y = (round % WIDTH) * 2.4 / WIDTH - 1.2;
    for (int column = 0; column < WIDTH; column++) {
      double x = column * 3.0 / WIDTH - 2.1, real = 0, imaginary = 0;
      int count = 0;
      while (count < LIMIT && real * real + imaginary * imaginary < 4) {
        double next_real = real * real - imaginary * imaginary + x;
        imaginary = 2 * real * imaginary + y;
        real = next_real;
        count++;
      }
      checksum = mix(checksum, (uint64_t)count);
    }
  }
  return checksum;
}
