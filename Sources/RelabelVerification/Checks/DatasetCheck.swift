internal import HelperProcesses
internal import Relabel
import Synchronization

/// Checks a folder of shards against its index.json (rules M001–M011).
struct DatasetCheck {
  let folder: String
  let verifier: Verifier

  init(folder: String, verifier: Verifier) {
    self.folder = folder
    self.verifier = verifier
  }

  /// A shard to check, and what the index says of it.
  private struct Item: Sendable {
    let path: String
    let entry: DatasetIndex.Shard?
    var sample: Int?
  }

  private struct Checked: Sendable {
    var outcome: Result<ShardOutcome, RelabelError>
    var sha256: String?

    /// How many images were looked at; nil for a shard that could not be read.
    var images: Int? {
      if case .success(let outcome) = outcome { outcome.images } else { nil }
    }
  }

  private var indexPath: String { "\(folder)/\(DatasetIndex.fileName)" }

  /// - Throws: `.io` when the system refuses a file.
  func check() throws(RelabelError) -> Report {
    var report = Report()
    var tally = Tally()
    var indexFile = CheckedFile(indexPath, .index)
    let index = try readIndex(&tally, &indexFile)
    let items = try self.items(index, &tally, &report)
    var comparison = ShardComparison()
    var judgement = LabelJudgement()
    var shards = Report()
    try forEach(items) { (item, checked) throws(RelabelError) in
      let outcome = try checked.outcome.get()
      try shards.add(outcome, of: item.path, sha256: checked.sha256)
      if let facts = outcome.facts { judgement.add(facts, path: item.path) }
      guard let entry = item.entry, let index else { return }
      try compare(outcome.facts, checked.sha256, item.path, index.statements(of: entry), &tally)
      if let facts = outcome.facts { comparison.add(facts, path: entry.path, &tally) }
    }
    let leftOut = Set((index?.leftOut ?? []).compactMap(\.imageIndex))
    try comparison.finish(verifier.isolation, folder: folder, leftOut: leftOut, &tally)
    if index != nil || !tally.isEmpty { report.findings += tally.findings(in: indexPath) }
    if index != nil { report.files.append(indexFile) }
    report.add(shards)
    report.findings += judgement.findings(about: indexPath)
    if let total = judgement.total { report.measurements["labels"] = total.json }
    return report
  }

  /// Checks shards, several at once where there are enough, and hands the results on in order.
  ///
  /// A helper for each shard at a time; one with many threads would wait for its slowest part at the end of
  /// every shard.
  private func forEach(
    _ items: [Item],
    _ body: (Item, Checked) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let lanes = min(verifier.jobs, max(items.count, 1))
    let jobs = max(1, verifier.jobs / lanes)
    // In runs, so that what the shards hold does not pile up before it is merged.
    let run = 4 * lanes
    let listed = items.compactMap(\.entry).reduce(0) { $0 + max($1.rows, 0) }
    let total = listed > 0 ? listed : nil
    let done = Mutex(0)
    for first in stride(from: 0, to: items.count, by: run) {
      let count = min(run, items.count - first)
      let results = Parallel.map(count, jobs: lanes) { place in
        let checked = check(items[first + place], jobs: jobs)
        let images = checked.images ?? items[first + place].entry.map { max($0.rows, 0) } ?? 0
        let sum = done.withLock { sum in
          sum += images
          return sum
        }
        verifier.progress?(sum, total)
        return checked
      }
      for (place, result) in results.enumerated() { try body(items[first + place], result) }
    }
  }

  private func check(_ item: Item, jobs: Int) -> Checked {
    do {
      var request = verifier.request(item.path, jobs: jobs, sample: item.sample)
      let wantsDigest = try wantsDigest(of: item)
      // Reading and hashing by the way is for one thread.
      request.hashes = wantsDigest && jobs == 1 && item.sample == nil
      let outcome = try verifier.isolation.check(request)
      var digest = outcome.sha256
      if wantsDigest, digest == nil {
        do throws(RelabelError) {
          digest = try Digest.of(file: item.path).hex
        } catch  where error.code == .unsafeInput && !outcome.isSound {
          // Refused already for what it is; nobody waits for a terabyte of holes.
        }
      }
      return Checked(outcome: .success(outcome), sha256: digest)
    } catch {
      return Checked(outcome: .failure(error.located(Location(file: item.path))))
    }
  }

