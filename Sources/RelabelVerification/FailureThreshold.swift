internal import RelabelFormat

/// The least severity of a finding that makes the verifier fail.
public enum FailureThreshold: String, Hashable, Sendable, CaseIterable {
  /// Only errors.
  case error
  /// Warnings, too.
  case warning
  /// Every finding.
  case note
  /// No finding.
  case never

  /// True when a finding of `severity` makes the verifier fail.
  func includes(_ severity: Rule.Severity) -> Bool {
    switch self {
    case .error: severity == .error
    case .warning: severity >= .warning
    case .note: true
    case .never: false
    }
  }
}
