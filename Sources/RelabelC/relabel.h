/* relabel.h: label maps and LabelPooling for C and all that can call it.
 *
 * Link with libRelabelC.so, which carries the Swift runtime; besides the C and C++ runtimes it needs
 * libdeflate. It can't be unloaded.
 * Words and definitions: spec/relabel-hdf5.md, LabelPooling in section 13.
 *
 * Every function may be called from any thread, and in a child after fork, where files are opened
 * again. A function that fails says why in relabel_last_failure(), and on one line in relabel_error().
 * Texts are UTF-8.
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
  RELABEL_INVALID = 1,      /* the file breaks a rule of the format but can be read */
  RELABEL_UNSAFE = 4,       /* the file could do harm */
  RELABEL_CORRUPT = 5,      /* labels that are damaged, or a file that changed while it was open */
  RELABEL_UNSUPPORTED = 6,  /* the file needs a newer reader */
  RELABEL_USAGE = 64,       /* a box, profile or argument that makes no sense */
  RELABEL_NOT_FOUND = 66,   /* no such key or position */
  RELABEL_INTERNAL = 70,
  RELABEL_IO = 74           /* no such file, or the operating system refused it */
};

/* Label maps: a shard, or a dataset of shards. */
typedef struct relabel_maps relabel_maps;
/* How maps in memory are pooled. */
typedef struct relabel_pooling relabel_pooling;

/* Version of this library and of the format it reads; never NULL. */
const char *relabel_version(void);

/* Why the last call on this thread failed, on one line: file, image, reason. "" if none has failed.
 * Valid until the next failure on this thread. */
const char *relabel_error(void);

/* A failure as data. What is not known or does not apply is NULL or -1. */
typedef struct relabel_failure {
  int32_t status;        /* a relabel_status */
  const char *rule;      /* the broken rule of spec/rules.md, such as "C008" */
  const char *message;   /* what is wrong, without the place */
  const char *file;      /* the file, or the dataset's folder */
  const char *dataset;   /* the HDF5 dataset */
  const char *key;       /* the image key */
  int64_t row;           /* the image's row in the file, or its position where file is a folder */
  int32_t cell_y;        /* the cell of the stored grid */
  int32_t cell_x;
  int32_t rank;          /* the entry of the cell, 0 is the first */
  int64_t position;      /* the index, in the batch of the call, of the image that was refused */
} relabel_failure;

/* Why the last call on this thread failed; NULL if none has failed.
 * Valid until the next failure on this thread. */
const relabel_failure *relabel_last_failure(void);

/* Opens a shard, a dataset's folder or its index.json. NULL on failure. A shard is checked at once, those
 * of a dataset when they are first needed; they stay open. */
relabel_maps *relabel_open(const char *path);
/* Closes; NULL is allowed. No other call may be using the maps. */
void relabel_close(relabel_maps *maps);

/* Number of images, or minus a relabel_status. */
int64_t relabel_count(relabel_maps *maps);
/* Classes of a target, or minus a relabel_status. */
int64_t relabel_num_classes(relabel_maps *maps);
/* Position of an image key, or minus a relabel_status: -RELABEL_NOT_FOUND for an unknown key, and
 * -RELABEL_USAGE for an image of several views (relabel_find_views). */
int64_t relabel_find(relabel_maps *maps, const char *key);
/* Position of the image at a place of the source listing, or minus a relabel_status. */
int64_t relabel_find_index(relabel_maps *maps, int64_t image_index);

/* The shards and what the index says, as JSON; opens no file. NULL on failure.
 * {"index": null or an object with "sha256", "name", "count", "sources", "build_id", "writer",
 *  "num_classes", "score_kind", "annotator" and "classes_sha256" (both may be null),
 *  "shards": [{"path", "rows", "bytes"}, ...] in the order of positions}
 * The text belongs to the maps and stays until they are closed. */
const char *relabel_listing(relabel_maps *maps);

