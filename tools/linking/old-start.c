// The start of a program as it was before glibc 2.34, when a program ran its constructors by itself: tools/build
// links with `--wrap=__libc_start_main`, and old-glibc.txt asks for the function of old.

typedef void (*Constructor)(int, char **, char **);
typedef int (*Main)(int, char **, char **);

extern int __real___libc_start_main(Main, int, char **, Constructor, void (*)(void), void (*)(void), void *);

extern void _init(void);
extern Constructor __init_array_start[] __attribute__((visibility("hidden")));
extern Constructor __init_array_end[] __attribute__((visibility("hidden")));

static void construct(int count, char **arguments, char **environment) {
  _init();
  for (Constructor *next = __init_array_start; next != __init_array_end; next++) {
    (*next)(count, arguments, environment);
  }
}

__attribute__((visibility("hidden"))) int __wrap___libc_start_main(
    Main main, int count, char **arguments, Constructor none, void (*end)(void), void (*loader_end)(void),
    void *stack) {
  (void)none; // newer start files leave constructors to glibc
  return __real___libc_start_main(main, count, arguments, construct, end, loader_end, stack);
}
