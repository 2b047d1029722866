public import Relabel

/// The findings of an earlier report, which need not count again.
public struct Baseline: Sendable {
  private struct Known: Sendable {
    let finding: Finding
    /// False for what was silenced for a reason of its own, which may have expired.
    let isAccepted: Bool
  }

  /// By fingerprint.
  private var known: [String: Known] = [:]

  /// Reads a report in the format `json`.
  ///
  /// - Throws: `.usage` for another document, and for a report that does not list all its findings.
  public init(parsing bytes: [UInt8], file: String) throws(RelabelError) {
    let report = try? JSON(parsing: bytes)
    guard let report, report["tool"]?["name"]?.string == Report.toolName,
      report["schema_version"]?.string?.hasPrefix("1.") == true,
      let findings = report["findings"]?.array, let silenced = report["silenced"]?.array
    else { throw Self.refusal("this is not a report of \(Report.toolName) --format json", file) }
    guard report["not_listed"]?["findings"] == .integer(0),
      report["not_listed"]?["silenced"] == .integer(0)
    else {
      throw Self.refusal("the report leaves findings out: make it without --max-findings", file)
    }
    for json in findings { try add(json, isAccepted: true, file) }
    for json in silenced {
      let isAccepted = json["silenced_by"]?["origin"]?.string == "baseline"
      try add(json, isAccepted: isAccepted, file)
    }
  }

  private mutating func add(
    _ json: JSON,
    isAccepted: Bool,
    _ file: String
  ) throws(RelabelError) {
    guard let fingerprint = json["fingerprint"]?.string, let finding = Finding(json) else {
      throw Self.refusal("a finding of the report can't be read", file)
    }
    known[fingerprint] = Known(finding: finding, isAccepted: isAccepted)
  }

  private static func refusal(_ message: String, _ file: String) -> RelabelError {
    RelabelError(.usage, message, at: Location(file: file))
  }

  /// How a finding stands to the earlier report.
  func state(of finding: Finding) -> Finding.BaselineState {
    guard let earlier = known[finding.fingerprint] else { return .new }
    return finding.count <= earlier.finding.count ? .unchanged : .updated
  }

  /// True when the earlier report does not only hold the finding, but lets it be accepted.
  func silences(_ finding: Finding) -> Bool { known[finding.fingerprint]?.isAccepted == true }

  /// The earlier findings that are gone from files that were looked at; none when the check is not
  /// complete, for then nobody knows.
  func absent(from report: Report) -> [Finding] {
    guard report.isComplete else { return [] }
    let found = Set((report.findings + report.silenced).map(\.fingerprint))
    let files = Set(report.files.map { ReportedPath.name($0.path) })
    return known.sorted { $0.key < $1.key }.compactMap { fingerprint, known in
      guard !found.contains(fingerprint), let file = known.finding.location.file,
        files.contains(ReportedPath.name(file))
      else { return nil }
      var finding = known.finding
      finding.baselineState = .absent
      return finding
    }
  }
}