/* What all shards say of their maps, as JSON. NULL on failure.
 * position  where no shard has been open yet, the one that holds this position is opened; -1 for any
 *
 * An object with "format_version", "features_required", "features_optional" (arrays of names), "writer",
 * "build_id", "num_classes", "score_kind", "fill", "temperature", "cell_order", "row_order",
 * "orientation", "map_extent" (top, left, height, width), "height", "width", "top_k", "id_type" ("uint16"
 * or "uint32"), "encoding", "step" and "offset" (null for floats), "key_bytes", "images_per_chunk",
 * "filters" (of the labels' chunks, names), "metadata" (the document) and "metadata_sha256". Where rows are
 * views of images ("views" among the features), also "view_size" (height, width), "box_type" and
 * "operations_bytes", as far as the file says them; relabel_views reads what each row says of its view. Where maps
 * have factors, also "factor_quality", if the file says it.
 * The text belongs to the maps and stays until they are closed. */
const char *relabel_describe(relabel_maps *maps, int64_t position);

/* Closes a shard, counted from 0, that a program has done with. It is opened again when it is needed, and
 * must then be the same file. Returns RELABEL_OK, or RELABEL_USAGE for a shard that is not there. */
int32_t relabel_close_shard(relabel_maps *maps, int64_t shard);

/* Reads image keys.
 *
 * positions [count] images; those of one shard should follow each other
 * keys      [count][key_bytes] receives the keys, filled up with zero bytes; one of key_bytes bytes has no
 *           zero at its end
 * key_bytes at least "key_bytes" of relabel_describe: a longer key is refused with RELABEL_USAGE
 *
 * Returns RELABEL_OK or the status of the first failure; the keys are then unspecified. */
int32_t relabel_keys(relabel_maps *maps, const int64_t *positions, int64_t count, char *keys,
                     int64_t key_bytes);

/* Reads the places of images in the source listing.
 *
 * positions [count] images; those of one shard should follow each other
 * indexes   [count] receives the places
 *
 * Returns RELABEL_OK or the status of the first failure; the indexes are then unspecified. */
int32_t relabel_image_indexes(relabel_maps *maps, const int64_t *positions, int64_t count,
                              int64_t *indexes);

/* Where rows are views, what an annotator saw of an image in one crop (spec, section 4.10): relabel_read gives
 * the maps of views as of images, and relabel_pool over the whole box, 0 0 1 1, the target of a view. */

/* Bits of relabel_view.has: the members that count. */
enum relabel_view_member {
  RELABEL_VIEW_BOX = 1,              /* top, left, height, width */
  RELABEL_VIEW_FLIP = 2,
  RELABEL_VIEW_SEED = 4,
  RELABEL_VIEW_REPLAY = 8,           /* epoch, batch, slot */
  RELABEL_VIEW_MIXUP_LAMBDA = 16,
  RELABEL_VIEW_MIXUP_IMAGE = 32,
  RELABEL_VIEW_MIXUP_SLOT = 64,
  RELABEL_VIEW_CUTMIX_LAMBDA = 128,
  RELABEL_VIEW_CUTMIX_IMAGE = 256,
  RELABEL_VIEW_CUTMIX_SLOT = 512,
  RELABEL_VIEW_CUTMIX_BOX = 1024,    /* cutmix_top, cutmix_left, cutmix_bottom, cutmix_right */
  RELABEL_VIEW_OPERATIONS = 2048     /* relabel_view_operations gives the text */
};

