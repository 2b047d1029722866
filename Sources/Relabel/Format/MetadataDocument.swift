/// Where the labels come from: the JSON document in every shard (spec, "Metadata document").
public struct MetadataDocument: Hashable, Sendable {
  /// The whole document, unknown members included.
  public let json: JSON
  /// The class table, if the document holds one.
  public let classes: ClassTable?

  /// The most bytes of the document that one attribute holds.
  package static let pieceBytes = 60_000

  /// Makes the document of a new dataset.
  ///
  /// - Parameters:
  ///   - annotator: the user's annotator document; its members `source`, `licence` and `citation`
  ///     move to the top of the document.
  ///   - classes: the class table.
  /// - Throws: `.invalidInput` for a number that JSON can't hold.
  public init(annotator: JSON?, classes: ClassTable?) throws(RelabelError) {
    var members: [String: JSON] = ["annotator": .null, "classes": .null]
    if case .object(var annotator)? = annotator {
      for shared in ["source", "licence", "citation"] {
        members[shared] = annotator.removeValue(forKey: shared)
      }
      members["annotator"] = .object(annotator)
    }
    if let classes { members["classes"] = try Self.json(of: classes) }
    json = .object(members)
    self.classes = classes
  }

  /// Reads a document; `.invalidInput` says what is wrong with it.
  public init(parsing bytes: [UInt8]) throws(RelabelError) {
    json = try JSON(parsing: bytes)
    guard case .object = json else {
      throw RelabelError(.invalidInput, "the metadata document is not a JSON object")
    }
    switch json["annotator"] {
    case .null?, .object?: break
    default: throw RelabelError(.invalidInput, "member 'annotator' is neither object nor null")
    }
    switch json["classes"] {
    case .null?: classes = nil
    case .object(let members)?: classes = try Self.classes(members)
    default: throw RelabelError(.invalidInput, "member 'classes' is neither object nor null")
    }
  }

  /// The annotator's name, if the document names one.
  public var annotatorName: String? { json["annotator"]?["name"]?.string }

  /// True when somebody said which annotator made the maps.
  public var hasAnnotator: Bool {
    if case .object? = json["annotator"] { return true }
    return false
  }

  /// The digest of the class table, or nil.
  public var classesDigest: String? { json["classes"]?["sha256"]?.string }

  private static func json(of classes: ClassTable) throws(RelabelError) -> JSON {
    let table = JSON.array(
      classes.entries.enumerated().map { index, entry in
        .object([
          "index": .integer(Int64(index)), "id": .string(entry.id), "name": .string(entry.name),
        ])
      }
    )
    return .object([
      "count": .integer(Int64(classes.entries.count)),
      "sha256": .string(Digest.of(try table.canonical())),
      "table": table,
    ])
  }

  private static func classes(_ members: [String: JSON]) throws(RelabelError) -> ClassTable {
    guard let table = members["table"], let rows = table.array else {
      throw RelabelError(.invalidInput, "member 'classes.table' is not an array")
    }
    var entries: [ClassTable.Entry] = []
    for (index, row) in rows.enumerated() {
      let (id, name) = (row["id"]?.string, row["name"]?.string)
      guard row["index"]?.integer == Int64(index), let either = id ?? name else {
        throw RelabelError(
          .invalidInput,
          "'classes.table[\(index)]' lacks its index, or id and name"
        )
      }
      entries.append(ClassTable.Entry(id: id ?? either, name: name ?? either))
    }
    guard members["count"]?.integer == Int64(entries.count) else {
      throw RelabelError(.invalidInput, "'classes.count' differs from the length of the table")
    }
    guard members["sha256"]?.string == Digest.of(try table.canonical()) else {
      throw RelabelError(.invalidInput, "'classes.sha256' is not the digest of the table")
    }
    return ClassTable(entries: entries)
  }
}
