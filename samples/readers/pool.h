/* LabelPooling of logits (section 13 of the specification) for the readers in C and C++.
 * Compile with -ffp-contract=off: section 13.3 rounds a product before it subtracts from it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEED(condition, ...) if (!(condition)) exit((fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), 1))

/* A map of logits: shape, entries [y, x, rank], and what its header says of it. */
struct label_map {
  size_t height, width, top_k, num_classes, *class_index;
  double *score, temperature, extent[4];
  const char *orientation;
};

/* Adds up the weights of an axis (13.3): every sample is shared by the two cells beside it. */
static void add_weights(double start, double length, size_t cells, double *weight) {
  float low = (float)start * (float)cells - 0.5f, high = (float)(start + length) * (float)cells - 0.5f;
  double span = fmaxf(high - low, 1), samples = ceil(span);
  for (int i = 0; i < samples; i++) {
    double p = fmin(fmax(low + (i + 0.5) * span / samples, 0), cells - 1.0);
    for (size_t cell = 0; cell < cells; cell++) weight[cell] += fmax(0, 1 - fabs(p - cell)) / samples;
  }
}

/* The weights [2][4096] of rows and columns for a box; ends where box or profile are refused (13.1, 13.2). */
static void weigh(const struct label_map *map, const double *box, const char *profile, double (*weight)[4096]) {
  int released = !strcmp(profile, "relabel-2021"), turned = released || !strcmp(map->orientation, "xy");
  NEED(*profile ? released || !strcmp(profile, "relabel") : strcmp(map->orientation, "unknown"),
       "orientation %s: name a profile, relabel or relabel-2021", map->orientation);
  NEED(!released || map->height == map->width, "the profile relabel-2021 is for square maps");
  for (int side = 0; side < 2; side++) {
    double start = box[side], length = box[side + 2], far = start + length, covered = map->extent[side + 2];
    NEED(start >= 0 && start < 1 && length > 0 && length <= 1 && far <= 1 + 1e-6, "the box leaves the picture");
    start = (start - map->extent[side]) / covered, length /= covered, far = start + length;
    NEED(start >= -1e-6 && start < 1 && far > 0 && far <= 1 + 1e-6, "the box leaves what the map covers");
    add_weights(start, length, side ^ turned ? map->width : map->height, weight[side ^ turned]);
  }
}

/* Pools a box and prints the ten best classes, and what each class without entries has (13.4). */
static void print_target(const struct label_map *map, const double *box, const char *profile) {
  double weight[2][4096] = {{0}}, largest = 0, total = 0, *target = (double *)calloc(map->num_classes, sizeof total);
  weigh(map, box, profile, weight);
  for (size_t entry = 0; entry < map->height * map->width * map->top_k; entry++) {
    size_t cell = entry / map->top_k, id = map->class_index[entry];
    NEED(target && id < map->num_classes, "class id %zu of %zu", id, map->num_classes);
    for (size_t q = cell * map->top_k; q < entry; q++) NEED(map->class_index[q] != id, "class %zu twice in a cell", id);
    target[id] += weight[0][cell / map->width] * weight[1][cell % map->width] * map->score[entry];
  }
  for (size_t id = 0; id < map->num_classes; id++) largest = fmax(largest, target[id]);
  for (size_t id = 0; id < map->num_classes; id++) total += target[id] = exp((target[id] - largest) / map->temperature);
  for (size_t best, rank = 0; rank < 10 && rank < map->num_classes; rank++, target[best] = -1) {
    for (size_t id = best = 0; id < map->num_classes; id++) best = target[id] > target[best] ? id : best;
    printf("%zu %.9g\n", best, target[best] / total);
  }
  printf("rest %.9g\n", exp(-largest / map->temperature) / total);
}
