// The two functions that would ask for a newer glibc than 2.34; all else of the programs does not.

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define OURS __attribute__((visibility("hidden")))

// Of 2.35; the Swift runtime refers to it for complex numbers. A double holds the squares of any two floats, and
// infinity wins over NaN.
OURS float hypotf(float x, float y) {
  if (isinf(x) || isinf(y)) {
    return INFINITY;
  }
  return (float)sqrt((double)x * x + (double)y * y);
}

// Of 2.36; the C++ library asks for it. Like the original, it ends the program rather than answer with a number that
// is not random.
OURS uint32_t arc4random(void) {
  uint32_t number;
  if (getentropy(&number, sizeof number) != 0) {
    abort();
  }
  return number;
}
