/* Prints the ten best classes of a crop box: read_and_pool SHARD KEY TOP LEFT HEIGHT WIDTH [PROFILE]
 *
 *   cc -O2 -ffp-contract=off read_and_pool.c -o read_and_pool $(pkg-config --cflags --libs hdf5) -lm
 */
#include "pool.h"
#include "shard.h"

/* Ends where the file is not one that this reader knows (section 12). */
static void check(hid_t shard, const char *path) {
  NEED(shard >= 0, "%s can't be opened: it is missing, damaged or no HDF5 file", path);
  NEED(!strcmp(text(shard, "format"), "relabel"), "%s is not a shard of label maps", path);
  const char *version = text(shard, "format_version"), *writer = text(shard, "writer");
  const char *features = text(shard, "features_required"), *kind = text(shard, "score_kind");
  NEED(!strncmp(version, "1.", 2), "%s: format version %s, written by %s: this reader knows 1", path, version, writer);
  NEED(!strcmp(features, "none"), "%s needs the features %s, written by %s", path, features, writer);
  NEED(!strcmp(kind, "logit"), "%s holds scores of kind %s: this reader knows logit", path, kind);
}

int main(int count, char **argument) {
  NEED(count == 7 || count == 8, "usage: read_and_pool SHARD KEY TOP LEFT HEIGHT WIDTH [PROFILE]");
  H5PLset_loading_state(0); /* no filter plugins (section 16) */
  H5Eset_auto(H5E_DEFAULT, NULL, NULL);
  hid_t shard = H5Fopen(argument[1], H5F_ACC_RDONLY, H5P_DEFAULT);
  check(shard, argument[1]);
  hid_t class_index = H5Dopen(shard, "class_index", H5P_DEFAULT), score = H5Dopen(shard, "score", H5P_DEFAULT);
  hsize_t row = find(H5Dopen(shard, "image_key", H5P_DEFAULT), argument[2]), size[H5S_MAX_RANK] = {0};
  H5Sget_simple_extent_dims(H5Dget_space(score), size, NULL);
  struct label_map map = {.height = size[1], .width = size[2], .top_k = size[3]};
  map.orientation = text(shard, "orientation");
  size_t entries = map.height * map.width * map.top_k;
  NEED(map.height <= 4096 && map.width <= 4096 && entries <= 8 << 20, "maps are beyond the limits of section 3.11");
  map.class_index = calloc(entries, sizeof *map.class_index), map.score = calloc(entries, sizeof *map.score);
  NEED(map.class_index && map.score, "not enough memory");
  read_row(class_index, row, H5T_NATIVE_HSIZE, entries, map.class_index);
  read_scores(score, row, entries, map.score);
  get(shard, "num_classes", H5T_NATIVE_HSIZE, 1, &map.num_classes);
  get(shard, "temperature", H5T_NATIVE_DOUBLE, 1, &map.temperature);
  if (H5Lexists(shard, "map_extent", H5P_DEFAULT) <= 0) get(shard, "map_extent", H5T_NATIVE_DOUBLE, 4, map.extent);
  else read_row(H5Dopen(shard, "map_extent", H5P_DEFAULT), row, H5T_NATIVE_DOUBLE, 4, map.extent);
  double box[4];
  for (int side = 0; side < 4; side++)
    NEED(sscanf(argument[3 + side], "%lf", &box[side]) == 1, "%s is not a number", argument[3 + side]);
  print_target(&map, box, count == 8 ? argument[7] : "");
}
