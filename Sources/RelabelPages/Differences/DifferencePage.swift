package import Relabel
package import RelabelVerification

/// The page of a difference: what the document for programs says, and the maps of images that changed most.
package struct DifferencePage {
  private let difference: DatasetDifference
  private let pictures: PictureIndex?

  /// Longer pictures are named and not shown: a page carries all of them.
  private static let pictureBytes = 1 << 20
  /// Sides of drawings in cells; of larger grids some cells are shown.
  private static let side = 48

  /// Makes the page.
  ///
  /// - Parameters:
  ///   - difference: what it shows.
  ///   - pictures: shown beside the maps; nil for none.
  package init(_ difference: DatasetDifference, pictures: PictureIndex?) {
    (self.difference, self.pictures) = (difference, pictures)
  }

  /// The whole page as HTML.
  ///
  /// - Throws: what reading maps and pictures throws.
  package func html() throws(RelabelError) -> String {
    let changed = difference.tally.changed.sorted
    var drawings: [JSON] = []
    for image in changed { drawings.append(try drawing(image)) }
    let document: JSON = .object([
      "difference": difference.json,
      "verdict_text": .string(difference.verdictText),
      "is_same": .bool(difference.verdict.isSame),
      "nearer_transposed": .bool(difference.tally.cells.isNearerTransposed),
      "drawings": .array(drawings),
    ])
    return try Page(.difference, title: "Two datasets", document: document).html()
  }

  /// Both maps of an image, and its picture.
  private func drawing(_ image: ChangedImage) throws(RelabelError) -> JSON {
    let (mapA, mapB) = (try difference.a.map(at: image.rowA), try difference.b.map(at: image.rowB))
    let (ofA, ofB) = (
      drawing(mapA, difference.headerA) { $0 },
      drawing(mapB, difference.headerB) { difference.match.number(ofB: $0) }
    )
    let shown = Set(ofA.classes).union(ofB.classes)
    let names = Dictionary(
      shown.map { ("\($0)", JSON.string(difference.name($0))) },
      uniquingKeysWith: { first, _ in first }
    )
    var members: [String: JSON] = ["a": ofA.json, "b": ofB.json, "names": .object(names)]
    if let pictures { members["picture"] = try picture(image.name.key, pictures) }
    return .object(members)
  }

  private struct Drawing {
    let height: Int
    let width: Int
    /// Every how many cells one is shown.
    let stride: Int
    let classes: [UInt32]

    var json: JSON {
      .object([
        "height": .integer(Int64(height)), "width": .integer(Int64(width)),
        "stride": .integer(Int64(stride)),
        "classes": .array(classes.map { .integer(Int64($0)) }),
      ])
    }
  }

  /// The best classes of cells as they lie on the picture.
  private func drawing(
    _ map: LabelMap,
    _ header: ShardHeader,
    _ number: (UInt32) -> UInt32
  ) -> Drawing {
    let (best, shape) = (map.bestOfCells, map.shape)
    let isTransposed = header.orientation == .xy
    let (rows, columns) = isTransposed ? (shape.width, shape.height) : (shape.height, shape.width)
    let step = max(1, (max(rows, columns) + Self.side - 1) / Self.side)
    var classes: [UInt32] = []
    for row in stride(from: 0, to: rows, by: step) {
      for column in stride(from: 0, to: columns, by: step) {
        classes.append(
          number(best[isTransposed ? column * shape.width + row : row * shape.width + column])
        )
      }
    }
    let (height, width) = ((rows + step - 1) / step, (columns + step - 1) / step)
    return Drawing(height: height, width: width, stride: step, classes: classes)
  }

  /// The picture of a key as an address with its bytes, or why there is none.
  private func picture(_ key: String, _ pictures: PictureIndex) throws(RelabelError) -> JSON {
    guard let path = pictures.path(ofKey: key) else {
      return .object(["missing": .string("no picture, or several, of this key")])
    }
    let size = try Folder.fileBytes(path)
    guard size <= Self.pictureBytes else {
      return .object(["missing": .string("the picture has \(size) bytes: too long for this page")])
    }
    let bytes = try Folder.contents(path, limit: Self.pictureBytes)
    guard let kind = Self.kind(of: bytes) else {
      return .object(["missing": .string("a picture that browsers don't show")])
    }
    return .object(["address": .string("data:image/\(kind);base64,\(Base64.text(of: bytes))")])
  }

  /// The kind of a picture by its first bytes, of those that browsers show.
  private static func kind(of bytes: [UInt8]) -> String? {
    if bytes.starts(with: [0xFF, 0xD8]) { return "jpeg" }
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return "png" }
    if bytes.starts(with: "GIF8".utf8) { return "gif" }
    if bytes.starts(with: "BM".utf8) { return "bmp" }
    let isRIFF = bytes.starts(with: "RIFF".utf8)
    return isRIFF && bytes.dropFirst(8).starts(with: "WEBP".utf8) ? "webp" : nil
  }
}
