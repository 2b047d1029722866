internal import Relabel

extension Report {
  /// The report for people: one line for each finding, then what was measured and left out, then the
  /// verdict.
  ///
  /// - Parameters:
  ///   - isColored: with the colours of a terminal.
  ///   - isQuiet: only what makes the verifier fail; empty for a success.
  /// - Returns: lines without a last line end.
  public func text(isColored: Bool = false, isQuiet: Bool = false) -> String {
    let listing = Listing(self)
    let findings = isQuiet ? listing.findings.filter(counts) : listing.findings
    var lines = TextLine.lines(findings).map { $0.text(isColored: isColored) }
    lines += failures.map { "\($0)" }
    if !isQuiet || exitStatus == .incomplete {
      lines += omissions.map { "not checked: \($0)".printable }
    }
    if isQuiet { return lines.joined(separator: "\n") }
    lines += agreementLines.map(\.printable)
    lines += pictureLines.map(\.printable)
    lines += remarks.map(\.printable)
    lines.append(summaryLine(listing, isColored: isColored))
    return lines.joined(separator: "\n")
  }

  /// In how many images the class of the source is the best one of a cell, for each path.
  private var agreementLines: [String] {
    files.compactMap { file in
      guard let agreement = file.statistics?["source_label_agreement"],
        let images = agreement["images"]?.integer, let agreeing = agreement["agree"]?.integer
      else { return nil }
      return "\(file.path): the class of the source is the best one of a cell in \(agreeing) of "
        + "\(images) images"
    }
  }

  /// The verdict, what was looked at, and how many findings of each kind there are.
  func summaryLine(_ listing: Listing, isColored: Bool = false) -> String {
    let color = exitStatus == .success ? (isComplete ? 32 : 33) : 31
    let verdict = isColored ? "\u{1B}[1;\(color)m\(verdict)\u{1B}[m" : verdict
    var parts = ["\(verdict): \(shards.of("shard")), \(images.of("image")) checked"]
    let counts = Rule.Severity.allCases.reversed().compactMap { severity in
      let count = findings.count { $0.severity == severity }
      return count == 0 ? nil : count.of(severity.rawValue)
    }
    if !counts.isEmpty { parts.append(counts.joined(separator: ", ")) }
    if !silenced.isEmpty { parts.append("\(silenced.count) silenced") }
    if !absent.isEmpty {
      parts.append("\(absent.count) of the baseline \(absent.count == 1 ? "is" : "are") gone")
    }
    if let remark = listing.remark { parts.append(remark) }
    if !isComplete { parts.append("not everything was checked") }
    return parts.joined(separator: "; ")
  }
}

/// A finding in one file, or the same warning or note in several.
private struct TextLine {
  private let first: Finding
  private var files = 1

  private init(_ first: Finding) { self.first = first }

  /// One line for each finding; what only says the same of another file is counted.
  static func lines(_ findings: [Finding]) -> [TextLine] {
    struct Key: Hashable {
      let rule: String
      let message: String
      let dataset: String?
    }
    var lines: [TextLine] = []
    var places: [Key: Int] = [:]
    for finding in findings {
      let key = Key(
        rule: finding.rule.id,
        message: finding.message,
        dataset: finding.location.dataset
      )
      // Which files hold an error, everybody wants to know.
      if finding.severity != .error, let place = places[key] {
        lines[place].files += 1
      } else {
        places[key] = lines.count
        lines.append(TextLine(finding))
      }
    }
    return lines
  }

  func text(isColored: Bool) -> String {
    let files = files > 1 ? "in \(files) files, first here: " : ""
    let name = "\(first.severity.rawValue) \(first.rule.id)"
    let severity = isColored ? "\u{1B}[1;\(color)m\(name)\u{1B}[m" : name
    return "\("\(first.location)".printable): \(severity): \(files)\(first.sentence.printable)"
  }

  private var color: Int {
    switch first.severity {
    case .error: 31
    case .warning: 33
    case .note: 36
    }
  }
}
