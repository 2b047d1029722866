package import Relabel

/// Proves shards and datasets sound, or says what is wrong with them.
///
/// ```swift
/// let report = Verifier(jobs: 2).verify([folder])
/// for finding in report.findings {
///   print(finding.rule.rawValue, finding.location, finding.message)
/// }
/// print(report.verdict)
/// ```
///
/// Broken files may crash the HDF5 library. `Verifier(isolation:)` lets it work in helper processes.
public struct Verifier: Sendable {
  /// How much is read.
  public enum Level: String, Hashable, Sendable, CaseIterable {
    /// The structure of every shard and `index.json`; no chunk and no digest.
    case quick
    /// Everything.
    case full
  }

  /// Threads that decode and check, over all shards.
  public var jobs: Int
  /// How much is read.
  public var level: Level = .full
  /// How many images of each path to look at, spread over its shards; nil for all.
  public var sample: Int?
  /// Where the HDF5 library works.
  public var isolation: Isolation
  /// What to check with the pictures at hand.
  public var pictures: PictureChecks?
  /// The scores that datasets of factors were made from, to measure the error of targets again (rule V034).
  package var against: (any DenseSource)?
  /// Told after each shard of a dataset how many images have been checked, of how many that its index lists; called
  /// from any thread.
  public var progress: (@Sendable (_ images: Int, _ total: Int?) -> Void)?

  /// Makes a verifier.
  public init(jobs: Int = 1, isolation: Isolation = .none) {
    self.jobs = jobs
    self.isolation = isolation
  }

  /// Checks shards, folders of shards and `index.json` files.
  ///
  /// Broken files become findings; what the system refuses becomes a failure, and the other paths
  /// are still checked. Callable from any thread.
  /// - Complexity: reads every byte of every shard once, twice where several threads share a shard.
  public func verify(_ paths: [String]) -> Report {
    var report = Report()
    for path in paths {
      do {
        report.add(try verify(path))
      } catch {
        report.failures.append(error.located(Location(file: path)))
      }
    }
    if level == .quick { report.omissions.append("--level quick reads no chunk and no digest") }
    return report
  }

  /// What a sound shard holds, or nil when it breaks any rule.
  ///
  /// - Throws: `.io` when the system refuses the file.
  package func check(shard path: String) throws(RelabelError) -> ShardFacts? {
    let outcome = try isolation.check(request(path, jobs: jobs))
    let findings = outcome.tally.findings(in: path)
    return findings.contains { $0.severity == .error } ? nil : outcome.facts
  }

  private func verify(_ path: String) throws(RelabelError) -> Report {
    var report = try verifyFiles(path)
    do {
      if let pictures {
        var pass = try PicturePass(pictures, path: path, verifier: self)
        try pass.check(&report)
      }
      if let against { try TargetCheck(against, path: path, jobs: jobs).check(&report) }
    } catch {
      // What was found in the files stays.
      report.failures.append(error.located(Location(file: path)))
    }
    return report
  }

  private func verifyFiles(_ path: String) throws(RelabelError) -> Report {
    if let folder = Folder.ofDataset(path) {
      return try DatasetCheck(folder: folder, verifier: self).check()
    }
    var report = Report()
    let outcome = try isolation.check(request(path, jobs: jobs, sample: sample))
    try report.add(outcome, of: path)
    var judgement = LabelJudgement()
    if let facts = outcome.facts { judgement.add(facts, path: path) }
    report.findings += judgement.findings(about: path)
    return report
  }

  /// The request to check one shard as this verifier does.
  func request(_ path: String, jobs: Int, sample: Int? = nil) -> ShardRequest {
    var request = ShardRequest(path)
    request.jobs = jobs
    request.readsChunks = level == .full
    request.sample = sample
    return request
  }

  /// What findings about a whole path are about: the dataset's index, or the shard.
  static func subject(of path: String) -> String {
    Folder.ofDataset(path).map { "\($0)/\(DatasetIndex.fileName)" } ?? path
  }

}

extension Report {
  /// Adds what came out of the check of a shard.
  ///
  /// - Throws: `.io` for a file that is gone since.
  mutating func add(
    _ outcome: ShardOutcome,
    of path: String,
    sha256: String? = nil
  ) throws(RelabelError) {
    findings += outcome.tally.findings(in: path)
    var file = CheckedFile(path, .shard)
    file.bytes = try Folder.fileBytes(path)
    file.sha256 = sha256
    file.images = outcome.images
    file.chunks = outcome.chunks
    file.statistics = outcome.facts?.statistics?.json
    file.isStopped = outcome.facts == nil
    files.append(file)
    guard let facts = outcome.facts else {
      omissions.append("\(path): a finding stopped the check before its end")
      return
    }
    // A quick check says once for all that it reads no labels.
    if outcome.images > 0, outcome.images < facts.rows {
      omissions.append(
        "\(path): the labels of \(outcome.images) of \(facts.rows) images were checked"
      )
    }
  }
}
