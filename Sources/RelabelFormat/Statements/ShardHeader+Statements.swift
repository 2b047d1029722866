extension ShardHeader {
  /// What a shard says of its maps, and all shards of a dataset say alike (spec, section 11.7).
  ///
  /// The deflate level is left out, because only the writer needs it.
  package var statements: Statements {
    let packing = encoding.packing
    let filters = Layout.filters(
      isShuffled: false,
      deflate: compression.level(of: Layout.classIndex)
    )
    let values: [(String, JSON)] = [
      ("format_version", .string("\(version)")),
      ("writer", .string(writer)),
      ("num_classes", .integer(Int64(numClasses))),
      ("score_kind", .string(scoreKind.rawValue)),
      ("fill", .string(fill.rawValue)),
      ("temperature", .number(temperature)),
      ("cell_order", .string(cellOrder.rawValue)),
      ("row_order", .string("\(rowOrder)")),
      ("orientation", .string(orientation.rawValue)),
      ("map_extent", .array(mapExtent.components.map(JSON.number))),
      ("build_id", .string(buildID)),
      ("height", .integer(Int64(shape.height))),
      ("width", .integer(Int64(shape.width))),
      ("top_k", .integer(Int64(shape.topK))),
      ("encoding", .string(encoding.name.rawValue)),
      ("step", .optional((packing?.step).map(Double.init))),
      ("offset", .optional((packing?.offset).map(Double.init))),
      ("metadata_sha256", .string(metadata.sha256)),
      ("features_required", .array(features.required.map(JSON.string))),
      ("features_optional", .array(features.optional.map(JSON.string))),
      ("images_per_chunk", .integer(Int64(imagesPerChunk))),
      ("filters", .array(filters.map { .string("\($0)") })),
      ("key_bytes", .integer(Int64(keyBytes))),
    ]
    // Said where it is said in the file.
    let relation: [(String, JSON)] =
      classesAre == .exclusive ? [] : [("classes_are", .string(classesAre.rawValue))]
    return Statements((values + relation + viewStatements).map { Statement($0, $1, .m008) })
  }

  /// What a shard says of all its views; nothing where rows are images.
  package var viewStatements: [(String, JSON)] {
    guard let views else { return [] }
    var said: [(String, JSON)] = []
    if let size = views.size {
      said.append(("view_size", .array([size.height, size.width].map { .integer(Int64($0)) })))
    }
    if let type = views.boxType { said.append(("box_type", .string(type.rawValue))) }
    if views.operationsBytes > 0 {
      said.append(("operations_bytes", .integer(Int64(views.operationsBytes))))
    }
    return said
  }

  /// What a shard with some HDF5 datasets says, and all shards of its dataset say alike.
  package func statements(datasets: [String]) -> Statements {
    var said = statements
    said.say("datasets", .array(datasets.sorted().map(JSON.string)), .m008)
    return said
  }
}

extension Statements {
  /// Adds what a shard says of itself alone, and its index repeats.
  package mutating func sayListed(rows: Int, annotator: String?, classesSHA256: String?) {
    say("rows", .integer(Int64(rows)), .m006)
    say("annotator", .optional(annotator), .m006)
    say("classes_sha256", .optional(classesSHA256), .m006)
  }
}

extension DatasetIndex {
  /// What the index says of a shard.
  package func statements(of shard: Shard) -> Statements {
    let file: [(String, JSON)] = [
      ("bytes", .integer(shard.bytes)),
      ("sha256", .string(shard.sha256)),
    ]
    let contents: [(String, JSON)] = [
      ("rows", .integer(Int64(shard.rows))),
      ("metadata_sha256", .string(shard.metadataSHA256)),
      ("build_id", .string(buildID)),
      ("num_classes", .integer(Int64(numClasses))),
      ("score_kind", .string(scoreKind.rawValue)),
      ("writer", .string(writer)),
      ("annotator", .optional(annotator)),
      ("classes_sha256", .optional(classesSHA256)),
      ("score_min", .optional((shard.scoreRange?.lowerBound).map(Double.init))),
      ("score_max", .optional((shard.scoreRange?.upperBound).map(Double.init))),
      ("largest_error", .optional(shard.largestError)),
    ]
    return Statements(
      file.map { Statement($0, $1, .m005) } + contents.map { Statement($0, $1, .m006) }
    )
  }
}
