/// Something that all shards of a dataset say alike (spec, section 11.7), as an error shows it.
struct SharedValue: Hashable, Sendable {
  let name: String
  let text: String
}

extension ShardReader {
  /// What this shard must have in common with the others of its dataset.
  var sharedValues: [SharedValue] {
    let packing = header.encoding.packing
    let values: [(String, String)] = [
      ("format_version", "\(header.version)"),
      ("writer", header.writer),
      ("num_classes", "\(header.numClasses)"),
      ("score_kind", header.scoreKind.rawValue),
      ("fill", header.fill.rawValue),
      ("temperature", "\(header.temperature)"),
      ("cell_order", header.cellOrder.rawValue),
      ("row_order", "\(header.rowOrder)"),
      ("orientation", header.orientation.rawValue),
      ("map_extent", listed(header.mapExtent.components)),
      ("build_id", header.buildID),
      ("height", "\(header.shape.height)"),
      ("width", "\(header.shape.width)"),
      ("top_k", "\(header.shape.topK)"),
      ("encoding", header.encoding.name.rawValue),
      ("step", packing.map { "\(Double($0.step))" } ?? "null"),
      ("offset", packing.map { "\(Double($0.offset))" } ?? "null"),
      ("metadata_sha256", header.metadata.sha256),
      ("features_optional", listed(header.features.optional)),
      ("images per chunk", "\(header.imagesPerChunk)"),
      ("filters", listed(file.classIndex.description.filters)),
      ("width of keys", "\(header.keyBytes)"),
      ("datasets", listed(file.columns.map(\.name).sorted())),
    ]
    return values.map(SharedValue.init)
  }

  /// Refuses a shard that is not the one that the index lists: its rows would be other images.
  ///
  /// - Throws: rule M005 or M006.
  func check(_ listed: DatasetIndex.Shard, in index: DatasetIndex) throws(RelabelError) {
    guard stamp.bytes == listed.bytes else {
      throw RelabelError(
        .m005,
        "the shard has \(stamp.bytes) bytes, index.json says \(listed.bytes)",
        at: Location(file: path)
      )
    }
    let document = header.metadata.json
    let values: [(name: String, found: String?, expected: String?)] = [
      ("rows", "\(count)", "\(listed.rows)"),
      ("metadata_sha256", header.metadata.sha256, listed.metadataSHA256),
      ("build_id", header.buildID, index.buildID),
      ("num_classes", "\(header.numClasses)", "\(index.numClasses)"),
      ("score_kind", header.scoreKind.rawValue, index.scoreKind.rawValue),
      ("writer", header.writer, index.writer),
      ("annotator", document["annotator"]?["name"]?.string, index.annotator),
      ("classes_sha256", document["classes"]?["sha256"]?.string, index.classesSHA256),
    ]
    for value in values where value.found != value.expected {
      throw RelabelError(
        .m006,
        "'\(value.name)' is \(value.found ?? "null") in the shard, \(value.expected ?? "null") in "
          + "index.json",
        at: Location(file: path)
      )
    }
  }

  private func listed(_ values: [some CustomStringConvertible]) -> String {
    values.map(\.description).joined(separator: ", ")
  }
}