/* What a row says of its view. A member whose bit is not in has is 0: nobody knows it, or there is nothing. */
typedef struct relabel_view {
  uint32_t has;            /* relabel_view_member bits */
  int32_t number;          /* of the view within its image, from 0; always there */
  double top;              /* the crop as fractions of the picture, which it may leave */
  double left;
  double height;
  double width;
  int64_t seed;            /* of the augmentation */
  int32_t flip;            /* 1: mirrored left-right after cropping; 0: not */
  int32_t epoch;           /* the place in the stored run, each from 0 */
  int32_t batch;
  int32_t slot;
  double mixup_lambda;     /* the share of the view's own pixels in a mix with another view */
  int64_t mixup_image;     /* the image index of that other view */
  int64_t mixup_slot;      /* its slot in the same batch */
  double cutmix_lambda;    /* the share that was drawn before the rectangle was; count pixels instead */
  int64_t cutmix_image;    /* the image index of the other view */
  int64_t cutmix_slot;
  int32_t cutmix_top;      /* the rectangle that shows the other view, in pixels of the view ("view_size" of */
  int32_t cutmix_left;     /* relabel_describe); bottom and right lie outside */
  int32_t cutmix_bottom;
  int32_t cutmix_right;
} relabel_view;

/* Finds all views of an image.
 *
 * key       the image
 * positions NULL where room is 0, or [room]: receives the first of them, ascending by position
 * room      how many positions there is room for; 0 asks for the number alone
 *
 * Returns how many rows the image has (1 where rows are images), or minus a relabel_status. */
int64_t relabel_find_views(relabel_maps *maps, const char *key, int64_t *positions, int64_t room);

/* Finds a batch of the stored run, counted from 0. The first call reads where all rows stand.
 *
 * positions NULL where room is 0, or [room]: receives the first of them, by slot
 * room      how many positions there is room for; 0 asks for the number alone
 *
 * Returns how many views the batch has, or minus a relabel_status: -RELABEL_NOT_FOUND for one that is not stored. */
int64_t relabel_find_batch(relabel_maps *maps, int64_t epoch, int64_t batch, int64_t *positions, int64_t room);

/* Position of the view at a place of the stored run, counted from 0, or minus a relabel_status: -RELABEL_NOT_FOUND
 * for a place that is not stored. The first call reads where all rows stand. */
int64_t relabel_find_replay(relabel_maps *maps, int64_t epoch, int64_t batch, int64_t slot);

/* Reads what rows say of their views.
 *
 * positions  [count] rows; those of one chunk should follow each other
 * views      [count] receives the facts
 * view_bytes sizeof(relabel_view): a later header may have members behind those above
 *
 * Returns RELABEL_OK or the status of the first failure, RELABEL_USAGE where rows are images; the views are then
 * unspecified. */
int32_t relabel_views(relabel_maps *maps, const int64_t *positions, int64_t count, relabel_view *views,
                      int64_t view_bytes);

/* Reads what else was done to views: a JSON object each, under the schema that "views" of the metadata document names.
 *
 * positions  [count] rows; those of one chunk should follow each other
 * texts      [count][text_bytes] receives the texts, filled up with zero bytes; one of text_bytes bytes has no zero at
 *            its end, and that of a view without operations has nothing else
 * text_bytes at least "operations_bytes" of relabel_describe: a longer text is refused with RELABEL_USAGE
 *
 * Returns RELABEL_OK or the status of the first failure; the texts are then unspecified. */
int32_t relabel_view_operations(relabel_maps *maps, const int64_t *positions, int64_t count, char *texts,
                                int64_t text_bytes);

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

/* Reads what factors say of classes, of maps whose ids number factors: "factors" is among "features_required" of
 * relabel_describe then, and relabel_read gives numbers and amounts of factors. The logit of class c in a cell is the sum
 * over the factors f of score[f] * (class_factor[f][c] - 127) * factor_scale[f], up to a number that all classes of
 * the cell share. relabel_pool pools such maps like others, relabel_pool_factors those in memory.
 *
 * positions    [count] images
 * threads      how many threads to use, at least 1
 * class_factor [count][top_k][num_classes]
 * factor_scale [count][top_k]
 *
 * Returns RELABEL_OK or the status of the first failure in file order; RELABEL_USAGE for maps of classes. */
int32_t relabel_read_factors(relabel_maps *maps, const int64_t *positions, int64_t count, int32_t threads,
                             uint8_t *class_factor, float *factor_scale);

