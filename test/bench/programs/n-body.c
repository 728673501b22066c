/* Five bodies under gravity, symplectic integration: square roots and divisions in dependent chains. */
#include "frame.h"
#include <math.h>
#include <string.h>

enum { BODIES = 5 };
struct body {
  double position[3], velocity[3], mass;
};

static struct body bodies[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 39.47},
    {{4.84, -1.16, -0.10}, {0.606, 2.81, -0.02}, 0.0377},
    {{8.34, 4.12, -0.40}, {-1.01, 1.82, 0.008}, 0.0113},
    {{12.89, -15.11, -0.22}, {1.08, 0.868, -0.01}, 0.0017},
    {{15.37, -25.92, 0.179}, {0.979, 0.594, -0.034}, 0.002},
};

static void advance(double time) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      double distance[3], square = 0;
      for (int axis = 0; axis < 3; axis++) {
        distance[axis] = bodies[i].position[axis] - bodies[j].position[axis];
        square += distance[axis] * distance[axis];
      }
      double magnitude = time / (square * sqrt(square));
      for (int axis = 0; axis < 3; axis++) {
        bodies[i].velocity[axis] -= distance[axis] * bodies[j].mass * magnitude;
        bodies[j].velocity[axis] += distance[axis] * bodies[i].mass * magnitude;
      }
    }
  for (int i = 0; i < BODIES; i++)
    for (int axis = 0; axis < 3; axis++) bodies[i].position[axis] += time * bodies[i].velocity[axis];
}

uint64_t work(long rounds) {
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++) {
    for (int count = 0; count < 1000; count++) advance(0.01);
    uint64_t bits;
    memcpy(&bits, &bodies[round % BODIES].position[round % 3], sizeof bits);
    checksum = mix(checksum, bits);
  }
  return checksum;
}
