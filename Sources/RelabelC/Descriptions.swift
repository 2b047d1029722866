import Relabel

/// A text that lives as long as what it describes.
final class KeptText: @unchecked Sendable {
  // Unchecked: it never changes.
  let pointer: UnsafePointer<CChar>?
  private let owned: UnsafeMutablePointer<CChar>?

  init(_ json: JSON) throws(RelabelError) {
    owned = CText.copy(String(decoding: try json.canonical(), as: UTF8.self))
    pointer = UnsafePointer(owned)
  }

  deinit { CText.free(owned) }
}

extension LabelMapSource {
  /// The text of `relabel_listing`: the shards, and what the index says; opens nothing.
  func listing() throws(RelabelError) -> JSON {
    guard let dataset = self as? ShardedDataset else {
      let shard = try shards[0]
      return .object([
        "index": .null,
        "shards": .array([listed(path, rows: count, bytes: Int64(shard.stamp.bytes))]),
      ])
    }
    let index = dataset.index
    return .object([
      "index": .object([
        "sha256": .string(dataset.indexSHA256),
        "name": .string(index.name),
        "count": .integer(Int64(index.count)),
        "sources": .integer(Int64(index.sources)),
        "build_id": .string(index.buildID),
        "writer": .string(index.writer),
        "num_classes": .integer(Int64(index.numClasses)),
        "score_kind": .string(index.scoreKind.rawValue),
        "annotator": .optional(index.annotator),
        "classes_sha256": .optional(index.classesSHA256),
      ]),
      "shards": .array(
        index.shards.map { listed("\(path)/\($0.path)", rows: $0.rows, bytes: $0.bytes) }
      ),
    ])
  }

  private func listed(_ path: String, rows: Int, bytes: Int64) -> JSON {
    .object(["path": .string(path), "rows": .integer(Int64(rows)), "bytes": .integer(bytes)])
  }
}

extension ShardHeader {
  /// The text of `relabel_describe`.
  var description: JSON {
    .object([
      "format_version": .string("\(version)"),
      "features_required": .array(features.required.map(JSON.string)),
      "features_optional": .array(features.optional.map(JSON.string)),
      "writer": .string(writer),
      "build_id": .string(buildID),
      "num_classes": .integer(Int64(numClasses)),
      "score_kind": .string(scoreKind.rawValue),
      "fill": .string(fill.rawValue),
      "temperature": .number(temperature),
      "cell_order": .string(cellOrder.rawValue),
      "row_order": .string("\(rowOrder)"),
      "orientation": .string(orientation.rawValue),
      "map_extent": .array(mapExtent.components.map(JSON.number)),
      "height": .integer(Int64(shape.height)),
      "width": .integer(Int64(shape.width)),
      "top_k": .integer(Int64(shape.topK)),
      "id_type": .string(classIndexType.size == 2 ? "uint16" : "uint32"),
      "encoding": .string(encoding.name.rawValue),
      "step": .optional((encoding.packing?.step).map(Double.init)),
      "offset": .optional((encoding.packing?.offset).map(Double.init)),
      "key_bytes": .integer(Int64(keyBytes)),
      "images_per_chunk": .integer(Int64(imagesPerChunk)),
      "metadata": metadata.json,
      "metadata_sha256": .string(metadata.sha256),
    ])
  }
}
