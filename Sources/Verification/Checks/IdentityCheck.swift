internal import Relabel

/// Checks image keys and image indexes of a shard (rules V009, V010).
struct IdentityCheck {
  private let file: ShardFile

  struct Outcome {
    var tally = Tally()
    /// Nil for a key that can't be read.
    var keys: [String?] = []
    var imageIndexes: [Int64] = []
  }

  init(_ file: ShardFile) {
    self.file = file
  }

  func check() -> Outcome {
    var outcome = Outcome()
    checkKeys(&outcome)
    checkIndexes(&outcome)
    return outcome
  }

  private func checkKeys(_ outcome: inout Outcome) {
    let column = ColumnCheck(Layout.imageKey, file.imageKey)
    let width = file.header.keyBytes
    var seen: [ImageKey.Exact: Int] = Dictionary(minimumCapacity: file.rows)
    for chunk in 0..<file.imageKey.chunks {
      let first = chunk * file.imageKey.rowsPerChunk
      guard let bytes = column.bytes(ofChunk: chunk, &outcome.tally) else {
        let lost = min(file.imageKey.rowsPerChunk, file.rows - first)
        outcome.keys += [String?](repeating: nil, count: lost)
        continue
      }
      for (offset, key) in ShardFile.imageKeys(Array(bytes), width: width).enumerated() {
        let row = first + offset
        outcome.keys.append(key)
        if let fault = key.map({ ImageKey.fault($0) }) ?? "the key is not valid UTF-8" {
          report("V010", fault, Layout.imageKey, row, &outcome)
        } else if let key, let earlier = seen.updateValue(row, forKey: ImageKey.Exact(key)) {
          report("V010", "row \(earlier) has the same key", Layout.imageKey, row, &outcome)
        }
      }
    }
  }

  private func checkIndexes(_ outcome: inout Outcome) {
    let column = ColumnCheck(Layout.imageIndex, file.imageIndex)
    var seen: [Int64: Int] = Dictionary(minimumCapacity: file.rows)
    for chunk in 0..<file.imageIndex.chunks {
      guard let bytes = column.bytes(ofChunk: chunk, &outcome.tally) else { continue }
      let first = chunk * file.imageIndex.rowsPerChunk
      for (offset, index) in ShardFile.imageIndexes(Array(bytes)).enumerated() {
        let row = first + offset
        outcome.imageIndexes.append(index)
        if index < 0 {
          report("V009", "image index \(index) is negative", Layout.imageIndex, row, &outcome)
        } else if let earlier = seen.updateValue(row, forKey: index) {
          let message = "row \(earlier) has the same image index \(index)"
          report("V009", message, Layout.imageIndex, row, &outcome)
        }
      }
    }
  }

  private func report(
    _ rule: String,
    _ message: String,
    _ dataset: String,
    _ row: Int,
    _ outcome: inout Outcome
  ) {
    outcome.tally.add(Violation(rule, message, at: Location(dataset: dataset, row: row)))
  }
}
