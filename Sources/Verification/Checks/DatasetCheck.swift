internal import Relabel

/// Checks a folder of shards against its index.json (rules M001–M010).
struct DatasetCheck {
  let folder: String
  let jobs: Int

  /// Findings by file, in the order of the check.
  struct Outcome {
    var tallies: [(file: String, tally: Tally)] = []
    var shards = 0
    var images = 0
    var isComplete = true
  }

  private var indexPath: String { "\(folder)/\(DatasetIndex.fileName)" }

  /// - Throws: `.io` when the system refuses a file.
  func check() throws(RelabelError) -> Outcome {
    var outcome = Outcome()
    var tally = Tally()
    let present = try Folder.names(folder).filter { $0.hasSuffix(".h5") }
    guard let index = try readIndex(&tally) else {
      outcome.isComplete = false
      for name in present { try check(shard: "\(folder)/\(name)", &outcome) }
      outcome.tallies.insert((indexPath, tally), at: 0)
      return outcome
    }
    let listed = Set(index.shards.map(\.path))
    for name in present where !listed.contains(name) {
      tally.add(Violation("M004", "shard '\(name)' is not listed"))
    }
    var across = Comparison()
    var seen: Set<String> = []
    for entry in index.shards {
      guard seen.insert(entry.path).inserted else {
        tally.add(Violation("M007", "shard '\(entry.path)' is listed twice"))
        continue
      }
      guard let path = try locate(entry, &tally) else {
        outcome.isComplete = false
        continue
      }
      guard let shard = try check(shard: path, &outcome) else { continue }
      compare(shard, entry, index, &tally)
      across.add(shard, path: entry.path, &tally)
    }
    outcome.tallies.insert((indexPath, tally), at: 0)
    return outcome
  }

  /// The file of a shard, or nil after a report when it must not or can't be opened.
  private func locate(
    _ entry: DatasetIndex.Shard,
    _ tally: inout Tally
  ) throws(RelabelError) -> String? {
    if let fault = ShardedDataset.fault(ofPath: entry.path, in: folder) {
      tally.add(Violation("M009", "shard path '\(entry.path)': \(fault)"))
      return nil
    }
    let path = "\(folder)/\(entry.path)"
    guard Folder.hasFile(path) else {
      tally.add(Violation("M004", "shard '\(entry.path)' is missing"))
      return nil
    }
    let file = try Digest.of(file: path)
    if file.bytes != entry.bytes || file.hex != entry.sha256 {
      tally.add(
        Violation(
          "M005",
          "shard '\(entry.path)' is not the file that was listed: \(file.bytes) bytes, sha256 "
            + "\(file.hex), listed \(entry.bytes) bytes, sha256 \(entry.sha256)"
        )
      )
    }
    return path
  }

  private func readIndex(_ tally: inout Tally) throws(RelabelError) -> DatasetIndex? {
    guard Folder.hasFile(indexPath) else {
      tally.add(Violation("M001", "there is no index.json: the dataset is incomplete"))
      return nil
    }
    let bytes: [UInt8]
    do {
      bytes = try ShardedDataset.indexBytes(indexPath)
    } catch  where error.code == .unsafeInput {
      tally.add(Violation("M002", error.message))
      return nil
    }
    do {
      return try DatasetIndex(checking: bytes)
    } catch {
      tally.add(error)
      return nil
    }
  }

  @discardableResult
  private func check(
    shard path: String,
    _ outcome: inout Outcome
  ) throws(RelabelError) -> CheckedShard? {
    let (tally, shard) = try ShardCheck(jobs: jobs).check(path)
    outcome.tallies.append((path, tally))
    outcome.shards += 1
    outcome.images += shard?.rows ?? 0
    if shard == nil { outcome.isComplete = false }
    return shard
  }

  private func compare(
    _ shard: CheckedShard,
    _ entry: DatasetIndex.Shard,
    _ index: DatasetIndex,
    _ tally: inout Tally
  ) {
    if entry.rows == 0 { tally.add(Violation("M010", "shard '\(entry.path)' has no rows")) }
    let facts: [(String, Bool)] = [
      ("rows", shard.rows == entry.rows),
      ("metadata_sha256", shard.header.metadata.sha256 == entry.metadataSHA256),
      ("score_min and score_max", shard.rows == 0 || shard.scoreRange == entry.scoreRange),
      ("largest_error", shard.largestError == entry.largestError),
      ("writer", shard.header.writer == index.writer),
      ("annotator", shard.header.metadata.annotatorName == index.annotator),
      ("build_id", shard.header.buildID == index.buildID),
      ("num_classes", shard.header.numClasses == index.numClasses),
      ("score_kind", shard.header.scoreKind == index.scoreKind),
      ("classes_sha256", shard.header.metadata.classesDigest == index.classesSHA256),
    ]
    for (name, agrees) in facts where !agrees {
      tally.add(Violation("M006", "'\(name)' differs between index.json and '\(entry.path)'"))
    }
  }
}

/// What the shards of a dataset must share, and what they must not (rules M007, M008).
private struct Comparison {
  private var first: (path: String, shard: CheckedShard)?
  private var keys: [ImageKey.Exact: String] = [:]
  private var indexes: [Int64: String] = [:]

  mutating func add(_ shard: CheckedShard, path: String, _ tally: inout Tally) {
    if let first, !first.shard.agrees(with: shard) {
      let message = "'\(path)' and '\(first.path)' differ in types, shapes or attributes"
      tally.add(Violation("M008", message))
    }
    first = first ?? (path, shard)
    // Twice within one shard is that shard's own finding.
    for key in shard.keys {
      if let earlier = keys.updateValue(path, forKey: ImageKey.Exact(key)), earlier != path {
        tally.add(Violation("M007", "image '\(key)' is in '\(earlier)' and in '\(path)'"))
      }
    }
    for index in shard.imageIndexes {
      if let earlier = indexes.updateValue(path, forKey: index), earlier != path {
        tally.add(Violation("M007", "image index \(index) is in '\(earlier)' and in '\(path)'"))
      }
    }
  }
}
