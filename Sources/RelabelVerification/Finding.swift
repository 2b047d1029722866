public import Relabel

/// A broken rule: what is wrong, where first, and how often.
public struct Finding: Hashable, Sendable {
  /// The rule.
  public let rule: Rule
  /// The severity of the rule, or the severity that a configuration gives it.
  public var severity: Rule.Severity
  /// What is wrong, with the value found first.
  public let message: String
  /// The first place.
  public var location: Location
  /// How many places.
  public var count: Int
  /// How many images the places lie in; 0 when the finding is not about rows.
  public var images: Int
  /// Why the finding does not count, if it does not.
  public var silencing: Silencing?
  /// Whether the baseline has the finding, if there is a baseline.
  public var baselineState: BaselineState?

  /// Makes a finding of the rule's own severity.
  package init(
    rule: Rule,
    message: String,
    location: Location,
    count: Int = 1,
    images: Int = 0
  ) {
    self.rule = rule
    severity = rule.severity
    self.message = message
    self.location = location
    self.count = count
    self.images = images
  }

  /// How a finding stands to those of an earlier report.
  public enum BaselineState: String, Hashable, Sendable {
    /// It was not there.
    case new
    /// It was there, in at least as many places.
    case unchanged
    /// It was there, in fewer places.
    case updated
    /// It was there and is gone.
    case absent
  }

  /// The reason why a finding does not count, and where it was given.
  public struct Silencing: Hashable, Sendable {
    /// Who said so.
    public enum Origin: String, Hashable, Sendable {
      /// `--ignore`, or a rule that `--select` does not name.
      case commandLine = "command-line"
      /// An entry of the configuration file.
      case configuration
      /// The finding was known before.
      case baseline
    }

    /// Who said so.
    public let origin: Origin
    /// The words of the configuration.
    public let reason: String?
    /// The last day it holds, as `YYYY-MM-DD`.
    public let until: String?

    /// Makes a reason to be silent.
    package init(_ origin: Origin, reason: String? = nil, until: String? = nil) {
      self.origin = origin
      self.reason = reason
      self.until = until
    }
  }
}
