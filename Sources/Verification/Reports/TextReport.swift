internal import Relabel

extension Report {
  /// The report for people: one line for each finding, then the verdict.
  public func text() -> String {
    var lines: [String] = []
    for finding in findings {
      let repeats = finding.count > 1 ? " (in \(finding.count) places, first here)" : ""
      let severity = finding.severity.rawValue
      lines.append(
        "\(finding.location): \(severity) \(finding.rule.id): \(finding.message)\(repeats)"
          .printable
      )
    }
    lines += pictureLines.map(\.printable)
    for failure in failures { lines.append("\(failure)") }
    let shards = "\(shards) shard\(shards == 1 ? "" : "s")"
    let images = "\(images) image\(images == 1 ? "" : "s")"
    let completeness = isComplete ? "" : "; not everything could be read"
    lines.append("\(verdict): \(shards), \(images) checked\(completeness)")
    return lines.joined(separator: "\n")
  }
}
