// stat, lstat and fstat as programs called them before glibc 2.33: by a function that is told the layout of its
// structure. tools/build links with `--wrap` of each, and old-glibc.txt asks for the functions of old.

#include <sys/stat.h>

#if defined(__x86_64__)
#define LAYOUT 1
#else
#define LAYOUT 0
#endif

#define HIDDEN __attribute__((visibility("hidden")))

extern int __xstat(int layout, const char *path, struct stat *found);
extern int __lxstat(int layout, const char *path, struct stat *found);
extern int __fxstat(int layout, int descriptor, struct stat *found);

HIDDEN int __wrap_stat(const char *path, struct stat *found) { return __xstat(LAYOUT, path, found); }
HIDDEN int __wrap_lstat(const char *path, struct stat *found) { return __lxstat(LAYOUT, path, found); }
HIDDEN int __wrap_fstat(int descriptor, struct stat *found) { return __fxstat(LAYOUT, descriptor, found); }
