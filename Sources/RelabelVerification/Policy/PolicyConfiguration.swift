public import Relabel

/// What a configuration file says about findings (`spec/verify-config.schema.json`).
public struct PolicyConfiguration: Hashable, Sendable {
  /// What is decided about the findings of some rules.
  struct Entry: Hashable, Sendable {
    enum Decision: Hashable, Sendable {
      case rate(Rule.Severity)
      case silence
    }

    let rules: RulePattern
    /// The files it is about, as a pattern; nil for all.
    let path: String?
    let decision: Decision
    let reason: String?
    /// The last day it holds.
    let until: Day?

    func matches(_ finding: Finding) -> Bool {
      guard rules.matches(finding.rule) else { return false }
      guard let path else { return true }
      return Wildcard.matches(ReportedPath.name(finding.location.file ?? ""), path)
    }

    func holds(on today: Day) -> Bool { until.map { today <= $0 } ?? true }
  }

  /// In the order of the file.
  let entries: [Entry]
  /// The least severity that makes the verifier fail, where the file says so.
  public let failOn: FailureThreshold?

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - bytes: a JSON document.
  ///   - file: its name, for messages.
  /// - Throws: `.usage` for anything that the schema does not allow, and for a pattern without a rule.
  public init(parsing bytes: [UInt8], file: String) throws(RelabelError) {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch {
      throw RelabelError(.usage, error.message, at: Location(file: file))
    }
    let known = ["schema_version", "rules", "fail_on"]
    let document = try StrictObject(json, "the configuration", known: known, file: file)
    guard try document.string("schema_version") == "1.0" else {
      throw document.refusal("needs the schema_version '1.0'")
    }
    failOn = try document.word("fail_on")
    var entries: [Entry] = []
    if let rules = document["rules"] {
      guard let list = rules.array else { throw document.refusal("needs a list as 'rules'") }
      for (number, json) in list.enumerated() {
        entries.append(try Entry(json, "rules[\(number)]", file: file))
      }
    }
    self.entries = entries
  }
}

extension PolicyConfiguration.Entry {
  fileprivate init(_ json: JSON, _ name: String, file: String) throws(RelabelError) {
    let known = ["rule", "path", "severity", "silence", "reason", "until"]
    let entry = try StrictObject(json, name, known: known, file: file)
    guard let pattern = try entry.string("rule") else { throw entry.refusal("needs a rule") }
    guard let rules = RulePattern(pattern) else {
      throw entry.refusal("is about '\(pattern)', but there is no such rule")
    }
    self.rules = rules
    path = try entry.string("path")
    reason = try entry.string("reason")
    until = try Self.until(entry)
    decision = try Self.decision(entry)
    guard decision == .silence else { return }
    if reason?.isEmpty ?? true { throw entry.refusal("needs a reason for silence") }
    if until == nil { throw entry.refusal("needs an 'until', the last day of silence: YYYY-MM-DD") }
  }

  private static func until(_ entry: StrictObject) throws(RelabelError) -> Day? {
    guard let text = try entry.string("until") else { return nil }
    guard let day = Day(text) else {
      throw entry.refusal("has the until '\(text)', which is not a date of the form YYYY-MM-DD")
    }
    return day
  }

  private static func decision(_ entry: StrictObject) throws(RelabelError) -> Decision {
    let severity: Rule.Severity? = try entry.word("severity")
    switch (severity, entry["silence"]) {
    case (let severity?, nil): return .rate(severity)
    case (nil, .bool(true)?): return .silence
    case (nil, .some): throw entry.refusal("has a 'silence' that is not true")
    default: throw entry.refusal("needs either a severity or silence")
    }
  }
}
