import Relabel

/// What a shard or dataset holds, as the conformance pack spells it.
///
/// The optional HDF5 datasets that this library does not read are left out.
func content(ofPath path: String) throws(RelabelError) -> JSON {
  let source = try openLabelMaps(path)
  let header = try source.header
  var images: [JSON] = []
  for position in 0..<source.count {
    let map = try source.map(at: position)
    images.append(
      .object([
        "key": .string(try source.key(at: position)),
        "image_index": .integer(try source.imageIndex(at: position)),
        "map_extent": .array(map.extent.components.map(JSON.number)),
        "class_index": nested(map.classIndex.map { .integer(Int64($0)) }, map.shape),
        "score": nested(map.score.map { .number(Double($0)) }, map.shape),
      ])
    )
  }
  return .object([
    "header": described(header), "storage": stored(header.encoding), "images": .array(images),
  ])
}

private func described(_ header: ShardHeader) -> JSON {
  var members: [String: JSON] = [
    "format_version": .string("\(header.version)"),
    "writer": .string(header.writer),
    "build_id": .string(header.buildID),
    "num_classes": .integer(Int64(header.numClasses)),
    "score_kind": .string(header.scoreKind.rawValue),
    "fill": .string(header.fill.rawValue),
    "temperature": .number(header.temperature),
    "cell_order": .string(header.cellOrder.rawValue),
    "row_order": .string("\(header.rowOrder)"),
    "orientation": .string(header.orientation.rawValue),
    "map_extent": .array(header.mapExtent.components.map(JSON.number)),
    "metadata": header.metadata.json,
    "height": .integer(Int64(header.shape.height)),
    "width": .integer(Int64(header.shape.width)),
    "k": .integer(Int64(header.shape.topK)),
  ]
  if header.classesAre != .exclusive {
    members["classes_are"] = .string(header.classesAre.rawValue)
  }
  return .object(members)
}

private func stored(_ encoding: ScoreEncoding) -> JSON {
  .object([
    "encoding": .string(encoding.name.rawValue),
    "scale_factor": .optional(encoding.packing.map { Double($0.step) }),
    "add_offset": .optional(encoding.packing.map { Double($0.offset) }),
  ])
}

/// Entries as nested arrays [y][x][rank].
private func nested(_ entries: [JSON], _ shape: MapShape) -> JSON {
  func split(_ entries: [JSON], _ size: Int) -> [JSON] {
    stride(from: 0, to: entries.count, by: size).map { .array(Array(entries[$0..<$0 + size])) }
  }
  return .array(split(split(entries, shape.topK), shape.width))
}
