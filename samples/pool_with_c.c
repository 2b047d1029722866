/* Pools one crop of one image through the C interface: pool_with_c MAPS KEY TOP LEFT HEIGHT WIDTH
 *
 *   cc -O2 -I Sources/RelabelC samples/pool_with_c.c -o pool_with_c .build/release/libRelabelC.so
 */
#include <stdio.h>
#include <stdlib.h>
#include "relabel.h"

int main(int count, char **arguments) {
  if (count != 7) return fprintf(stderr, "usage: pool_with_c MAPS KEY TOP LEFT HEIGHT WIDTH\n"), 64;
  relabel_maps *maps = relabel_open(arguments[1]);
  int64_t classes = maps ? relabel_num_classes(maps) : -1;
  int64_t position = classes > 0 ? relabel_find(maps, arguments[2]) : -1;
  if (position < 0) return fprintf(stderr, "%s\n", relabel_error()), 1;
  double box[4];
  for (int side = 0; side < 4; side++) box[side] = atof(arguments[3 + side]);
  float *target = malloc(classes * sizeof *target);
  if (relabel_pool(maps, &position, box, 1, 1, NULL, 0, 1, target, NULL) != RELABEL_OK)
    return fprintf(stderr, "%s\n", relabel_error()), 1;
  int64_t best = 0;
  for (int64_t class = 1; class < classes; class++)
    if (target[class] > target[best]) best = class;
  printf("class %ld, probability %.6f\n", (long)best, target[best]);
  free(target);
  relabel_close(maps);
  return 0;
}
