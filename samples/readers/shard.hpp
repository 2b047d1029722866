// Attributes and rows of a shard through HDF5's C++ interface, for read_and_pool.cpp.
#include <H5Cpp.h>
#include <vector>

// A text attribute without its padding (section 3.6).
static std::string text(const H5::H5Object &object, const char *name) {
  std::string value;
  const auto attribute = object.openAttribute(name);
  attribute.read(attribute.getStrType(), value);
  return value.c_str();
}

// The numbers of an attribute.
static std::vector<double> numbers(const H5::H5Object &object, const char *name) {
  const auto attribute = object.openAttribute(name);
  std::vector<double> values(attribute.getSpace().getSimpleExtentNpoints());
  attribute.read(H5::PredType::NATIVE_DOUBLE, values.data());
  return values;
}

// A row of an HDF5 dataset in memory of the given type. HDF5 undoes the filters and checks fletcher32.
template <class Value> static std::vector<Value> row(const H5::DataSet &dataset, hsize_t at, const H5::DataType &type) {
  const auto space = dataset.getSpace();
  std::vector<hsize_t> size(space.getSimpleExtentNdims()), first(size.size());
  space.getSimpleExtentDims(size.data());
  size.at(0) = 1, first.at(0) = at;
  space.selectHyperslab(H5S_SELECT_SET, size.data(), first.data());
  const H5::DataSpace memory(size.size(), size.data());
  NEED(memory.getSimpleExtentNpoints() <= 8 << 20, "rows are beyond the limits of section 3.11");
  std::vector<Value> values(memory.getSimpleExtentNpoints() * type.getSize() / sizeof(Value));
  dataset.read(values.data(), type, memory, space);
  return values;
}

// The scores of a row, decoded (section 6.1).
static std::vector<double> scores(const H5::DataSet &score, hsize_t number) {
  const bool packed = score.attrExists("scale_factor");  // fixed16 and fixed8
  const double step = packed ? numbers(score, "scale_factor").at(0) : 1;
  const double offset = packed ? numbers(score, "add_offset").at(0) : 0;
  const double unwritten = packed ? numbers(score, "_FillValue").at(0) : NAN;
  auto values = row<double>(score, number, H5::PredType::NATIVE_DOUBLE);
  for (double &value : values) {
    NEED(std::isfinite(value) && value != unwritten, "row %d was never written", static_cast<int>(number));
    value = value * step + offset;
  }
  return values;
}

// The row of an image (section 9.2).
static hsize_t find(const H5::DataSet &keys, const std::string &key) {
  std::vector<char> wanted(key.begin(), key.end());
  wanted.resize(std::max(key.size(), keys.getStrType().getSize()));  // null padding
  hsize_t number = 0, rows = keys.getSpace().getSimpleExtentNpoints();
  while (number < rows && row<char>(keys, number, keys.getStrType()) != wanted) number++;
  NEED(number < rows, "there is no image %s in this shard", key.c_str());
  return number;
}
