internal import HDF5
public import Relabel

extension Report {
  /// The report for programs; its members only ever grow within one `schema_version` major
  /// (`spec/report.schema.json`).
  public func json() -> JSON {
    let listing = Listing(self)
    var members = summary(listing)
    members["findings"] = .array(listing.findings.map(\.json))
    members["silenced"] = .array(listing.silenced.map(\.json))
    return .object(members)
  }

  /// The report with one line for each finding, then one for all else.
  func ndjson() throws(RelabelError) -> String {
    let listing = Listing(self)
    var objects = (listing.findings + listing.silenced).map { $0.members }
    for place in objects.indices { objects[place]["type"] = .string("finding") }
    var summary = summary(listing)
    summary["type"] = .string("summary")
    var lines: [String] = []
    for members in objects + [summary] {
      lines.append(try JSON.object(members).line())
    }
    return lines.joined(separator: "\n")
  }

  /// All members but the findings.
  private func summary(_ listing: Listing) -> [String: JSON] {
    var members: [String: JSON] = [
      "schema_version": .string("1.0"),
      "tool": .object([
        "name": .string(Self.toolName),
        "version": .string(Software.version),
        "hdf5": .string(Library.version),
      ]),
      "verdict": .string(verdict),
      "exit_code": .integer(Int64(exitStatus.rawValue)),
      "complete": .bool(isComplete),
      "shards": .integer(Int64(shards)),
      "images": .integer(Int64(images)),
      "counts": counts,
      "not_listed": .object([
        "findings": .integer(Int64(listing.cutFindings)),
        "silenced": .integer(Int64(listing.cutSilenced)),
      ]),
    ]
    members["failures"] = .array(failures.map { .string("\($0)") })
    members["omissions"] = .array(omissions.map(JSON.string))
    members["remarks"] = .array(remarks.map(JSON.string))
    members["files"] = .array(files.map(\.json))
    members["measurements"] = .object(measurements)
    members["options"] = .object(
      options.merging([
        "fail_on": .string(failOn.rawValue), "allow_incomplete": .bool(allowsOmissions),
      ]) { $1 }
    )
    if options["baseline"] != nil { members["absent"] = .array(absent.map(\.json)) }
    return members
  }

  private var counts: JSON {
    var counts = ["silenced": JSON.integer(Int64(silenced.count))]
    for severity in Rule.Severity.allCases {
      let count = findings.count { $0.severity == severity }
      counts[severity.rawValue] = .integer(Int64(count))
    }
    return .object(counts)
  }
}

extension CheckedFile {
  fileprivate var json: JSON {
    var members: [String: JSON] = [
      "path": .string(path), "kind": .string(kind.rawValue), "bytes": .integer(bytes),
      "stopped": .bool(isStopped),
    ]
    members["sha256"] = sha256.map(JSON.string)
    guard kind == .shard else { return .object(members) }
    members["images"] = .integer(Int64(images))
    members["chunks"] = .integer(Int64(chunks))
    members["statistics"] = statistics
    return .object(members)
  }
}
