/// Where the labels come from: the JSON document in every shard (spec, "Metadata document").
public struct MetadataDocument: Hashable, Sendable {
  /// The whole document, unknown members included.
  public let json: JSON
  /// The class table, if the document holds one.
  public let classes: ClassTable?
  /// The document's text, in UTF-8: a copy has the same bytes, however numbers are spelled in it.
  package let text: [UInt8]
  /// Why the text is not canonical JSON, or nil when it is.
  package let looseness: String?
  /// The digest of the document's text.
  public let sha256: String

  /// Members of the annotator document that say something about the whole dataset.
  private static let shared = ["source", "licence", "citation"]

  /// The most bytes of the document that one attribute holds.
  package static let pieceBytes = 60_000

  /// The longest document (spec, section 16).
  package static let maximumBytes = 16 << 20

  /// Makes the document of a new dataset.
  ///
  /// - Parameters:
  ///   - annotator: the user's annotator document; its members `source`, `licence` and `citation`
  ///     move to the top of the document.
  ///   - classes: the class table.
  ///   - views: how views were made of pictures; nil where rows are images.
  /// - Throws: `.invalidInput` for a number that JSON can't hold, and for documents that are too deep
  ///   or too long for a shard.
  public init(
    annotator: JSON?,
    classes: ClassTable?,
    views: JSON? = nil
  ) throws(RelabelError) {
    var members: [String: JSON] = ["annotator": .null, "classes": .null]
    if case .object(var annotator)? = annotator {
      for name in Self.shared { members[name] = annotator.removeValue(forKey: name) }
      try Self.checkAnnotator(.object(annotator))
      members["annotator"] = .object(annotator)
    }
    if let classes { members["classes"] = try Self.json(of: classes) }
    if let views {
      try ViewDocument.check(views)
      members["views"] = views
    }
    json = .object(members)
    self.classes = classes
    text = try json.canonical()
    looseness = nil
    sha256 = Digest.of(text)
    // The shard's document is one level around the annotator's.
    guard json.depth <= JSONParser.maximumDepth else {
      throw RelabelError(
        .invalidInput,
        "the annotator document nests deeper than \(JSONParser.maximumDepth - 1)"
      )
    }
    guard text.count <= Self.maximumBytes else {
      throw RelabelError(
        .invalidInput,
        "annotator document and class list have \(text.count) bytes together; a shard holds at most"
          + " \(Self.maximumBytes)"
      )
    }
  }

  /// Reads a document; `.invalidInput` says what is wrong with it.
  public init(parsing bytes: [UInt8]) throws(RelabelError) {
    (json, looseness) = try JSONParser.read(bytes)
    text = bytes
    sha256 = Digest.of(bytes)
    guard case .object = json else {
      throw RelabelError(.invalidInput, "the metadata document is not a JSON object")
    }
    switch json["annotator"] {
    case .null?: break
    case .object?: try Self.checkAnnotator(json["annotator"] ?? .null)
    default: throw RelabelError(.invalidInput, "member 'annotator' is neither object nor null")
    }
    for name in Self.shared {
      switch json[name] {
      case nil, .null?, .string?, .object?, .array?: break
      default: throw RelabelError(.invalidInput, "member '\(name)' is neither text nor a structure")
      }
    }
    if let views = json["views"] { try ViewDocument.check(views) }
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

  /// Refuses an annotator that the schema (`spec/metadata.schema.json`) does not allow.
  private static func checkAnnotator(_ annotator: JSON) throws(RelabelError) {
    func isNumbers(_ json: JSON) -> Bool {
      json.array.map { !$0.isEmpty && $0.allSatisfy { $0.number != nil } } ?? false
    }
    let isSize = { (json: JSON) in
      json.array?.count == 2 && json.array?.allSatisfy { ($0.integer ?? 0) > 0 } == true
    }
    let rules: [(name: String, isRequired: Bool, isRight: (JSON) -> Bool, what: String)] = [
      ("name", true, { $0.string?.isEmpty == false }, "a text"),
      ("weights_sha256", false, { $0.string?.isHexDigest == true }, "64 hexadecimal digits"),
      ("input_size", false, isSize, "[height, width]"),
      ("resize", false, { $0.string != nil }, "a word"),
      ("interpolation", false, { $0.string != nil }, "a word"),
      ("mean", false, isNumbers, "a list of numbers"),
      ("std", false, isNumbers, "a list of numbers"),
      ("temperature", false, { ($0.number ?? 0) > 0 }, "a positive number"),
      ("map_extent", false, isNumbers, "[top, left, height, width]"),
    ]
    for rule in rules {
      guard let value = annotator[rule.name] else {
        if !rule.isRequired { continue }
        throw RelabelError(.invalidInput, "the annotator lacks '\(rule.name)', \(rule.what)")
      }
      if !rule.isRight(value) {
        throw RelabelError(.invalidInput, "the annotator's '\(rule.name)' is not \(rule.what)")
      }
    }
  }

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
      guard row["index"]?.integer == Int64(index), id != "", let either = id ?? name else {
        throw RelabelError(
          .invalidInput,
          "'classes.table[\(index)]' lacks its index, or id and name"
        )
      }
      entries.append(ClassTable.Entry(id: id ?? either, name: name ?? either))
    }
    // The digest is of the canonical text, which must not depend on how fractions are spelled.
    guard rows.allSatisfy({ !$0.holdsFraction }) else {
      throw RelabelError(.invalidInput, "'classes.table' holds a number that is not whole")
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

extension MetadataDocument {
  /// The name of the attribute that holds a piece, from `metadata_0000`.
  package static func pieceName(_ piece: Int) -> String {
    let digits = String(piece)
    return "metadata_" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
