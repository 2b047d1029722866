internal import Relabel

extension Report {
  /// The report as a test runner's: one case for each rule and file, so that what was looked at shows
  /// as well as what was found.
  func junit() -> String { JUnitSuites(self).document }
}

/// The test suites of a report: one for the run, one for each file.
private struct JUnitSuites {
  private let report: Report
  private let listing: Listing
  private let listed: Set<Finding>

  init(_ report: Report) {
    self.report = report
    listing = Listing(report)
    listed = Set(listing.findings + listing.silenced)
  }

  var document: String {
    var suites = [suiteOfTheRun]
    for (file, findings) in findingsByFile {
      let cases = rules(for: file, findings).map { testCase($0, file, findings) }
      suites.append(XMLElement.suite(ReportedPath.name(file.path), cases))
    }
    return XMLElement.suites(suites).document
  }

  /// Every file that was looked at or has a finding, with all its findings.
  private var findingsByFile: [(CheckedFile, [Finding])] {
    var known: Set<String> = []
    var files = report.files.filter { known.insert($0.path).inserted }
    var byPath: [String: [Finding]] = [:]
    for finding in report.findings + report.silenced {
      let path = finding.location.file ?? ""
      byPath[path, default: []].append(finding)
      guard known.insert(path).inserted else { continue }
      // A file that can't be read as what its name says.
      var file = CheckedFile(path, path.hasSuffix(DatasetIndex.fileName) ? .index : .shard)
      file.isStopped = true
      files.append(file)
    }
    return files.map { ($0, byPath[$0.path] ?? []) }
  }

  /// What has no place in a file: failures, and whether everything was looked at.
  private var suiteOfTheRun: XMLElement {
    var complete = XMLElement.testCase("the check is complete", in: Report.toolName)
    if let first = report.omissions.first {
      let kind = report.allowsOmissions ? "skipped" : "failure"
      let text = report.omissions.joined(separator: "\n")
      complete.children.append(XMLElement(kind, [("message", first)], text: text))
    }
    let remarks = report.remarks + [listing.remark].compactMap(\.self)
    if !remarks.isEmpty {
      complete.children.append(XMLElement("system-out", text: remarks.joined(separator: "\n")))
    }
    let failures = report.failures.map { failure in
      var element = XMLElement.testCase("\(failure.location)", in: Report.toolName)
      let attributes = [("message", "\(failure)"), ("type", "\(failure.code)")]
      element.children = [XMLElement("error", attributes)]
      return element
    }
    return XMLElement.suite(Report.toolName, [complete] + failures)
  }

  /// The rules of a file of its kind, and those that it breaks anyhow.
  private func rules(for file: CheckedFile, _ findings: [Finding]) -> [Rule] {
    let broken = Set(findings.map(\.rule))
    let stages: [Rule.Stage] =
      file.kind == .index ? [.dataset] : [.bytes, .container, .layout, .values, .provenance]
    return Rule.allCases.filter { stages.contains($0.stage) || broken.contains($0) }
  }

  private func testCase(_ rule: Rule, _ file: CheckedFile, _ findings: [Finding]) -> XMLElement {
    let findings = findings.filter { $0.rule == rule }
    let silenced = findings.filter { $0.silencing != nil }
    let failing = findings.filter { $0.silencing == nil && report.counts($0) }
    let minor = findings.filter { $0.silencing == nil && !report.counts($0) }
    let name = "\(rule.id) \(rule.title)"
    var element = XMLElement.testCase(name, in: ReportedPath.name(file.path))
    if let first = failing.first {
      let message = listed.contains(first) ? first.sentenceWithPlace : words(failing)
      let attributes = [("message", message), ("type", first.severity.rawValue)]
      element.children.append(XMLElement("failure", attributes, text: words(failing)))
    } else if let reason = silenced.first?.silencing {
      let attributes = [("message", reason.sentence)]
      element.children.append(XMLElement("skipped", attributes, text: words(silenced)))
    } else if findings.isEmpty, let reason = reasonNotChecked(rule, file) {
      element.children.append(XMLElement("skipped", [("message", reason)]))
    }
    if !minor.isEmpty { element.children.append(XMLElement("system-out", text: words(minor))) }
    return element
  }

  /// One line for each finding that is listed, and how many are not.
  private func words(_ findings: [Finding]) -> String {
    var lines = findings.filter(listed.contains).map {
      "\($0.severity.rawValue): \($0.sentenceWithPlace)"
    }
    let cut = findings.count - lines.count
    if cut > 0 { lines.append("\(cut.of("finding")) not listed (--max-findings)") }
    return lines.joined(separator: "\n")
  }

  /// Why a rule without a finding is not known to hold, or nil.
  private func reasonNotChecked(_ rule: Rule, _ file: CheckedFile) -> String? {
    if file.isStopped { return "a finding stopped the check of this file" }
    let isQuick = report.options["level"] == .string(Verifier.Level.quick.rawValue)
    return isQuick && rule.needsChunks ? "--level quick reads no chunk and no digest" : nil
  }
}

extension Rule {
  /// True for rules that only a full check looks at.
  fileprivate var needsChunks: Bool {
    stage == .values || [.c007, .c008, .c009, .m005, .m007, .m011].contains(self)
  }
}

extension XMLElement {
  fileprivate static func testCase(_ name: String, in group: String) -> XMLElement {
    XMLElement("testcase", [("classname", group), ("name", name)])
  }

  fileprivate static func suite(_ name: String, _ cases: [XMLElement]) -> XMLElement {
    var suite = XMLElement("testsuite", [("name", name)])
    suite.children = cases
    suite.attributes += totals(cases)
    return suite
  }

  fileprivate static func suites(_ suites: [XMLElement]) -> XMLElement {
    var root = XMLElement("testsuites", [("name", Report.toolName)])
    root.attributes += totals(suites.flatMap(\.children))
    root.children = suites
    return root
  }

  private static func totals(_ cases: [XMLElement]) -> [(name: String, value: String)] {
    func count(_ kind: String) -> String {
      "\(cases.count { $0.children.contains { $0.name == kind } })"
    }
    return [
      ("tests", "\(cases.count)"), ("failures", count("failure")), ("errors", count("error")),
      ("skipped", count("skipped")),
    ]
  }
}
