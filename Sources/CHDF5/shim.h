// Names of HDF5 that Swift cannot import: macros that cast, call or stand for another macro.
#include <hdf5.h>

#if !H5_VERSION_GE(1, 10, 7)
#error "HDF5 1.10.7 or newer is needed (H5Pset_file_locking)"
#endif

// HDF5 1.12 turned these types and functions into macros over numbered ones.
#if H5_VERSION_GE(1, 12, 0)
typedef H5L_info1_t chdf5_link_info;
typedef H5O_info1_t chdf5_object_info;
#else
typedef H5L_info_t chdf5_link_info;
typedef H5O_info_t chdf5_object_info;
#endif

static inline herr_t chdf5_get_link_info(hid_t group, const char *name, chdf5_link_info *info) {
#if H5_VERSION_GE(1, 12, 0)
  return H5Lget_info1(group, name, info, H5P_DEFAULT);
#else
  return H5Lget_info(group, name, info, H5P_DEFAULT);
#endif
}

// Visits the links of a group in the order that they lie in, without a table of them.
typedef herr_t (*chdf5_link_visitor)(hid_t group, const char *name, const chdf5_link_info *info, void *context);

static inline herr_t chdf5_visit_links(hid_t group, chdf5_link_visitor visit, void *context) {
  hsize_t position = 0;
#if H5_VERSION_GE(1, 12, 0)
  return H5Literate1(group, H5_INDEX_NAME, H5_ITER_NATIVE, &position, visit, context);
#else
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, &position, visit, context);
#endif
}

static inline unsigned chdf5_acc_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned chdf5_acc_read_only(void) { return H5F_ACC_RDONLY; }
static inline hsize_t chdf5_unlimited(void) { return H5S_UNLIMITED; }
static inline haddr_t chdf5_undefined_address(void) { return HADDR_UNDEF; }

static inline hid_t chdf5_class_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_class_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_class_dataset_create(void) { return H5P_DATASET_CREATE; }

static inline hid_t chdf5_u8(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_u16(void) { return H5T_STD_U16LE; }
static inline hid_t chdf5_u32(void) { return H5T_STD_U32LE; }
static inline hid_t chdf5_u64(void) { return H5T_STD_U64LE; }
static inline hid_t chdf5_i8(void) { return H5T_STD_I8LE; }
static inline hid_t chdf5_i16(void) { return H5T_STD_I16LE; }
static inline hid_t chdf5_i32(void) { return H5T_STD_I32LE; }
static inline hid_t chdf5_i64(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_f32(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_f64(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_string(void) { return H5T_C_S1; }
