internal import Relabel

/// What a dataset takes on disk, and what storing did to its scores.
struct StoredParts: Sendable {
  private let images: Int
  private let bytes: Int64
  private let parts: [(name: String, bytes: Int64)]
  private let largestError: Double?
  private let header: ShardHeader
  private let meanMissing: Double?
  private let trueMissing: Double?

  /// Adds up all shards.
  init(
    _ source: any LabelMapSource,
    _ cells: CellCounts,
    _ measures: DatasetMeasures
  ) throws(RelabelError) {
    header = try source.header
    images = source.count
    meanMissing = header.leavesClassesOut && source.count > 0 ? cells.meanMissing : nil
    let known = measures.trueMissing
    trueMissing = known.images == 0 ? nil : known.sum / Double(known.images)
    var total: Int64 = 0
    var sums: [(name: String, bytes: Int64)] = []
    var largest: Double?
    for shard in source.rowsOfShards.indices {
      let reader = try source.reader(ofShard: shard)
      // Not held open: what a reader holds of each shard would add up.
      defer { source.letGo(ofShard: shard) }
      let sizes = try reader.sizes()
      total += sizes.total
      for part in sizes.datasets {
        if let place = sums.firstIndex(where: { $0.name == part.name }) {
          sums[place].bytes += part.bytes
        } else {
          sums.append(part)
        }
      }
      if let error = reader.largestError { largest = max(largest ?? 0, error) }
    }
    let structure = total - sums.reduce(0) { $0 + $1.bytes }
    (bytes, largestError) = (total, largest)
    parts = sums.sorted { ($0.bytes, $1.name) > ($1.bytes, $0.name) } + [("structure", structure)]
  }

  /// By how many times the ratio of two probabilities may have changed at most; nil where the error is not known or
  /// scores are probabilities themselves.
  private var largestFactor: Double? {
    guard let largestError, !header.hasFactors else { return nil }
    switch header.scoreKind {
    case .logit: return Mathematics.exp(2 * largestError / header.temperature)
    case .logProbability: return Mathematics.exp(2 * largestError)
    case .probability: return nil
    }
  }

  /// For a page.
  var json: JSON {
    .object([
      "bytes": .integer(bytes),
      "bytes_per_image": .rounded(Double(bytes) / Double(max(images, 1))),
      "parts": .array(
        parts.map { .object(["name": .string($0.name), "bytes": .integer($0.bytes)]) }
      ),
      "encoding": .string(header.encoding.name.rawValue),
      "step": header.encoding.packing.map { .number(Double($0.step)) } ?? .null,
      "largest_error": .optional(largestError),
      "largest_factor": largestFactor.map(JSON.rounded) ?? .null,
      "kept_classes": .integer(
        Int64(header.hasFactors ? header.numClasses : header.shape.topK)
      ),
      "factors": header.hasFactors ? .integer(Int64(header.shape.topK)) : .null,
      "mean_cell_missing": meanMissing.map(JSON.rounded) ?? .null,
      "mean_true_cell_missing": trueMissing.map(JSON.rounded) ?? .null,
      "compression": .string("\(header.compression)"),
      "images_per_chunk": .integer(Int64(header.imagesPerChunk)),
    ])
  }
}
