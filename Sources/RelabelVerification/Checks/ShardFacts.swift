package import Relabel

/// What one shard holds, for the checks across shards and for whoever asked; small enough to cross
/// from another process, and 24 bytes an image.
package struct ShardFacts: Hashable, Sendable {
  /// What all shards of a dataset must share (spec, section 11.7), by name.
  package var shared: Statements
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

  /// Where rows are views, what has to be compared across shards.
  package var views: Views?

  /// What views add.
  package struct Views: Hashable, Sendable {
    /// `KeyHash` of each row's key; `keyHashes` tells views apart.
    package var keyHashes: [UInt64] = []
    /// Epoch and batch of each batch.
    package var batches: [UInt64] = []
    /// Images that are partners of views.
    package var partners: [Int64] = []
  }

  package init(_ header: ShardHeader, rows: Int, optional: [String]) {
    shared = header.statements(datasets: Layout.required.map(\.name) + optional)
    self.rows = rows
    buildID = header.buildID
    writer = header.writer
    numClasses = header.numClasses
    scoreKind = header.scoreKind.rawValue
    metadataSHA256 = header.metadata.sha256
    classesSHA256 = header.metadata.classesDigest
    annotator = header.metadata.annotatorName
    if case .shuffled = header.rowOrder { isShuffled = true } else { isShuffled = false }
  }

  /// Notes an optional dataset.
  package mutating func addDataset(_ name: String) {
    if !hasDataset(name) { setDatasets(datasets + [name]) }
  }

  /// True when the shard has an optional dataset.
  package func hasDataset(_ name: String) -> Bool { datasets.contains(name) }

  /// Takes an optional dataset out of what shards must share.
  package mutating func removeDataset(_ name: String) {
    setDatasets(datasets.filter { $0 != name })
  }

  /// True when the labels are compressed.
  package var isCompressed: Bool {
    shared["filters"]?.array?.contains(.string(Filter.deflate(level: 0).description)) ?? false
  }

  private var datasets: [String] { (shared["datasets"]?.array ?? []).compactMap(\.string) }

  private mutating func setDatasets(_ names: [String]) {
    shared.say("datasets", .array(names.sorted().map(JSON.string)), .m008)
  }
}

extension ShardFacts {
  /// All that a shard says of its dataset, as far as it was found out: its file alone where it can't be read.
  ///
  /// - Parameters:
  ///   - facts: what was read of it.
  ///   - bytes: the size of its file.
  ///   - sha256: the digest of its file, where it was taken.
  ///   - sawScores: true when every score was looked at.
  /// - Returns: what can be compared with its index.
  static func statements(
    of facts: ShardFacts?,
    bytes: Int64,
    sha256: String?,
    sawScores: Bool
  ) -> Statements {
    var said = facts?.shared ?? Statements()
    said.say("bytes", .integer(bytes), .m005)
    if let sha256 { said.say("sha256", .string(sha256), .m005) }
    guard let facts else { return said }
    said.sayListed(
      rows: facts.rows,
      annotator: facts.annotator,
      classesSHA256: facts.classesSHA256
    )
    said.say("largest_error", .optional(facts.largestError), .m006)
    if sawScores, let range = facts.scoreRange {
      said.say("score_min", .number(Double(range.lowerBound)), .m006)
      said.say("score_max", .number(Double(range.upperBound)), .m006)
    }
    return said
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
