import Relabel

/// Why a row of a shard can't be saved as it is.
struct RowFault: Error, Hashable, Sendable {
  /// What of the row is at fault.
  enum Part: String, Hashable, Sendable {
    /// Its labels.
    case map
    /// Its key, which a source listing can restore.
    case key
    /// Its image index, which a source listing can restore.
    case imageIndex = "image_index"
    /// Its value of an optional dataset.
    case value
  }

  let part: Part
  /// What is wrong, in words that are the same for all rows with this fault.
  let reason: String
  var cell: Location.Cell?

  /// A row whose chunk of `dataset` is lost.
  init(_ part: Part, dataset: String, _ damage: ChunkDamage) {
    self.init(part, "its chunk of \(dataset) is damaged: \(damage.description)")
  }

  /// A row that breaks a rule, which the reason then names.
  init(_ part: Part, _ rule: Rule, _ reason: String, cell: Location.Cell? = nil) {
    self.init(part, "\(reason) [\(rule.id)]", cell: cell)
  }

  init(_ part: Part, _ reason: String, cell: Location.Cell? = nil) {
    self.part = part
    self.reason = reason
    self.cell = cell
  }
}

/// Why a chunk is lost.
struct ChunkDamage: Error, Hashable, Sendable {
  let description: String
}

extension StoredColumn {
  /// The decoded bytes of a chunk, or why it is lost.
  func salvaged(chunk: Int) -> Result<[UInt8], ChunkDamage> {
    do {
      return try self.chunk(chunk).mapError { ChunkDamage(description: $0.words) }
    } catch {
      return .failure(ChunkDamage(description: "\(error)"))
    }
  }
}

extension ChunkFault {
  /// The fault without its numbers, so that equal faults read alike.
  fileprivate var words: String {
    switch self {
    case .checksum: "its checksum is wrong"
    case .tooLong: "it has more bytes than any sound one"
    default: description
    }
  }
}