/* Reads maps of images as relabel_read does, with scores as they are stored where these are halves.
 *
 * class_index NULL, or [count][height][width][top_k] of id_bytes bytes each, 2 or 4: receives the class ids
 * score       [count][height][width][top_k] of score_bytes bytes each: 4 receives decoded scores, 2 the halves of
 *             a file whose "encoding" is float16
 *
 * Returns RELABEL_OK, RELABEL_USAGE for halves of another encoding, or the status of the first failure in file order;
 * the arrays are then unspecified. */
int32_t relabel_read_stored(relabel_maps *maps, const int64_t *positions, int64_t count, int32_t threads,
                            void *class_index, int32_t id_bytes, void *score, int32_t score_bytes);

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

/* How maps in memory are pooled: score_kind, classes_are (NULL: exclusive), fill and orientation are words of the
 * format.
 * NULL on failure. */
relabel_pooling *relabel_pooling_create(int64_t num_classes, const char *score_kind,
                                        const char *classes_are, const char *fill, double temperature,
                                        const char *orientation, int64_t height, int64_t width,
                                        int64_t top_k, const char *profile, int32_t clamp);
/* Frees; NULL is allowed. */
void relabel_pooling_free(relabel_pooling *pooling);

/* Pools crops of maps in memory.
 *
 * class_index [count][height][width][top_k] of id_bytes bytes each: 2 or 4; those of a cell are distinct, which is
 *             the caller's duty: ids that stand twice add up
 * score       [count][height][width][top_k] decoded; one that is not finite is refused where a target shows it
 * extents     NULL for maps of whole pictures, or [count][4]
 * The rest is as for relabel_pool. */
int32_t relabel_pool_arrays(relabel_pooling *pooling, const void *class_index, int32_t id_bytes,
                            const float *score, const double *extents, const double *boxes,
                            int64_t count, int64_t boxes_per_image, int32_t threads,
                            float *targets, double *covered);

/* Pools crops of maps of factors in memory, as relabel_read and relabel_read_factors give them. The pooling is one of
 * logits of classes that exclude each other; its top_k is the number of factors.
 *
 * score        [count][height][width][top_k] amounts of factors, decoded and finite
 * class_factor [count][top_k][num_classes] stored numbers
 * factor_scale [count][top_k] powers of two, or 0
 * The rest is as for relabel_pool_arrays. */
int32_t relabel_pool_factors(relabel_pooling *pooling, const float *score, const uint8_t *class_factor,
                             const float *factor_scale, const double *extents, const double *boxes,
                             int64_t count, int64_t boxes_per_image, int32_t threads,
                             float *targets, double *covered);

/* Reduces dense scores to the best classes of each cell; ties take the lower class id.
 *
 * scores      [count][num_classes][height][width] of score_type "float16", "bfloat16" or "float32"
 * threads     how many threads to use, at least 1
 * class_index [count][height][width][top_k] receives the class ids, best first
 * score       [count][height][width][top_k] receives their scores
 *
 * Returns RELABEL_OK, or the status of the first map with a score that is not finite, whose position in the
 * batch and cell relabel_last_failure() names; the arrays are then unspecified. */
int32_t relabel_top_k(const void *scores, const char *score_type, int64_t count, int64_t num_classes,
                      int64_t height, int64_t width, int64_t top_k, int32_t threads,
                      uint32_t *class_index, float *score);

/* Says whether a packer would take maps. score_kind and classes_are (NULL: exclusive) are words of the format.
 *
 * class_index [count][height][width][top_k]
 * score       [count][height][width][top_k]
 *
 * Returns RELABEL_OK, or the status of the first map that breaks a rule, whose position in the batch and cell
 * relabel_last_failure() names. */
int32_t relabel_check_maps(const uint32_t *class_index, const float *score, int64_t count,
                           int64_t num_classes, const char *score_kind, const char *classes_are,
                           int64_t height, int64_t width, int64_t top_k);

#ifdef __cplusplus
}
#endif

#endif
