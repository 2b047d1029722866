public import Relabel

/// The forms of a report.
public enum ReportFormat: String, Hashable, Sendable, CaseIterable {
  /// For people.
  case text
  /// For programs (`spec/report.schema.json`).
  case json
  /// For programs that read line by line.
  case ndjson
  /// SARIF 2.1.0, for code scanning.
  case sarif
  /// XML as test runners write it.
  case junit
  /// Workflow commands, which GitHub shows beside the files.
  case github
}

extension Report {
  /// The name of the tool, as reports give it.
  static let toolName = "relabel-verify"

  /// The report in one of its forms, without a line break at its end; text is plain.
  ///
  /// - Throws: `.invalidInput` when a figure is not finite.
  public func formatted(as format: ReportFormat) throws(RelabelError) -> String {
    switch format {
    case .text: text()
    case .json: try json().pretty()
    case .ndjson: try ndjson()
    case .sarif: try sarif().pretty()
    case .junit: junit()
    case .github: github()
    }
  }
}
