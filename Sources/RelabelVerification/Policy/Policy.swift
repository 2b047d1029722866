internal import RelabelFormat

/// Decides which findings count, and how much.
public struct Policy: Sendable {
  /// The rules whose findings count; none for all.
  public var selected: [RulePattern] = []
  /// Rules whose findings do not count.
  public var ignored: [RulePattern] = []
  /// What the configuration file says.
  public var configuration: PolicyConfiguration?
  /// An earlier report whose findings do not count again.
  public var baseline: Baseline?
  /// The least severity that makes the verifier fail; nil for what the configuration says.
  public var failOn: FailureThreshold?

  /// Makes a policy by which everything counts as its rule says.
  public init() {}

  /// Rates and silences the findings of a report.
  ///
  /// Of the ratings of a configuration the last that matches holds, of its silences the first.
  public func apply(to report: inout Report, on today: Day = .today()) {
    report.failOn = failOn ?? configuration?.failOn ?? .error
    let found = report.findings
    report.findings = []
    for var finding in found {
      finding.baselineState = baseline?.state(of: finding)
      finding.severity = configuration?.severity(of: finding, on: today) ?? finding.severity
      finding.silencing = silencing(of: finding, on: today)
      if finding.silencing == nil {
        report.findings.append(finding)
      } else {
        report.silenced.append(finding)
      }
    }
    report.absent = baseline?.absent(from: report) ?? []
    report.remarks += configuration?.expired(on: today) ?? []
  }

  private func silencing(of finding: Finding, on today: Day) -> Finding.Silencing? {
    let isSelected = selected.isEmpty || selected.contains { $0.matches(finding.rule) }
    if !isSelected || ignored.contains(where: { $0.matches(finding.rule) }) {
      return Finding.Silencing(.commandLine)
    }
    if let silencing = configuration?.silencing(of: finding, on: today) { return silencing }
    guard let baseline, finding.baselineState == .unchanged, baseline.silences(finding) else {
      return nil
    }
    return Finding.Silencing(.baseline)
  }
}

extension PolicyConfiguration {
  fileprivate func severity(of finding: Finding, on today: Day) -> Rule.Severity? {
    entries.reversed().lazy.compactMap { entry -> Rule.Severity? in
      guard case .rate(let severity) = entry.decision, entry.holds(on: today),
        entry.matches(finding)
      else { return nil }
      return severity
    }.first
  }

  fileprivate func silencing(of finding: Finding, on today: Day) -> Finding.Silencing? {
    entries.first { $0.decision == .silence && $0.holds(on: today) && $0.matches(finding) }.map {
      Finding.Silencing(.configuration, reason: $0.reason, until: $0.until?.description)
    }
  }

  /// One line for each entry that does not hold any more.
  fileprivate func expired(on today: Day) -> [String] {
    entries.compactMap { entry in
      guard let until = entry.until, !entry.holds(on: today) else { return nil }
      let files = entry.path.map { " in '\($0)'" } ?? ""
      let reason = entry.reason.map { " (\($0))" } ?? ""
      let what = entry.decision == .silence ? "silence" : "rating"
      return "the \(what) of \(entry.rules.text)\(files) ended on \(until)\(reason)"
    }
  }
}
