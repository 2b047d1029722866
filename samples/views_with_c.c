/* Shows the views of an image, or of a batch of the stored run, through the C interface:
 * views_with_c MAPS KEY, or views_with_c MAPS EPOCH BATCH
 *
 *   cc -O2 -I Sources/RelabelC samples/views_with_c.c -o views_with_c .build/release/libRelabelC.so
 */
#include <stdio.h>
#include <stdlib.h>
#include "relabel.h"

static int failed(void) { return fprintf(stderr, "%s\n", relabel_error()), 1; }

/* The rows that are asked for: those of a key, or of a batch. */
static int64_t find(relabel_maps *maps, int count, char **arguments, int64_t *positions, int64_t room) {
  if (count == 3) return relabel_find_views(maps, arguments[2], positions, room);
  return relabel_find_batch(maps, atoll(arguments[2]), atoll(arguments[3]), positions, room);
}

static void show(int64_t position, const relabel_view *view) {
  printf("position %lld: view %d", (long long)position, view->number);
  if (view->has & RELABEL_VIEW_BOX) printf(", box %g %g %g %g", view->top, view->left, view->height, view->width);
  if (view->has & RELABEL_VIEW_FLIP) printf(", %s", view->flip ? "mirrored" : "not mirrored");
  if (view->has & RELABEL_VIEW_SEED) printf(", seed %lld", (long long)view->seed);
  if (view->has & RELABEL_VIEW_REPLAY) printf(", epoch %d, batch %d, slot %d", view->epoch, view->batch, view->slot);
  if (view->has & RELABEL_VIEW_MIXUP_LAMBDA) printf(", mixup %g", view->mixup_lambda);
  if (view->has & RELABEL_VIEW_MIXUP_SLOT) printf(" with slot %lld", (long long)view->mixup_slot);
  if (view->has & RELABEL_VIEW_CUTMIX_BOX)
    printf(", cutmix rows %d to %d, columns %d to %d", view->cutmix_top, view->cutmix_bottom, view->cutmix_left,
           view->cutmix_right);
  if (view->has & RELABEL_VIEW_CUTMIX_SLOT) printf(" of slot %lld", (long long)view->cutmix_slot);
}

int main(int count, char **arguments) {
  if (count < 3 || count > 4) return fprintf(stderr, "usage: views_with_c MAPS KEY | EPOCH BATCH\n"), 64;
  relabel_maps *maps = relabel_open(arguments[1]);
  if (!maps) return failed();
  int64_t classes = relabel_num_classes(maps), rows = find(maps, count, arguments, NULL, 0);
  if (classes < 0 || rows < 0) return failed();
  int64_t *positions = malloc(rows * sizeof *positions);
  double *boxes = malloc(rows * 4 * sizeof *boxes);
  relabel_view *views = malloc(rows * sizeof *views);
  float *targets = malloc(rows * classes * sizeof *targets);
  if (find(maps, count, arguments, positions, rows) != rows) return failed();
  for (int64_t side = 0; side < rows * 4; side++) boxes[side] = side % 4 > 1; /* the whole grid is the crop */
  if (relabel_views(maps, positions, rows, views, sizeof *views)) return failed();
  if (relabel_pool(maps, positions, boxes, rows, 1, NULL, 0, 1, targets, NULL)) return failed();
  for (int64_t row = 0; row < rows; row++) {
    const float *target = targets + row * classes;
    int64_t best = 0;
    for (int64_t class = 1; class < classes; class++)
      if (target[class] > target[best]) best = class;
    show(positions[row], &views[row]);
    printf("; class %lld, probability %.6f\n", (long long)best, target[best]);
  }
  free(positions), free(boxes), free(views), free(targets);
  relabel_close(maps);
  return 0;
}
