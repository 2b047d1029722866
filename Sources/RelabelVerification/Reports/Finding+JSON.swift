internal import Relabel

extension Finding {
  /// The finding for programs.
  var json: JSON { .object(members) }

  /// The members of its object.
  var members: [String: JSON] {
    var members: [String: JSON] = [
      "rule": .string(rule.id),
      "title": .string(rule.title),
      "severity": .string(severity.rawValue),
      "message": .string(message),
      "count": .integer(Int64(count)),
      "images": .integer(Int64(images)),
      "file": .optional(location.file),
      "fingerprint": .string(fingerprint),
    ]
    members["dataset"] = location.dataset.map(JSON.string)
    members["key"] = location.key.map(JSON.string)
    members["row"] = location.row.map { .integer(Int64($0)) }
    members["cell"] = location.cell.map { .array([.integer(Int64($0.y)), .integer(Int64($0.x))]) }
    members["rank"] = location.cell?.rank.map { .integer(Int64($0)) }
    if let entry = RuleBook.current[rule] {
      members["specification"] = .string(entry.specification)
      members["suggestion"] = .string(entry.fix)
    }
    members["silenced_by"] = silencing?.json
    members["baseline_state"] = baselineState.map { .string($0.rawValue) }
    return members
  }

  /// Reads a finding back; nil if the JSON is not a finding, or the finding is of a rule that this version does not know.
  init?(_ json: JSON) {
    guard let rule = json["rule"]?.string.flatMap(Rule.init(rawValue:)),
      let message = json["message"]?.string,
      let file = json["file"]?.string, let count = json["count"]?.integer,
      let images = json["images"]?.integer,
      let severity = json["severity"]?.string.flatMap(Rule.Severity.init)
    else { return nil }
    var location = Location(file: file, dataset: json["dataset"]?.string, key: json["key"]?.string)
    location.row = json["row"]?.integer.map { Int($0) }
    let cell = json["cell"]?.array?.compactMap(\.integer).map { Int($0) } ?? []
    let rank = json["rank"]?.integer.map { Int($0) }
    if cell.count == 2 { location.cell = Location.Cell(y: cell[0], x: cell[1], rank: rank) }
    self.init(
      rule: rule,
      message: message,
      location: location,
      count: Int(count),
      images: Int(images)
    )
    self.severity = severity
  }
}

extension Finding.Silencing {
  fileprivate var json: JSON {
    var members: [String: JSON] = ["origin": .string(origin.rawValue)]
    members["reason"] = reason.map(JSON.string)
    members["until"] = until.map(JSON.string)
    return .object(members)
  }
}
