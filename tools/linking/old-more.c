// What glibc had not got yet when most of what runs here began; tools/build links with `--wrap` of each.

#include <stdlib.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

// 2.32: whether there is one thread only, by which the C++ library saves itself atomic instructions. No is always safe.
HIDDEN char __wrap___libc_single_threaded = 0;

// 2.36: a random number, of the C++ library's random_device.
HIDDEN unsigned __wrap_arc4random(void) {
  unsigned number;
  if (getentropy(&number, sizeof number) != 0) {
    abort();
  }
  return number;
}
