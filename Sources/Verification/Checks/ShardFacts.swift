package import Relabel

/// What one shard holds, for the checks across shards and for whoever asked; small enough to cross
/// from another process, and 24 bytes an image.
package struct ShardFacts: Hashable, Sendable {
  /// What all shards of a dataset must share (spec, section 11.7), by name.
  package var shared: [String: JSON]
  package var rows: Int
  package var buildID: String
  package var writer: String
  package var numClasses: Int
  package var scoreKind: String
  package var metadataSHA256: String
  package var classesSHA256: String?
  package var annotator: String?
  package var isShuffled: Bool
  package var scoreRange: ClosedRange<Float>?
  package var largestError: Double?
  /// `KeyHash` of each row's key, where the keys were read.
  package var keyHashes: [UInt64] = []
  /// The `MapDigest` of each row, where the labels were read.
  package var mapDigests: [UInt64] = []
  /// What the maps look like as a whole, where the labels were read.
  package var statistics: LabelStatistics?
  /// The image index of each row, where they were read.
  package var imageIndexes: [Int64] = []

  package init(_ header: ShardHeader, rows: Int, optional: [(name: String, column: StoredColumn)]) {
    shared = header.shared
    self.rows = rows
    buildID = header.buildID
    writer = header.writer
    numClasses = header.numClasses
    scoreKind = header.scoreKind.rawValue
    metadataSHA256 = header.metadata.sha256
    classesSHA256 = header.metadata.classesDigest
    annotator = header.metadata.annotatorName
    isShuffled = header.rowOrder != .source
    for (name, column) in optional { addDataset(name, column.description.type) }
  }

  /// Notes an optional dataset; its name alone may be that of an attribute.
  package mutating func addDataset(_ name: String, _ type: ElementType) {
    shared["dataset \(name)"] = .string("\(type)")
  }

  /// True when the shard has an optional dataset.
  package func hasDataset(_ name: String) -> Bool { shared["dataset \(name)"] != nil }

  /// Takes an optional dataset out of what shards must share.
  package mutating func removeDataset(_ name: String) { shared["dataset \(name)"] = nil }

  /// The names of what the shards should share and don't, sorted.
  package func differences(from other: ShardFacts) -> [String] {
    Set(shared.keys).union(other.shared.keys).filter { shared[$0] != other.shared[$0] }.sorted()
  }
}

extension ShardHeader {
  /// What every shard of a dataset says alike.
  ///
  /// The deflate level is left out: it is the writer's affair, no reader needs it.
  fileprivate var shared: [String: JSON] {
    var members: [String: JSON] = [
      "format_version": .string("\(version)"),
      "features_required": .array(features.required.sorted().map(JSON.string)),
      "features_optional": .array(features.optional.sorted().map(JSON.string)),
      "num_classes": .integer(Int64(numClasses)),
      "score_kind": .string(scoreKind.rawValue),
      "fill": .string(fill.rawValue),
      "temperature": .number(temperature),
      "cell_order": .string(cellOrder.rawValue),
      "row_order": .string("\(rowOrder)"),
      "orientation": .string(orientation.rawValue),
      "map_extent": .array(mapExtent.components.map(JSON.number)),
      "writer": .string(writer),
      "build_id": .string(buildID),
      "metadata": .string(metadata.sha256),
      "grid": .string("\(shape)"),
      "encoding": .string(encoding.name.rawValue),
      "width of image_key": .integer(Int64(keyBytes)),
      "images per chunk": .integer(Int64(imagesPerChunk)),
      "compression": .string(isCompressed ? "deflate" : "none"),
    ]
    if let packing = encoding.packing {
      members["scale_factor"] = .number(Double(packing.step))
      members["add_offset"] = .number(Double(packing.offset))
    }
    return members
  }
}

extension ShardHeader {
  fileprivate var isCompressed: Bool {
    if case .deflate = compression { true } else { false }
  }
}

/// A 64-bit hash of an image key (FNV-1a), to find candidates for repeated keys.
///
/// Whoever makes two keys collide on purpose only makes the check read both keys.
package enum KeyHash {
  package static func of(_ key: some Sequence<UInt8>) -> UInt64 {
    key.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
