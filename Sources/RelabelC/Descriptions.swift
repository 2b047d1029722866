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
    var members = statements.members
    members["id_type"] = .string(classIndexType.size == 2 ? "uint16" : "uint32")
    members["metadata"] = metadata.json
    members["classes_are"] = .string(classesAre.rawValue)
    if let factorQuality { members["factor_quality"] = .number(factorQuality) }
    return .object(members)
  }
}
