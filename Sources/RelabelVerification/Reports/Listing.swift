/// The findings that a report lists, when it does not list all.
struct Listing {
  /// Those that count, in their order.
  let findings: [Finding]
  /// Those that do not.
  let silenced: [Finding]
  /// Findings that count and are not listed.
  let cutFindings: Int
  /// Findings that do not count and are not listed.
  let cutSilenced: Int

  /// The first `limit` findings, the gravest before others.
  init(_ report: Report) {
    let limit = report.listingLimit ?? .max
    findings = Self.first(limit, of: report.findings)
    silenced = Self.first(limit - findings.count, of: report.silenced)
    cutFindings = report.findings.count - findings.count
    cutSilenced = report.silenced.count - silenced.count
  }

  /// What is left out, in words; nil when nothing is.
  var remark: String? {
    if cutFindings + cutSilenced == 0 { return nil }
    let silenced = cutSilenced > 0 ? " and \(cutSilenced) silenced" : ""
    return "\(cutFindings.of("finding"))\(silenced) not listed (--max-findings)"
  }

  private static func first(_ count: Int, of findings: [Finding]) -> [Finding] {
    if findings.count <= count { return findings }
    let places = findings.indices.sorted {
      (findings[$1].severity, $0) < (findings[$0].severity, $1)
    }
    return places.prefix(count).sorted().map { findings[$0] }
  }
}
