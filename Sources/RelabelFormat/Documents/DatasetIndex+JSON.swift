extension DatasetIndex {
  private static let digestOpening = Array(",\"sha256\":\"".utf8)
  private static let digestClosing = Array("\"}\n".utf8)

  /// The digest that the bytes of an `index.json` end with.
  package static func digest(closing bytes: [UInt8]) -> String {
    String(decoding: bytes.dropLast(digestClosing.count).suffix(64), as: UTF8.self)
  }

  /// The bytes of `index.json`: canonical JSON whose last member is the digest of the rest.
  public func encoded() throws(RelabelError) -> [UInt8] {
    let document = try json().canonical()
    return document.dropLast() + Self.digestOpening + Array(Digest.of(document).utf8)
      + Self.digestClosing
  }

  /// Reads the bytes of `index.json`.
  ///
  /// - Throws: `.corrupt` or `.unsupported` with the rule that is broken.
  public init(parsing bytes: [UInt8]) throws(RelabelError) {
    do {
      try self.init(checking: bytes)
    } catch {
      throw error.error(file: nil)
    }
  }

  /// Reads the bytes of `index.json`.
  ///
  /// The one place that knows the form of every member; who follows a path asks `fault(ofListed:)` first.
  ///
  /// - Throws: the broken rule: `M002` for the digest, `L002` for the version, `M003` for a member, `M006` for totals.
  package init(checking bytes: [UInt8]) throws(Violation) {
    if GitLFSPointer.begins(bytes) { throw Violation(.m002, GitLFSPointer.fault) }
    let digestBytes = 64
    let tail = Self.digestOpening.count + digestBytes + Self.digestClosing.count
    let start = bytes.count - tail
    guard start > 0, bytes[start...].starts(with: Self.digestOpening),
      bytes.suffix(Self.digestClosing.count) == Self.digestClosing[...]
    else {
      throw Violation(.m002, "the index does not end with its own digest")
    }
    let document = Array(bytes[..<start]) + "}".utf8
    let digest = bytes[(start + Self.digestOpening.count)...].prefix(digestBytes)
    guard digest.elementsEqual(Digest.of(document).utf8) else {
      throw Violation(.m002, "the index differs from its own digest")
    }
    guard let (json, looseness) = try? JSONParser.read(document) else {
      throw Violation(.m002, "the index is not a JSON document")
    }
    if let looseness { throw Violation(.m002, "the index is not canonical: \(looseness)") }
    try self.init(json: json)
  }

  private func json() -> JSON {
    .object([
      "format": .string("relabel-index"),
      "format_version": .string("\(FormatVersion.current)"),
      "name": .string(name),
      "count": .integer(Int64(count)),
      "sources": .integer(Int64(sources)),
      "build_id": .string(buildID),
      "num_classes": .integer(Int64(numClasses)),
      "score_kind": .string(scoreKind.rawValue),
      "options": .object(options),
      "annotator": .optional(annotator),
      "classes_sha256": .optional(classesSHA256),
      "shards": .array(shards.map(\.json)),
      "left_out": .array(leftOut.map(\.json)),
      "writer": .string(writer),
    ])
  }

  private init(json: JSON) throws(Violation) {
    let members = IndexMembers(json, "the index")
    guard try members.string("format") == "relabel-index" else {
      throw Violation(.m003, "'format' is not 'relabel-index'")
    }
    let version = try members.string("format_version")
    guard FormatVersion(version)?.major == FormatVersion.current.major else {
      let needed = version.prefix { $0 != "." }
      throw Violation(
        .l002,
        "format version \(version), written by \(try members.string("writer")), needs a reader of "
          + "version \(needed); this one reads \(FormatVersion.current.major)"
      )
    }
    guard let kind = ScoreKind(rawValue: try members.string("score_kind")) else {
      throw Violation(.m003, "'score_kind' is unknown")
    }
    guard case .object(let options)? = json["options"] else {
      throw Violation(.m003, "'options' is not an object")
    }
    name = try members.string("name")
    if let fault = Self.fault(ofName: name) {
      throw Violation(.m003, "'name' is not a valid name: \(fault)")
    }
    sources = try members.count("sources")
    buildID = try members.digest("build_id")
    numClasses = try members.count("num_classes")
    guard (1...Int(UInt32.max)).contains(numClasses) else {
      throw Violation(.m003, "'num_classes' is \(numClasses), not between 1 and \(UInt32.max)")
    }
    scoreKind = kind
    self.options = options
    annotator = try members.optionalString("annotator")
    classesSHA256 = try members.optionalDigest("classes_sha256")
    writer = try members.words("writer")
    shards = []
    for shard in try members.array("shards") { shards.append(try Shard(json: shard)) }
    leftOut = []
    for entry in try members.array("left_out") { leftOut.append(try LeftOut(json: entry)) }
    try checkOrder()
    guard try members.count("count") == count else {
      throw Violation(.m006, "'count' is not the sum of the shards' rows")
    }
    guard count + leftOut.count == sources else {
      throw Violation(.m006, "'count' and 'left_out' do not add up to 'sources'")
    }
  }

  /// Both lists have an order, so that a row or an input has one place.
  private func checkOrder() throws(Violation) {
    var highest: String?
    var seen: Set<String> = []
    // What is listed twice, or is no name of a shard, has rules of its own.
    for shard in shards where seen.insert(shard.path).inserted && fault(ofListed: shard.path) == nil
    {
      if let before = highest, !Self.comesBefore(before, shard.path) {
        throw Violation(.m003, "'shards' lists '\(shard.path)' after '\(before)'")
      }
      highest = shard.path
    }
    let places = leftOut.map { $0.imageIndex ?? .max }
    if zip(places, places.dropFirst()).contains(where: { $0 > $1 }) {
      throw Violation(.m003, "'left_out' is not in the order of 'image_index'")
    }
  }

  /// True where the first of two shards of one name has the smaller number.
  ///
  /// Numbers have as few digits as they can, so the longer one is the larger, and none overflows.
  private static func comesBefore(_ one: String, _ other: String) -> Bool {
    one.utf8.count == other.utf8.count
      ? one.utf8.lexicographicallyPrecedes(other.utf8) : one.utf8.count < other.utf8.count
  }
}

