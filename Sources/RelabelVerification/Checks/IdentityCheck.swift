internal import Relabel

/// Checks image keys and image indexes of a shard (rules V009, V010); views of an image may share both.
struct IdentityCheck {
  private let file: ShardFile

  struct Outcome {
    var tally = Tally()
    /// `KeyHash` of each key, 0 for one that can't be read.
    var keyHashes: [UInt64] = []
    var imageIndexes: [Int64] = []
    /// Of views: a digest of each key that nobody can choose, 0 for one that can't be read.
    var keyDigests: [UInt64] = []
  }

  private var areViews: Bool { file.header.views != nil }

  init(_ file: ShardFile) {
    self.file = file
  }

  func check() -> Outcome {
    var outcome = Outcome()
    checkKeys(&outcome)
    checkIndexes(&outcome)
    return outcome
  }

  /// The key of a row, nil where it can't be read.
  func key(ofRow row: Int) -> String? {
    let (chunk, place) = row.quotientAndRemainder(dividingBy: file.imageKey.rowsPerChunk)
    guard (0..<file.rows).contains(row), let keys = keys(ofChunk: chunk) else { return nil }
    return keys[place]
  }

  private func keys(ofChunk chunk: Int) -> [String?]? {
    guard let bytes = try? file.imageKey.chunk(chunk).get() else { return nil }
    return ShardFile.imageKeys(bytes, width: file.header.keyBytes)
  }

  private func checkKeys(_ outcome: inout Outcome) {
    let column = ColumnCheck(Layout.imageKey, file.imageKey)
    var faults: [Int: String] = [:]
    var lost: Set<Int> = []
    outcome.keyHashes.reserveCapacity(file.rows)
    for chunk in 0..<file.imageKey.chunks {
      let first = chunk * file.imageKey.rowsPerChunk
      guard let bytes = column.bytes(ofChunk: chunk, &outcome.tally) else {
        lost.insert(chunk)
        let rows = min(file.imageKey.rowsPerChunk, file.rows - first)
        outcome.keyHashes += [UInt64](repeating: 0, count: rows)
        if areViews { outcome.keyDigests += [UInt64](repeating: 0, count: rows) }
        continue
      }
      // Byte by byte: strings are made of the few that a finding names.
      let width = file.header.keyBytes
      for (row, start) in stride(from: bytes.startIndex, to: bytes.endIndex, by: width).enumerated()
      {
        let key = bytes[start..<start + width].unpadded
        let isText = key.isText
        outcome.keyHashes.append(isText ? KeyHash.of(key) : 0)
        if areViews { outcome.keyDigests.append(isText ? Self.digest(key) : 0) }
        let fault =
          isText
          ? key.withUnsafeBufferPointer { ImageKey.fault($0) } : "the key is not valid UTF-8"
        if let fault { faults[first + row] = fault }
      }
    }
    if !areViews, Repeats.exist(in: [outcome.keyHashes]) {
      addRepeats(to: &faults, except: lost, &outcome)
    }
    for (row, fault) in faults.sorted(by: { $0.key < $1.key }) {
      report(.v010, fault, Layout.imageKey, row, &outcome)
    }
  }

  private static func digest(_ key: ArraySlice<UInt8>) -> UInt64 {
    var hasher = Hasher()
    key.withUnsafeBytes { hasher.combine(bytes: $0) }
    return UInt64(bitPattern: Int64(hasher.finalize())) | 1
  }

  /// Adds the rows whose key stands before, where nothing else is wrong with it.
  private func addRepeats(
    to faults: inout [Int: String],
    except lost: Set<Int>,
    _ outcome: inout Outcome
  ) {
    var seen: [ImageKey.Exact: Int] = [:]
    for chunk in 0..<file.imageKey.chunks where !lost.contains(chunk) {
      let first = chunk * file.imageKey.rowsPerChunk
      guard let keys = keys(ofChunk: chunk) else {
        report(
          .c001,
          "keys could be read before and can't be read again",
          Layout.imageKey,
          first,
          &outcome
        )
        continue
      }
      for (row, key) in zip(first..., keys.prefix(file.rows - first)) where faults[row] == nil {
        if let key, let earlier = seen.updateValue(row, forKey: ImageKey.Exact(key)) {
          faults[row] = "row \(earlier) has the same key"
        }
      }
    }
  }

  private func checkIndexes(_ outcome: inout Outcome) {
    let column = ColumnCheck(Layout.imageIndex, file.imageIndex)
    var rows: [Int] = []
    for chunk in 0..<file.imageIndex.chunks {
      guard let bytes = column.bytes(ofChunk: chunk, &outcome.tally) else { continue }
      let first = chunk * file.imageIndex.rowsPerChunk
      let indexes = ShardFile.imageIndexes(Array(bytes))
      outcome.imageIndexes += indexes
      rows += first..<first + indexes.count
    }
    let mayRepeat = !areViews && Repeats.exist(in: [outcome.imageIndexes])
    var seen: [Int64: Int] = [:]
    for (row, index) in zip(rows, outcome.imageIndexes) {
      if index < 0 {
        report(.v009, "image index \(index) is negative", Layout.imageIndex, row, &outcome)
      } else if mayRepeat, let earlier = seen.updateValue(row, forKey: index) {
        let message = "row \(earlier) has the same image index \(index)"
        report(.v009, message, Layout.imageIndex, row, &outcome)
      }
    }
  }

  private func report(
    _ rule: Rule,
    _ message: String,
    _ dataset: String,
    _ row: Int,
    _ outcome: inout Outcome
  ) {
    outcome.tally.add(Violation(rule, message, at: Location(dataset: dataset, row: row)))
  }
}
