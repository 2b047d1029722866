package import Relabel

/// Proves shards and datasets sound, or says what is wrong with them.
public struct Verifier: Sendable {
  /// Threads that decode and check.
  public var jobs: Int
  /// Rules whose findings are left out.
  public var ignoredRules: Set<String>

  /// Makes a verifier.
  public init(jobs: Int = 1, ignoredRules: Set<String> = []) {
    self.jobs = jobs
    self.ignoredRules = ignoredRules
  }

  /// Checks shards, folders of shards and `index.json` files.
  ///
  /// Broken files become findings; what the system refuses becomes a failure, and the other paths
  /// are still checked. Callable from any thread.
  /// - Complexity: reads every byte of every shard once for its digest and once to check it.
  public func verify(_ paths: [String]) -> Report {
    var report = Report()
    for path in paths {
      do {
        report.add(try verify(path))
      } catch {
        report.failures.append(error.located(Location(file: path)))
      }
    }
    return report
  }

  /// What a sound shard holds, or nil when it breaks any rule.
  ///
  /// - Throws: `.io` when the system refuses the file.
  package func check(shard path: String) throws(RelabelError) -> CheckedShard? {
    let (tally, shard) = try ShardCheck(jobs: jobs).check(path)
    let findings = tally.findings(in: path, ignoring: ignoredRules)
    return findings.contains { $0.rule.severity == .error } ? nil : shard
  }

  private func verify(_ path: String) throws(RelabelError) -> Report {
    var report = Report()
    guard let folder = Self.datasetFolder(path) else {
      let (tally, shard) = try ShardCheck(jobs: jobs).check(path)
      report.findings = tally.findings(in: path, ignoring: ignoredRules)
      report.shards = 1
      report.images = shard?.rows ?? 0
      report.isComplete = shard != nil
      return report
    }
    let outcome = try DatasetCheck(folder: folder, jobs: jobs).check()
    for (file, tally) in outcome.tallies {
      report.findings += tally.findings(in: file, ignoring: ignoredRules)
    }
    report.shards = outcome.shards
    report.images = outcome.images
    report.isComplete = outcome.isComplete
    return report
  }

  private static func datasetFolder(_ path: String) -> String? {
    if Folder.exists(path) {
      return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
    guard path == DatasetIndex.fileName || path.hasSuffix("/\(DatasetIndex.fileName)") else {
      return nil
    }
    let folder = path.dropLast(DatasetIndex.fileName.count)
    return folder.isEmpty ? "." : String(folder.dropLast())
  }
}
