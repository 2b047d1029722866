// Starts the program `relabel` that lies beside this file, under this file's name. A wheel can't hold links, and
// the one program behind all names has 20 MB; a script would take an interpreter along and follow no link.

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#error "NAME is what the tool is called, such as relabel-pack"
#endif

int main(int count, char **arguments) {
  static const char program[] = "relabel";
  static char name[] = NAME;
  char path[PATH_MAX + sizeof program];
  (void)count;
  const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
  if (length < 0 || length == PATH_MAX) {
    fprintf(stderr, "%s: /proc/self/exe can't be read: %s\n", name, strerror(errno));
    return 71;
  }
  path[length] = 0;
  strcpy(strrchr(path, '/') + 1, program);
  arguments[0] = name;
  execv(path, arguments);
  fprintf(stderr, "%s: %s can't be run: %s. Install relabel-hdf5 anew\n", name, path, strerror(errno));
  return errno == ENOENT ? 127 : 126;
}
