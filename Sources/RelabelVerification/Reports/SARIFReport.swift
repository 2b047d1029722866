internal import Relabel

extension Report {
  /// The report as SARIF 2.1.0 (OASIS); files are named relative to the working folder.
  func sarif() -> JSON {
    let listing = Listing(self)
    let results = listing.findings + listing.silenced + absent
    let run: [String: JSON] = [
      "tool": .object(["driver": driver]),
      "artifacts": .array(files.map(\.artifact)),
      "invocations": .array([invocation(listing)]),
      "results": .array(results.map(\.sarifResult)),
      "properties": .object([
        "verdict": .string(verdict),
        "complete": .bool(isComplete),
        "shards": .integer(Int64(shards)),
        "images": .integer(Int64(images)),
      ]),
    ]
    return .object([
      "$schema": .string(
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
      ),
      "version": .string("2.1.0"),
      "runs": .array([.object(run)]),
    ])
  }

  private var driver: JSON {
    .object([
      "name": .string(Self.toolName),
      "version": .string(Software.version),
      "rules": .array(Rule.allCases.map(\.reportingDescriptor)),
    ])
  }

  private func invocation(_ listing: Listing) -> JSON {
    var notices = failures.map { notification("error", "\($0)") }
    notices += omissions.map {
      notification(allowsOmissions ? "note" : "warning", "not checked: \($0)")
    }
    if let remark = listing.remark { notices.append(notification("note", remark)) }
    return .object([
      "exitCode": .integer(Int64(exitStatus.rawValue)),
      "executionSuccessful": .bool(failures.isEmpty),
      "toolExecutionNotifications": .array(notices),
      "toolConfigurationNotifications": .array(remarks.map { notification("note", $0) }),
    ])
  }

  private func notification(_ level: String, _ text: String) -> JSON {
    .object(["level": .string(level), "message": .sarifMessage(text)])
  }
}

extension Finding {
  fileprivate var sarifResult: JSON {
    var members: [String: JSON] = [
      "ruleId": .string(rule.id),
      "ruleIndex": .integer(Int64(Rule.allCases.firstIndex(of: rule) ?? -1)),
      "level": .string(severity.rawValue),
      "message": .sarifMessage(sentenceWithPlace),
      "locations": .array([sarifLocation]),
      "partialFingerprints": .object(["findingPlace/v1": .string(fingerprint)]),
      "occurrenceCount": .integer(Int64(max(count, 1))),
      "properties": .object(sarifProperties),
    ]
    members["baselineState"] = baselineState.map { .string($0.rawValue) }
    members["suppressions"] = silencing.map { silencing in
      .array([
        .object([
          "kind": .string("external"), "status": .string("accepted"),
          "justification": .string(silencing.sentence),
        ])
      ])
    }
    return .object(members)
  }

  private var sarifLocation: JSON {
    var members: [String: JSON] = [
      "physicalLocation": .object([
        "artifactLocation": .object(["uri": .string(ReportedPath.uri(location.file ?? "."))])
      ])
    ]
    if let path = hdf5Path {
      members["logicalLocations"] = .array([.object(["fullyQualifiedName": .string(path)])])
    }
    return .object(members)
  }

  /// The place inside an HDF5 file, such as `/score[12, 3, 4]`; nil when no HDF5 dataset is known.
  private var hdf5Path: String? {
    guard let dataset = location.dataset else { return nil }
    guard let row = location.row else { return "/\(dataset)" }
    let cell = location.cell
    let indexes = [row] + (cell.map { [$0.y, $0.x] } ?? []) + (cell?.rank.map { [$0] } ?? [])
    return "/\(dataset)[\(indexes.map(String.init).joined(separator: ", "))]"
  }

  private var sarifProperties: [String: JSON] {
    var properties: [String: JSON] = ["images": .integer(Int64(images))]
    properties["key"] = location.key.map(JSON.string)
    properties["row"] = location.row.map { .integer(Int64($0)) }
    return properties
  }
}

extension CheckedFile {
  fileprivate var artifact: JSON {
    var members: [String: JSON] = [
      "location": .object(["uri": .string(ReportedPath.uri(path))]),
      "length": .integer(bytes),
      "roles": .array([.string("analysisTarget")]),
    ]
    members["hashes"] = sha256.map { .object(["sha-256": .string($0)]) }
    return .object(members)
  }
}

extension Rule {
  /// What SARIF calls a rule.
  fileprivate var reportingDescriptor: JSON {
    var members: [String: JSON] = [
      "id": .string(id),
      "shortDescription": .sarifMessage(title),
      "defaultConfiguration": .object(["level": .string(severity.rawValue)]),
      "properties": .object(["tags": .array([.string("\(stage)")])]),
    ]
    if let entry = RuleBook.current[self] {
      members["fullDescription"] = .sarifMessage(entry.meaning)
      members["help"] = .sarifMessage(
        "Why: \(entry.why)\nSpecification: \(entry.specification)\nFix: \(entry.fix)"
      )
    }
    return .object(members)
  }
}

extension JSON {
  /// A message of SARIF, in which braces stand for arguments unless they are doubled.
  fileprivate static func sarifMessage(_ text: String) -> JSON {
    .object(["text": .string(text.replacing("{", with: "{{").replacing("}", with: "}}"))])
  }
}
