public import Relabel

/// The outcome of a verification.
public struct Report: Sendable {
  /// Broken rules that count, file by file.
  public var findings: [Finding] = []
  /// Broken rules that somebody said do not count; each says who and why.
  public var silenced: [Finding] = []
  /// Findings of the baseline that are gone; empty unless the check is complete.
  public var absent: [Finding] = []
  /// Paths that could not be checked because the system refused.
  public var failures: [RelabelError] = []
  /// The files that were checked, in the order of the check.
  public var files: [CheckedFile] = []
  /// Why the check is not complete: one line each; empty when every byte and value was looked at.
  public var omissions: [String] = []
  /// What is worth knowing about the policy, such as entries that have expired: one line each.
  public var remarks: [String] = []
  /// Figures about the labels and the pictures, for programs: by name.
  public var measurements: [String: JSON] = [:]
  /// What was asked for, for programs: by name.
  public var options: [String: JSON] = [:]
  /// The least severity that makes the verifier fail.
  public var failOn: FailureThreshold = .error
  /// True when a check that is not complete may still be a success.
  public var allowsOmissions: Bool = false
  /// The most findings that are listed; nil for all.
  ///
  /// The exit code does not depend on it.
  public var listingLimit: Int?

  /// Shards looked at.
  public var shards: Int { files.count { $0.kind == .shard } }
  /// Images looked at.
  public var images: Int { files.reduce(0) { $0 + $1.images } }
  /// True when every byte and value was looked at.
  public var isComplete: Bool { omissions.isEmpty && failures.isEmpty }

  /// The exit code: 74 for a system failure, else that of the gravest finding, else 3 when the check
  /// is not complete (`spec/rules.md`, "Severity and exit code").
  public var exitStatus: ExitStatus {
    if failures.contains(where: { $0.code == .internalFault }) { return .internalFault }
    if !failures.isEmpty { return .io }
    let counting = findings.filter(counts)
    // A warning that was made to count is a finding like any other.
    let outcomes = Set(counting.map { $0.rule.outcome == .sound ? .findings : $0.rule.outcome })
    if let gravest = Rule.Outcome.byGravity.first(where: outcomes.contains) {
      return gravest.exitStatus
    }
    return omissions.isEmpty || allowsOmissions ? .success : .incomplete
  }

  /// One word for the exit code.
  public var verdict: String {
    switch exitStatus {
    case .success: isComplete ? "sound" : "incomplete"
    case .findings: "findings"
    case .incomplete: "incomplete"
    case .unsafe: "unsafe"
    case .corrupt: "corrupt"
    case .unsupported: "unsupported"
    default: "failed"
    }
  }

  /// True when a finding makes the verifier fail.
  func counts(_ finding: Finding) -> Bool { failOn.includes(finding.severity) }

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
