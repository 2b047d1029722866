import Relabel

/// A view of a picture as its file holds it: the labels, and what was done to the picture.
struct StoredView {
  /// Which picture it is of.
  enum Picture: Hashable {
    /// The place of the picture in the list of the source, an ImageFolder.
    case number(Int)
    /// The name that a file gives.
    case key(String)
    /// The name of a file that holds all views of the picture, and its place among the files.
    case file(String, Int64)
  }

  let picture: Picture
  /// Where the view was found.
  let place: Place
  let labels: ViewLabels
  /// The number of the view within its picture, where the file says it; others are counted.
  var number: Int32?
  var box: ViewBox?
  /// True where the crop was mirrored left-right; nil where the file doesn't say.
  var isFlipped: Bool?
  var seed: Int64?
  var replay: ReplayPlace?
  var mixup: ViewMix?
  var cutmix: ViewMix?
  /// What the other columns don't hold, under the schema of the dialect.
  var operations: [String: JSON]?

  init(_ picture: Picture, at place: Place, _ labels: ViewLabels) {
    (self.picture, self.place, self.labels) = (picture, place, labels)
  }
}

/// Where a view stood in the training run that its labels were made in.
struct ReplayPlace: Hashable {
  let epoch: Int
  let batch: Int
  let slot: Int
}

/// The mix of a view with another of its batch.
struct ViewMix {
  let lambda: Double
  /// The place of the other picture in the list of the source.
  var partner: Int?
  /// The other view's slot.
  var slot: Int?
  /// Top, left, bottom and right in pixels of the view; nil where whole pictures are mixed.
  var box: [Int]?
}

/// Which part of its picture a view shows: top, left, height and width.
enum ViewBox {
  /// Fractions of the picture's height and width.
  case fractions([Double])
  /// Whole pixels.
  case pixels([Int])
  /// As EDC stores them: tops and heights as fractions of the width, lefts and widths of the height.
  case swapped([Float])

  /// True where fractions need the picture's size.
  var needsSize: Bool {
    if case .fractions = self { false } else { true }
  }

  /// The box as fractions of a picture of `size`.
  ///
  /// - Throws: `.invalidInput` where the stored numbers can't be of a picture of this size.
  func fractions(of size: ViewFacts.Size?) throws(RelabelError) -> [Double] {
    let (sides, pixels): ([Int], [Int])
    switch (self, size) {
    case (.fractions(let sides), _): return sides
    case (_, nil):
      throw RelabelError(.internalFault, "a box in pixels was read without its picture's size")
    case (.pixels(let box), let size?):
      (pixels, sides) = (box, [size.height, size.width])
    case (.swapped(let stored), let size?):
      let swapped = [size.width, size.height, size.width, size.height]
      sides = [size.height, size.width]
      pixels = zip(stored, swapped).map { Int((Double($0) * Double($1)).rounded(.toNearestOrEven)) }
      let again = zip(pixels, swapped).map { Float(Double($0) / Double($1)) }
      guard again == stored else {
        throw RelabelError(
          .invalidInput,
          "the stored box \(stored) is not of whole pixels of its picture, which is \(size.height)×\(size.width):"
            + " give --pictures the folder that the labels were made from"
        )
      }
    }
    let (bottom, right) = (pixels[0] + pixels[2], pixels[1] + pixels[3])
    guard bottom <= sides[0], right <= sides[1], pixels[0] >= 0, pixels[1] >= 0 else {
      throw RelabelError(
        .invalidInput,
        "the box from (\(pixels[0]), \(pixels[1])) to (\(bottom), \(right)) leaves its picture, which is"
          + " \(sides[0])×\(sides[1]): give --pictures the folder that the labels were made from"
      )
    }
    return (0..<4).map { Double(pixels[$0]) / Double(sides[$0 % 2]) }
  }
}

/// The labels of one view: class ids of 4 bytes and then scores, or the scores of all classes in their order.
struct ViewLabels {
  let scalar: NumPyScalar
  /// Entries.
  let count: Int
  let hasIDs: Bool
  /// Where the numbers lie.
  let bytes: [UInt8]
  let range: Range<Int>

  /// The labels of a row of two tables, or of one where all classes have scores.
  init(row: Int, scores: NumberTable, ids: [UInt32]?) throws(RelabelError) {
    let scalar: NumPyScalar
    switch scores.scalar {
    case .float16: scalar = .float16
    case .bfloat16: scalar = .bfloat16
    case .float32: scalar = .float32
    default:
      throw RelabelError(
        .invalidInput,
        "the scores are \(scores.scalar.typeName); float16, bfloat16 and float32 are read"
      )
    }
    let own = scores.byteRange(ofRow: row)
    if let ids {
      self.init(ids: ids, scores: scores.bytes[own], scalar)
    } else {
      self.init(scalar, scores.rowCount, hasIDs: false, scores.bytes, own)
    }
  }

  private init(
    _ scalar: NumPyScalar,
    _ count: Int,
    hasIDs: Bool,
    _ bytes: [UInt8],
    _ range: Range<Int>
  ) {
    (self.scalar, self.count, self.hasIDs) = (scalar, count, hasIDs)
    (self.bytes, self.range) = (bytes, range)
  }

  /// Class ids, and scores of float32.
  init(ids: [UInt32], scores: [Float]) {
    let bytes = scores.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
    self.init(ids: ids, scores: bytes[...], .float32)
  }

  /// Class ids, and as many scores.
  init(ids: [UInt32], scores: ArraySlice<UInt8>, _ scalar: NumPyScalar) {
    let bytes = ids.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) } + scores
    self.init(scalar, ids.count, hasIDs: true, bytes, 0..<bytes.count)
  }

  /// What is loaded for the view.
  func payload(_ dialect: String, _ kind: ScoreKind?, _ topK: Int?) -> Payload {
    let map = ViewMap(
      dialect: dialect,
      count: count,
      scalar: scalar,
      hasIDs: hasIDs,
      kind: kind,
      topK: topK
    )
    let region = ByteRegion(
      storage: .memory(bytes),
      offset: range.lowerBound,
      count: range.count
    )
    return .map(map, region)
  }
}

/// The labels of a view as a map of one cell.
struct ViewMap: MapDescription {
  let dialect: String
  let count: Int
  let scalar: NumPyScalar
  let hasIDs: Bool
  let kind: ScoreKind?
  /// Classes to keep; nil for all.
  let topK: Int?

  var traits: MapTraits {
    MapTraits(denseClasses: hasIDs ? nil : count, scoreKind: kind, dialect: dialect)
  }

  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    if let fault = Limits.fault(height: 1, width: 1, topK: count) {
      throw RelabelError(.invalidInput, fault)
    }
    let bytes = try region.read(limit: Limits.memberBytes, path: path())
    let map = bytes.withUnsafeBytes { raw in
      let ids = (0..<count).map { entry in
        hasIDs
          ? UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * entry, as: UInt32.self))
          : UInt32(entry)
      }
      let scores = UnsafeRawBufferPointer(rebasing: raw[(hasIDs ? 4 * count : 0)...])
      return LabelMap(
        shape: MapShape(height: 1, width: 1, topK: count),
        classIndex: ids,
        score: NumPyValues.floats(scalar, scores, count)
      )
    }
    return LoadedMap(try SparseMap.keepingBest(topK, of: map))
  }
}
