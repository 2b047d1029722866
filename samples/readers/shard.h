/* Attributes and rows of a shard through libhdf5, for read_and_pool.c; what can't be read ends the program. */
#include <hdf5.h>

/* Reads an attribute into a variable of the given type. */
static void get(hid_t object, const char *name, hid_t type, hssize_t count, void *value) {
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  NEED(attribute >= 0, "there is no attribute %s", name);
  NEED(H5Sget_simple_extent_npoints(H5Aget_space(attribute)) == count, "%s has not %d elements", name, (int)count);
  NEED(H5Aread(attribute, type, value) >= 0, "attribute %s is not as specified", name);
}

/* A text attribute up to 1,023 bytes long, without its padding (section 3.6). */
static const char *text(hid_t object, const char *name) {
  hid_t type = H5Tcopy(H5T_C_S1);
  char *value = calloc(1, 1024);
  H5Tset_size(type, 1024), H5Tset_cset(type, H5T_CSET_UTF8);
  get(object, name, type, 1, value);
  return value;
}

/* Reads a row of so many elements. HDF5 undoes the filters and checks fletcher32. */
static void read_row(hid_t dataset, hsize_t row, hid_t type, hssize_t count, void *values) {
  hsize_t size[H5S_MAX_RANK], first[H5S_MAX_RANK] = {row};
  hid_t space = H5Dget_space(dataset);
  int axes = H5Sget_simple_extent_dims(space, size, NULL);
  size[0] = 1;
  hid_t memory = H5Screate_simple(axes, size, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, size, NULL);
  NEED(H5Sget_simple_extent_npoints(memory) == count, "rows of an HDF5 dataset have not %d elements", (int)count);
  NEED(H5Dread(dataset, type, memory, space, H5P_DEFAULT, values) >= 0, "row %d is missing or damaged", (int)row);
  H5Sclose(memory), H5Sclose(space);
}

/* Reads the scores of a row, decoded (section 6.1). */
static void read_scores(hid_t score, hsize_t row, hssize_t count, double *values) {
  double step = 1, offset = 0, unwritten = NAN;
  if (H5Aexists(score, "scale_factor") > 0) { /* fixed16 and fixed8 */
    get(score, "scale_factor", H5T_NATIVE_DOUBLE, 1, &step);
    get(score, "add_offset", H5T_NATIVE_DOUBLE, 1, &offset);
    get(score, "_FillValue", H5T_NATIVE_DOUBLE, 1, &unwritten);
  }
  read_row(score, row, H5T_NATIVE_DOUBLE, count, values);
  for (hssize_t entry = 0; entry < count; entry++) {
    NEED(isfinite(values[entry]) && values[entry] != unwritten, "row %d was never written", (int)row);
    values[entry] = values[entry] * step + offset;
  }
}

/* The row of an image (section 9.2). */
static hsize_t find(hid_t keys, const char *key) {
  char found[1025] = "";
  hid_t type = H5Dget_type(keys);
  NEED(H5Tget_class(type) == H5T_STRING && H5Tget_size(type) < sizeof found, "keys are not as specified");
  hssize_t row = 0, rows = H5Sget_simple_extent_npoints(H5Dget_space(keys));
  while (row < rows && (read_row(keys, row, type, 1, found), strcmp(found, key))) row++;
  NEED(row < rows, "there is no image %s in this shard", key);
  return row;
}
