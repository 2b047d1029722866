internal import HDF5
public import Relabel

extension Report {
  /// The report for programs; its members only ever grow within one `schema_version` major.
  public func json() -> JSON {
    .object([
      "schema_version": .string("1.0"),
      "tool": .object([
        "name": .string("relabel-verify"),
        "version": .string(Software.version),
        "hdf5": .string(Library.version),
      ]),
      "verdict": .string(verdict),
      "exit_code": .integer(Int64(exitCode)),
      "complete": .bool(isComplete),
      "shards": .integer(Int64(shards)),
      "images": .integer(Int64(images)),
      "findings": .array(findings.map(\.json)),
      "files": .array(files.map { .object(["path": .string($0.path), "statistics": $0.statistics ?? .null]) }),
      "failures": .array(failures.map { .string("\($0)") }),
      "omissions": .array(omissions.map(JSON.string)),
      "measurements": .object(measurements),
    ])
  }
}

extension Finding {
  fileprivate var json: JSON {
    var members: [String: JSON] = [
      "rule": .string(rule.id),
      "title": .string(rule.title),
      "severity": .string(severity.rawValue),
      "message": .string(message),
      "count": .integer(Int64(count)),
      "images": .integer(Int64(images)),
      "file": .optional(location.file),
    ]
    members["dataset"] = location.dataset.map(JSON.string)
    members["key"] = location.key.map(JSON.string)
    members["row"] = location.row.map { .integer(Int64($0)) }
    members["cell"] = location.cell.map { .array([.integer(Int64($0.y)), .integer(Int64($0.x))]) }
    return .object(members)
  }
}
