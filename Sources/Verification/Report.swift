public import Relabel

/// The outcome of a verification.
public struct Report: Sendable {
  /// Broken rules that count, file by file.
  public var findings: [Finding] = []
  /// Broken rules that somebody said do not count; each says who and why.
  public var silenced: [Finding] = []
  /// Paths that could not be checked because the system refused.
  public var failures: [RelabelError] = []
  /// What was looked at, in the order of the check.
  public var files: [CheckedFile] = []
  /// Why the check is not complete: one line each; empty when every byte and value was looked at.
  public var omissions: [String] = []
  /// Figures about the labels and what else was asked for, for programs: by name.
  public var measurements: [String: JSON] = [:]
  /// The least severity that makes the verifier fail.
  public var failOn: Rule.Severity = .error
  /// True when a check that is not complete may still be a success.
  public var allowsOmissions: Bool = false

  /// Shards looked at.
  public var shards: Int { files.count { $0.kind == .shard } }
  /// Images looked at.
  public var images: Int { files.reduce(0) { $0 + $1.images } }
  /// True when every byte and value was looked at.
  public var isComplete: Bool { omissions.isEmpty && failures.isEmpty }

  /// The exit code: 74 for a system failure, else that of the gravest finding, else 3 when the check
  /// is not complete (`spec/rules.md`, "Severity and exit code").
  public var exitCode: Int32 {
    if failures.contains(where: { $0.code == .internalFault }) { return 70 }
    if !failures.isEmpty { return 74 }
    let counting = findings.filter { $0.severity >= failOn }
    // A warning that was made to count is a finding like any other.
    let outcomes = Set(counting.map { $0.rule.outcome == .sound ? .findings : $0.rule.outcome })
    if let gravest = Rule.Outcome.byGravity.first(where: outcomes.contains) {
      return Int32(gravest.rawValue)
    }
    return omissions.isEmpty || allowsOmissions ? 0 : 3
  }

  /// One word for the exit code.
  public var verdict: String {
    switch exitCode {
    case 0: isComplete ? "sound" : "incomplete"
    case 1: "findings"
    case 3: "incomplete"
    case 4: "unsafe"
    case 5: "corrupt"
    case 6: "unsupported"
    default: "failed"
    }
  }

  /// Adds the outcome of another check.
  mutating func add(_ other: Report) {
    findings += other.findings
    failures += other.failures
    files += other.files
    omissions += other.omissions
    measurements.merge(other.measurements) { earlier, later in
      // A list has one element for each path.
      if let list = earlier.array, let more = later.array { return .array(list + more) }
      return later
    }
  }
}

/// A file that was looked at.
public struct CheckedFile: Hashable, Sendable {
  /// What a file is.
  public enum Kind: String, Hashable, Sendable { case shard, index }

  /// The path, as it was reached.
  public let path: String
  /// What it is.
  public let kind: Kind
  /// Size of the file.
  public var bytes: Int64 = 0
  /// SHA-256 of the file, when it was taken.
  public var sha256: String?
  /// Rows that were checked.
  public var images: Int = 0
  /// Chunks that were read and decoded.
  public var chunks: Int = 0
  /// Figures about the labels; see `LabelStatistics`.
  public var statistics: JSON?

  /// Makes a record of a file that has not been looked at yet.
  package init(_ path: String, _ kind: Kind) {
    self.path = path
    self.kind = kind
  }
}

extension Report {
  /// Silences the findings of some rules.
  public mutating func ignore(_ rules: Set<String>) {
    for var finding in findings where rules.contains(finding.rule.id) {
      finding.silencing = Finding.Silencing(.commandLine)
      silenced.append(finding)
    }
    findings.removeAll { rules.contains($0.rule.id) }
  }
}
