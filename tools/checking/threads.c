/* Threads that open, read, pool and close label maps at random: threads DATASET THREADS SECONDS
 *
 * Each thread has maps of its own, and all share one. Every answer is compared with the first one. Run
 * under valgrind by tools/check-threads, which a fault of memory makes fail.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "relabel.h"

enum { IMAGES = 8, ENTRIES = 15 * 15 * 5, CLASSES = 1000 };

typedef struct { uint16_t ids[IMAGES * ENTRIES]; float scores[IMAGES * ENTRIES], targets[IMAGES * CLASSES]; } answer;

static const char *path;
static relabel_maps *shared;
static time_t end;
static answer expected;

static int ask(relabel_maps *maps, answer *found) {
  int64_t positions[IMAGES];
  double boxes[IMAGES][4];
  for (int image = 0; image < IMAGES; image++) {
    positions[image] = image * 2;
    double box[4] = {0.1, 0.05 * image, 0.5, 0.5};
    memcpy(boxes[image], box, sizeof box);
  }
  if (relabel_read(maps, positions, IMAGES, 1, found->ids, 2, found->scores, NULL) != RELABEL_OK) return 0;
  return relabel_pool(maps, positions, boxes[0], IMAGES, 1, "relabel", 0, 1, found->targets, NULL) == RELABEL_OK;
}

static void *work(void *argument) {
  unsigned seed = (unsigned)(size_t)argument;
  long *rounds = calloc(1, sizeof *rounds);
  answer *found = malloc(sizeof *found);
  while (time(NULL) < end) {
    relabel_maps *own = relabel_open(path);
    int reads = rand_r(&seed) % 3;
    for (int read = 0; own && read <= reads; read++) {
      relabel_maps *maps = rand_r(&seed) % 2 ? own : shared;
      memset(found, 0, sizeof *found);
      if (!ask(maps, found) || memcmp(found, &expected, sizeof expected)) {
        fprintf(stderr, "another answer: %s\n", relabel_error());
        exit(1);
      }
      if (relabel_find(maps, "no such key") >= 0) exit(1);
      if (rand_r(&seed) % 4 == 0) relabel_close_shard(maps, 0);
    }
    if (!own) fprintf(stderr, "%s\n", relabel_error()), exit(1);
    relabel_close(own);
    ++*rounds;
  }
  free(found);
  return rounds;
}

int main(int count, char **arguments) {
  if (count != 4) return fprintf(stderr, "usage: threads DATASET THREADS SECONDS\n"), 64;
  path = arguments[1];
  int threads = atoi(arguments[2]);
  end = time(NULL) + atoi(arguments[3]);
  shared = relabel_open(path);
  if (!shared || !ask(shared, &expected)) return fprintf(stderr, "%s\n", relabel_error()), 1;
  pthread_t all[64];
  for (int thread = 0; thread < threads; thread++) pthread_create(&all[thread], NULL, work, (void *)(size_t)(thread + 1));
  long total = 0;
  for (int thread = 0; thread < threads; thread++) {
    void *rounds;
    pthread_join(all[thread], &rounds);
    total += *(long *)rounds;
    free(rounds);
  }
  relabel_close(shared);
  printf("%ld rounds of %d threads\n", total, threads);
  return 0;
}
