internal import Relabel

/// What two datasets say of all their maps, where they differ.
struct HeaderDifference: Sendable {
  /// One thing that they say.
  struct Fact: Sendable {
    let name: String
    let a: String
    let b: String
    /// True where labels mean something else; false for origin and storage.
    let counts: Bool

    var json: JSON {
      .object([
        "name": .string(name), "a": .string(a), "b": .string(b), "counts": .bool(counts),
      ])
    }
  }

  let facts: [Fact]

  init(_ a: any LabelMapSource, _ b: any LabelMapSource) throws(RelabelError) {
    let (headers, shards) = (
      (try a.header, try b.header), (a.rowsOfShards.count, b.rowsOfShards.count)
    )
    var facts: [Fact] = []
    func compare(_ name: String, counts: Bool, _ text: (ShardHeader) -> String) {
      let (a, b) = (text(headers.0), text(headers.1))
      if a != b { facts.append(Fact(name: name, a: a, b: b, counts: counts)) }
    }
    compare("classes", counts: true) { "\($0.numClasses)" }
    let tables = (headers.0.metadata.classes, headers.1.metadata.classes)
    let areListed = tables.0 != nil && tables.1 != nil
    let isOrder = tables.0?.entries.map(\.id) != tables.1?.entries.map(\.id)
    let listName = isOrder ? "class list" : "names of classes"
    compare(listName, counts: areListed && isOrder) { $0.classList }
    compare("score kind", counts: true) { $0.scoreKind.rawValue }
    compare("classes are", counts: true) { $0.classesAre.rawValue }
    compare("fill", counts: true) { $0.fill.rawValue }
    compare("temperature", counts: true) { "\($0.temperature)" }
    compare("orientation", counts: true) { $0.orientation.rawValue }
    compare("grid", counts: true) { "\($0.shape.height)×\($0.shape.width)" }
    compare("classes kept in a cell", counts: true) {
      $0.hasFactors ? "all" : "\($0.shape.topK)"
    }
    compare("size of views", counts: true) { header in
      header.views?.size.map { "\($0.height)×\($0.width)" } ?? "not said"
    }
    compare("annotator", counts: false) { $0.metadata.annotatorText }
    compare("factors in a cell", counts: false) {
      $0.hasFactors ? "\($0.shape.topK)" : "none"
    }
    compare("score encoding", counts: false) { $0.encoding.text }
    compare("cell order", counts: false) { $0.cellOrder.rawValue }
    compare("row order", counts: false) { "\($0.rowOrder)" }
    compare("images in a chunk", counts: false) { "\($0.imagesPerChunk)" }
    compare("compression", counts: false) { "\($0.compression)" }
    compare("format version", counts: false) { "\($0.version)" }
    compare("writer", counts: false) { $0.writer }
    compare("build id", counts: false) { "\($0.buildID.prefix(12))…" }
    if shards.0 != shards.1 {
      facts.append(Fact(name: "shards", a: "\(shards.0)", b: "\(shards.1)", counts: false))
    }
    self.facts = facts
  }

  /// True where labels mean something else.
  var counts: Bool { facts.contains(where: \.counts) }
}

extension ShardHeader {
  /// The class list in a few words: how many, and the start of its digest.
  fileprivate var classList: String {
    guard let table = metadata.classes else { return "none" }
    return "\(table.entries.count) classes, \(metadata.classesDigest?.prefix(12) ?? "no digest")"
  }
}

extension MetadataDocument {
  /// Name and digest of the annotator.
  fileprivate var annotatorText: String {
    guard let name = annotatorName else { return "not said" }
    let weights = json["annotator"]?["weights_sha256"]?.string
    return name + (weights.map { ", weights \($0.prefix(12))" } ?? "")
  }
}

extension ScoreEncoding {
  /// The name, and what it promises.
  package var text: String {
    switch name.form {
    case .packed8, .packed16: "\(name.rawValue), within \(bound ?? 0)"
    case .half, .single: name.rawValue
    }
  }
}
