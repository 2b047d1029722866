// Prints the ten best classes of a crop box: read_and_pool SHARD KEY TOP LEFT HEIGHT WIDTH [PROFILE]
//
//   c++ -O2 -ffp-contract=off read_and_pool.cpp -o read_and_pool $(pkg-config --cflags --libs hdf5) -lhdf5_cpp
#include "pool.h"
#include "shard.hpp"

// Ends where the file is not one that this reader knows (section 12).
static void check(const H5::H5File &shard) {
  NEED(text(shard, "format") == "relabel", "this is not a shard of label maps");
  const auto version = text(shard, "format_version"), writer = text(shard, "writer");
  const auto features = text(shard, "features_required"), kind = text(shard, "score_kind");
  NEED(version.rfind("1.", 0) == 0, "format version %s, written by %s: this reader knows 1", version.c_str(),
       writer.c_str());
  NEED(features == "none", "needs the features %s, written by %s", features.c_str(), writer.c_str());
  NEED(kind == "logit", "scores of kind %s: this reader knows logit", kind.c_str());
}

// Reads a map, pools the box and prints the target.
static void read_and_pool(const std::vector<std::string> &argument) {
  const H5::H5File shard(argument[1], H5F_ACC_RDONLY);
  check(shard);
  const auto score = shard.openDataSet("score"), class_index = shard.openDataSet("class_index");
  const hsize_t place = find(shard.openDataSet("image_key"), argument[2]);
  auto values = scores(score, place);
  auto ids = row<size_t>(class_index, place, H5::PredType::NATIVE_HSIZE);
  std::vector<hsize_t> size(score.getSpace().getSimpleExtentNdims());
  score.getSpace().getSimpleExtentDims(size.data());
  const bool sound = size.size() == 4 && size[1] <= 4096 && size[2] <= 4096 && ids.size() == values.size();
  NEED(sound, "shapes are not as specified (section 4.2)");
  const auto orientation = text(shard, "orientation");
  label_map map = {size[1], size[2], size[3], size_t(numbers(shard, "num_classes").at(0)), ids.data(), values.data(),
                   numbers(shard, "temperature").at(0), {}, orientation.c_str()};
  auto extent = numbers(shard, "map_extent");
  if (shard.nameExists("map_extent"))
    extent = row<double>(shard.openDataSet("map_extent"), place, H5::PredType::NATIVE_DOUBLE);
  double box[4];
  for (int side = 0; side < 4; side++) box[side] = std::stod(argument[3 + side]), map.extent[side] = extent.at(side);
  print_target(&map, box, argument.size() == 8 ? argument[7].c_str() : "");
}

int main(int count, char **arguments) try {
  NEED(count == 7 || count == 8, "usage: read_and_pool SHARD KEY TOP LEFT HEIGHT WIDTH [PROFILE]");
  H5PLset_loading_state(0);  // no filter plugins (section 16)
  H5::Exception::dontPrint();
  read_and_pool({arguments, arguments + count});
} catch (const H5::Exception &error) {
  NEED(false, "%s can't be read: %s", arguments[1], error.getCDetailMsg());
} catch (const std::exception &error) {
  NEED(false, "not as it should be: %s", error.what());
}
