/* relabel.h: label maps and LabelPooling for C and all that can call it.
 *
 * Link with libRelabelC.so, which carries the Swift runtime; besides the C and C++ runtimes it needs the
 * HDF5 and libdeflate libraries. It can't be unloaded.
 * Words and definitions: spec/relabel-hdf5.md, LabelPooling in section 13.
 *
 * Every function may be called from any thread, and in a child after fork, where files are opened
 * again. A function that fails says why in relabel_error(). Texts are UTF-8.
 */
#ifndef RELABEL_H
#define RELABEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions below return when they don't return 0 or a number. */
enum relabel_status {
  RELABEL_OK = 0,
  RELABEL_UNSAFE = 4,       /* the file could do harm */
  RELABEL_CORRUPT = 5,      /* labels that are damaged, or break the format's rules */
  RELABEL_UNSUPPORTED = 6,  /* the file needs a newer reader */
  RELABEL_USAGE = 64,       /* a box, profile or argument that makes no sense */
  RELABEL_NOT_FOUND = 66,   /* no such key or position, or a folder without index.json */
  RELABEL_INTERNAL = 70,
  RELABEL_IO = 74           /* no such file, or the operating system refused it */
};

/* Label maps: a shard, or a dataset of shards. */
typedef struct relabel_maps relabel_maps;
/* How maps in memory are pooled. */
typedef struct relabel_pooling relabel_pooling;

/* Version of this library and of the HDF5 library it uses; never NULL. */
const char *relabel_version(void);

/* Why the last call on this thread failed, on one line: file, image, reason. "" if none has failed.
 * Valid until the next failure on this thread. */
const char *relabel_error(void);

/* Opens a shard, a dataset's folder or its index.json. NULL on failure. */
relabel_maps *relabel_open(const char *path);
/* Closes; NULL is allowed. No other call may be using the maps. */
void relabel_close(relabel_maps *maps);

/* Number of images, or minus a relabel_status. */
int64_t relabel_count(relabel_maps *maps);
/* Classes of a target, or minus a relabel_status. */
int64_t relabel_num_classes(relabel_maps *maps);
/* Position of an image key, or minus a relabel_status: -RELABEL_NOT_FOUND for an unknown key. */
int64_t relabel_find(relabel_maps *maps, const char *key);

/* Reads maps of images, from storage to arrays. Each chunk is read once.
 *
 * positions   [count] images
 * threads     how many threads to use, at least 1
 * class_index [count][height][width][top_k] of id_bytes bytes each, 2 or 4: receives the class ids
 * score       [count][height][width][top_k]: receives the decoded scores
 * extents     NULL, or [count][4]: receives top, left, height and width of the part of the picture that
 *             each map covers
 *
 * Returns RELABEL_OK or the status of the first failure in file order; the arrays are then unspecified. */
int32_t relabel_read(relabel_maps *maps, const int64_t *positions, int64_t count, int32_t threads,
                     void *class_index, int32_t id_bytes, float *score, double *extents);

/* Pools crops of images, from storage to targets. Each chunk is read once.
 *
 * positions   [count] images
 * boxes       [count][boxes_per_image][4] top, left, height, width: fractions of the original picture
 * profile     NULL follows the orientation; "relabel" or "relabel-2021"
 * clamp       0 refuses boxes that leave what a map covers, 1 cuts them
 * threads     how many threads to use, at least 1
 * targets     [count][boxes_per_image][num_classes] receives the probabilities
 * covered     NULL, or [count][boxes_per_image]: receives the share of each box that the map covers
 *
 * Returns RELABEL_OK or the status of the first failure in file order; targets are then unspecified. */
int32_t relabel_pool(relabel_maps *maps, const int64_t *positions, const double *boxes,
                     int64_t count, int64_t boxes_per_image, const char *profile, int32_t clamp,
                     int32_t threads, float *targets, double *covered);

/* How maps in memory are pooled: score_kind, fill and orientation are words of the format.
 * NULL on failure. */
relabel_pooling *relabel_pooling_create(int64_t num_classes, const char *score_kind,
                                        const char *fill, double temperature,
                                        const char *orientation, int64_t height, int64_t width,
                                        int64_t top_k, const char *profile, int32_t clamp);
/* Frees; NULL is allowed. */
void relabel_pooling_free(relabel_pooling *pooling);

/* Pools crops of maps in memory.
 *
 * class_index [count][height][width][top_k] of id_bytes bytes each: 2 or 4
 * score       [count][height][width][top_k] decoded, finite
 * extents     NULL for maps of whole pictures, or [count][4]
 * The rest is as for relabel_pool. */
int32_t relabel_pool_arrays(relabel_pooling *pooling, const void *class_index, int32_t id_bytes,
                            const float *score, const double *extents, const double *boxes,
                            int64_t count, int64_t boxes_per_image, int32_t threads,
                            float *targets, double *covered);

#ifdef __cplusplus
}
#endif

#endif