extension DatasetIndex.Shard {
  fileprivate var json: JSON {
    .object([
      "path": .string(path),
      "bytes": .integer(bytes),
      "sha256": .string(sha256),
      "metadata_sha256": .string(metadataSHA256),
      "rows": .integer(Int64(rows)),
      "score_min": .optional((scoreRange?.lowerBound).map(Double.init)),
      "score_max": .optional((scoreRange?.upperBound).map(Double.init)),
      "largest_error": .optional(largestError),
    ])
  }

  fileprivate init(json: JSON) throws(Violation) {
    let members = IndexMembers(json, "a shard")
    var range: ClosedRange<Float>?
    if json["score_min"] != .null || json["score_max"] != .null {
      let lowest = try members.score("score_min")
      let highest = try members.score("score_max")
      guard lowest <= highest else {
        throw Violation(.m003, "'score_min' is above 'score_max'")
      }
      range = lowest...highest
    }
    self.init(
      path: try members.string("path"),
      bytes: Int64(try members.count("bytes")),
      sha256: try members.digest("sha256"),
      metadataSHA256: try members.digest("metadata_sha256"),
      rows: try members.count("rows"),
      scoreRange: range,
      largestError: try members.optionalError("largest_error")
    )
  }
}

extension DatasetIndex.LeftOut {
  fileprivate var json: JSON {
    .object([
      "key": .string(key),
      "image_index": imageIndex.map(JSON.integer) ?? .null,
      "reason": .string(reason),
    ])
  }

  fileprivate init(json: JSON) throws(Violation) {
    let members = IndexMembers(json, "a left-out input")
    self.init(
      key: try members.string("key"),
      imageIndex: json["image_index"] == .null ? nil : Int64(try members.count("image_index")),
      reason: try members.words("reason")
    )
  }
}
