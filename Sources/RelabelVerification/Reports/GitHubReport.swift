internal import Relabel

extension Report {
  /// The report as workflow commands: one annotation for each finding, then the verdict.
  func github() -> String {
    let listing = Listing(self)
    var lines = listing.findings.map { finding in
      WorkflowCommand(
        finding.severity.command,
        file: finding.location.file,
        title: "\(finding.rule.id) \(finding.rule.title)",
        finding.sentenceWithPlace
      ).text
    }
    for failure in failures {
      lines.append(WorkflowCommand("error", title: "verification failed", "\(failure)").text)
    }
    let weight = allowsOmissions ? "notice" : "warning"
    for omission in omissions {
      lines.append(WorkflowCommand(weight, title: "not checked", omission).text)
    }
    for remark in remarks {
      lines.append(WorkflowCommand("notice", title: "policy", remark).text)
    }
    lines.append(summaryLine(listing))
    return lines.joined(separator: "\n")
  }
}

extension Rule.Severity {
  fileprivate var command: String { self == .note ? "notice" : rawValue }
}

/// One line that GitHub makes an annotation of.
private struct WorkflowCommand {
  let text: String

  init(_ command: String, file: String? = nil, title: String, _ message: String) {
    var properties: [String] = []
    if let file { properties.append("file=\(Self.property(ReportedPath.name(file)))") }
    properties.append("title=\(Self.property(title))")
    text = "::\(command) \(properties.joined(separator: ","))::\(Self.escaped(message))"
  }

  private static func property(_ text: String) -> String {
    escaped(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
      .printable
  }
}