  /// True for a shard whose size is the listed one; one of another size is already found out, and may be
  /// a terabyte of holes.
  private func wantsDigest(of item: Item) throws(RelabelError) -> Bool {
    guard let entry = item.entry, verifier.level == .full else { return false }
    return try Folder.fileBytes(item.path) == entry.bytes
  }

  /// The shards to check: those of the index, or all there are without one.
  private func items(
    _ index: DatasetIndex?,
    _ tally: inout Tally,
    _ report: inout Report
  ) throws(RelabelError) -> [Item] {
    let present = try Folder.names(folder).filter { $0.hasSuffix(".h5") }
    guard let index else {
      report.omissions.append("\(folder): nothing says which shards belong to the dataset")
      return present.map { Item(path: "\(folder)/\($0)", entry: nil, sample: verifier.sample) }
    }
    let listed = Set(index.shards.map(\.path))
    for name in present where !listed.contains(name) {
      tally.add(Violation(.m004, "shard '\(name)' is not listed"))
    }
    let rows = index.shards.reduce(0) { $0 + max($1.rows, 0) }
    var items: [Item] = []
    for (entry, fault) in zip(index.shards, index.faults(in: folder)) {
      if let fault { tally.add(fault) }
      if fault?.rule == .m007 { continue }
      let isFollowed = fault?.rule != .m009
      if isFollowed, Folder.hasFile("\(folder)/\(entry.path)") {
        let share = verifier.sample.map { Self.share($0, of: entry.rows, among: rows) }
        items.append(Item(path: "\(folder)/\(entry.path)", entry: entry, sample: share))
        continue
      }
      if isFollowed { tally.add(Violation(.m004, "shard '\(entry.path)' is missing")) }
      report.omissions.append("\(folder): shard '\(entry.path)' could not be checked")
    }
    return items
  }

  /// A shard's share of a sample, rounded up.
  private static func share(_ sample: Int, of shardRows: Int, among rows: Int) -> Int {
    let product = Int128(sample) * Int128(shardRows)
    return Int(clamping: (product + Int128(rows) - 1) / Int128(max(rows, 1)))
  }

  private func readIndex(
    _ tally: inout Tally,
    _ file: inout CheckedFile
  ) throws(RelabelError) -> DatasetIndex? {
    guard Folder.hasFile(indexPath) else {
      tally.add(Violation(.m001, "there is no index.json: the dataset is incomplete"))
      return nil
    }
    do {
      let bytes = try ShardedDataset.indexBytes(indexPath)
      file.bytes = Int64(bytes.count)
      file.sha256 = Digest.of(bytes)
      return parse(bytes, &tally)
    } catch  where error.code == .unsafeInput {
      tally.add(Violation(.m002, error.message))
      return nil
    }
  }

  private func parse(_ bytes: [UInt8], _ tally: inout Tally) -> DatasetIndex? {
    do {
      return try DatasetIndex(checking: bytes)
    } catch {
      tally.add(error)
      return nil
    }
  }

  /// Compares a shard, whether it could be read or not, with what the index says of it.
  private func compare(
    _ facts: ShardFacts?,
    _ sha256: String?,
    _ path: String,
    _ listed: Statements,
    _ tally: inout Tally
  ) throws(RelabelError) {
    let found = ShardFacts.statements(
      of: facts,
      bytes: try Folder.fileBytes(path),
      sha256: sha256,
      sawScores: verifier.sample == nil
    )
    for difference in found.differences(from: listed) {
      tally.add(
        difference.violation(in: "'\(Folder.name(of: path))'", against: DatasetIndex.fileName)
      )
    }
  }
}
