/// The size of a label map: its grid and how many classes each cell keeps.
public struct MapShape: Hashable, Sendable, CustomStringConvertible {
  /// Rows of the grid.
  public let height: Int
  /// Columns of the grid.
  public let width: Int
  /// Classes kept in each cell.
  public let topK: Int

  /// Makes a shape; all three are at least 1.
  public init(height: Int, width: Int, topK: Int) {
    self.height = height
    self.width = width
    self.topK = topK
  }

  /// Cells of the grid.
  public var cells: Int { height * width }
  /// (class, score) entries of one map.
  public var entries: Int { height * width * topK }
  /// The cell that the entry at `offset` belongs to.
  package func cell(at offset: Int) -> Location.Cell {
    let cell = offset / topK
    return Location.Cell(y: cell / width, x: cell % width, rank: offset % topK)
  }

  /// For example `15×15, k = 5`.
  public var description: String { "\(height)×\(width), k = \(topK)" }
}

/// What a classifier said about one image: k class ids and k scores for each cell of a grid.
///
/// Entry (y, x, rank) is at `(y · width + x) · topK + rank` (spec, "Axes"):
///
/// ```swift
/// let first = (y * map.shape.width + x) * map.shape.topK
/// for entry in first..<first + map.shape.topK {
///   print(map.classIndex[entry], map.score[entry])
/// }
/// ```
public struct LabelMap: Hashable, Sendable {
  /// Grid and top-k.
  public let shape: MapShape
  /// Class ids, `shape.entries` of them.
  public var classIndex: [UInt32] { didSet { isChecked = false } }
  /// Scores, as many; their meaning is the dataset's `ScoreKind`.
  public var score: [Float] { didSet { isChecked = false } }
  /// The part of the picture that the grid covers (spec, "Map extent").
  public var extent: CropBox

  /// Makes a map from its entries, which must be `shape.entries` many.
  public init(
    shape: MapShape,
    classIndex: [UInt32],
    score: [Float],
    extent: CropBox = .whole
  ) {
    precondition(classIndex.count == shape.entries && score.count == shape.entries)
    self.shape = shape
    self.extent = extent
    self.classIndex = classIndex
    self.score = score
  }

  /// True where a reader has looked at the entries, so that pooling need not.
  package private(set) var isChecked = false

  /// A map whose entries a reader has looked at.
  package init(
    checked shape: MapShape,
    _ classIndex: [UInt32],
    _ score: [Float],
    _ extent: CropBox,
    factors: ClassFactors? = nil
  ) {
    self.init(shape: shape, classIndex: classIndex, score: score, extent: extent)
    self.factors = factors
    isChecked = true
  }

  /// What factors say of classes, where ids of cells number factors and scores are amounts of them; nil where ids are classes.
  public package(set) var factors: ClassFactors?

  /// The cell that the entry at `offset` belongs to.
  public func cell(at offset: Int) -> Location.Cell { shape.cell(at: offset) }

  /// True for maps of equal shape, entries and extent, whoever has looked at them.
  public static func == (a: LabelMap, b: LabelMap) -> Bool {
    a.shape == b.shape && a.extent == b.extent && a.classIndex == b.classIndex && a.score == b.score
      && a.factors == b.factors
  }

  /// Feeds shape, entries and extent to a hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(shape)
    hasher.combine(extent)
    hasher.combine(factors)
    hasher.combine(classIndex)
    hasher.combine(score)
  }
}

/// One image of a dataset: its identity in the source and its labels.
public struct LabelledImage: Hashable, Sendable {
  /// The join key: relative path without extension.
  public let key: String
  /// The position in the source listing.
  public let imageIndex: Int64
  /// The labels.
  public let map: LabelMap

  /// Makes a labelled image.
  public init(key: String, imageIndex: Int64, map: LabelMap) {
    self.key = key
    self.imageIndex = imageIndex
    self.map = map
  }
}
