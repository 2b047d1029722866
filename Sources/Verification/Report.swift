public import Relabel

/// The outcome of a verification.
public struct Report: Sendable {
  /// Broken rules, file by file.
  public var findings: [Finding] = []
  /// Paths that could not be checked because the system refused.
  public var failures: [RelabelError] = []
  /// Shards looked at.
  public var shards: Int = 0
  /// Images looked at.
  public var images: Int = 0
  /// False when a violation stopped the check of a file before its end.
  public var isComplete: Bool = true

  /// The exit code: 74 for a system failure, else that of the gravest finding (spec, "Rules").
  public var exitCode: Int32 {
    if !failures.isEmpty { return 74 }
    let outcomes = Set(findings.map(\.rule.outcome))
    for outcome in [Rule.Outcome.corrupt, .unsafe, .unsupported, .findings]
    where outcomes.contains(outcome) {
      return Int32(outcome.rawValue)
    }
    return 0
  }

  /// One word for the exit code.
  public var verdict: String {
    switch exitCode {
    case 0: isComplete ? "sound" : "incomplete"
    case 1: "findings"
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
    shards += other.shards
    images += other.images
    isComplete = isComplete && other.isComplete
  }
}
