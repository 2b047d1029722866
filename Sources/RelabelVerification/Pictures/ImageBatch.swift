internal import Relabel

/// Some rows of a shard in turn: who they are, and what is stored of their pictures.
struct ImageBatch: Sendable {
  /// The row of the first.
  let firstRow: Int
  /// Keys; empty for a key that breaks the rules of keys.
  let keys: [String]
  /// Sizes of the original pictures, where the shard has them.
  var sizes: [PictureSize] = []
  /// SHA-256 of the pictures' files, 32 bytes each, where the shard has them; all ones where it is
  /// not known.
  var digests: [UInt8] = []

  /// Rows of one batch: enough to make a message worth while.
  static let rows = 4096

  /// The stored digest of an image, or nil when it is not known.
  func digest(_ image: Int) -> ArraySlice<UInt8>? {
    guard !digests.isEmpty else { return nil }
    let digest = digests[image * 32..<(image + 1) * 32]
    return digest.allSatisfy { $0 == 0xFF } ? nil : digest
  }
}

/// What a shard says of all its rows, as far as the checks with pictures need it.
struct ShardMeaning: Hashable, Sendable {
  var shape: MapShape
  var rows: Int
  var numClasses: Int
  var scoreKind: ScoreKind
  var orientation: Orientation
  /// How far a score may be from the one that was given to be stored.
  var encodingError: Double
  var hasSizes: Bool
  var hasDigests: Bool
  var classes: ClassTable?
  /// Maps come with the best classes of each cell then, as many as they have factors.
  var hasFactors: Bool

  init(_ file: ShardFile) {
    let names = Set(file.optional.map(\.name))
    hasFactors = file.header.hasFactors
    let stored = file.header.shape
    shape = MapShape(
      height: stored.height,
      width: stored.width,
      topK: hasFactors ? min(stored.topK, file.header.numClasses) : stored.topK
    )
    rows = file.rows
    numClasses = file.header.numClasses
    scoreKind = file.header.scoreKind
    orientation = file.header.orientation
    encodingError = file.largestError ?? Double(file.header.encoding.packing?.step ?? 0) / 2
    hasSizes = names.contains(Layout.imageSize)
    hasDigests = names.contains(Layout.imageSHA256)
    classes = file.header.metadata.classes
  }
}

extension ShardMeaning {
  var json: JSON {
    .object([
      "height": .integer(Int64(shape.height)),
      "width": .integer(Int64(shape.width)),
      "top_k": .integer(Int64(shape.topK)),
      "rows": .integer(Int64(rows)),
      "num_classes": .integer(Int64(numClasses)),
      "score_kind": .string(scoreKind.rawValue),
      "orientation": .string(orientation.rawValue),
      "encoding_error": .number(encodingError),
      "has_sizes": .bool(hasSizes),
      "has_digests": .bool(hasDigests),
      "has_factors": .bool(hasFactors),
      "classes": classes.map { table in
        .array(table.entries.map { .array([.string($0.id), .string($0.name)]) })
      } ?? .null,
    ])
  }

  /// Nil for what no shard can be like.
  init?(_ json: JSON) {
    let sides = 1...Int64(Layout.maximumGridSide)
    guard let height = json["height"]?.integer, let width = json["width"]?.integer,
      let topK = json["top_k"]?.integer, let rows = json["rows"]?.integer,
      let numClasses = json["num_classes"]?.integer,
      let scoreKind = json["score_kind"]?.string.flatMap(ScoreKind.init),
      let orientation = json["orientation"]?.string.flatMap(Orientation.init),
      let encodingError = json["encoding_error"]?.number,
      sides.contains(height), sides.contains(width),
      (1...Int64(Layout.maximumTopK)).contains(topK),
      height * width * topK <= Int64(Layout.maximumChunkBytes), rows >= 0
    else { return nil }
    shape = MapShape(height: Int(height), width: Int(width), topK: Int(topK))
    self.rows = Int(rows)
    self.numClasses = Int(numClasses)
    self.scoreKind = scoreKind
    self.orientation = orientation
    self.encodingError = encodingError
    hasSizes = json["has_sizes"] == .bool(true)
    hasDigests = json["has_digests"] == .bool(true)
    hasFactors = json["has_factors"] == .bool(true)
    classes = json["classes"]?.array.map { rows in
      ClassTable(
        entries: rows.map {
          ClassTable.Entry(id: $0.array?.first?.string ?? "", name: $0.array?.last?.string ?? "")
        }
      )
    }
  }
}
